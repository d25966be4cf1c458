/** What wherry has and docker hasn't. */
export const wherryCommands = `
ui | 0 0 | [OPTIONS]
	+height:int=0 +json +once +pane:string +width:int=0
oci | 0 -1 | [OPTIONS] COMMAND
system boot | 0 0 | [OPTIONS]
	+stop
system install-boot | 0 0 | [OPTIONS]
	+remove +unit-dir:string
debug | - | COMMAND
debug plan | 1 -1 | [OPTIONS] IMAGE [COMMAND] [ARG...]
	@container create
completion | 0 1 | [bash|zsh|fish]
help | 0 -1 | [COMMAND]
`;

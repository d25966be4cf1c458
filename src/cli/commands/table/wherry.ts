import type {CommandRows} from './rows.ts';

/** What wherry has and docker hasn't. */
export const wherryCommands: CommandRows = {
	ui: {usage: '[OPTIONS]', args: [0, 0], flags: '+height:int=0 +json +once +pane:string +width:int=0'},
	oci: {usage: '[OPTIONS] COMMAND', args: [0, -1]},
	'system boot': {usage: '[OPTIONS]', args: [0, 0], flags: '+stop'},
	'system install-boot': {usage: '[OPTIONS]', args: [0, 0], flags: '+remove +unit-dir:string'},
	debug: {usage: 'COMMAND'},
	'debug plan': {usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]', args: [1, -1], flags: '@container create'},
	completion: {usage: '[bash|zsh|fish]', args: [0, 1]},
	help: {usage: '[COMMAND]', args: [0, -1]},
};

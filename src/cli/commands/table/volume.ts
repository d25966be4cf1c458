export const volumeCommands = `
volume | - | COMMAND
volume create | 0 1 | [OPTIONS] [VOLUME]
	availability:string=active +d/driver:string=local group:string +label:list limit-bytes:bytes=0
	+~name:string +o/opt:map=map[] required-bytes:bytes=0 scope:string=single secret:map=map[]
	sharing:string=none topology-preferred:list topology-required:list type:string=block
volume inspect | 1 -1 | [OPTIONS] VOLUME [VOLUME...]
	+f/format:string
volume ls | 0 0 | [OPTIONS]
	cluster +f/filter:filter +format:string +q/quiet
volume prune | 0 0 | [OPTIONS]
	+a/all +filter:filter +f/force
volume rm | 1 -1 | [OPTIONS] VOLUME [VOLUME...]
	+f/force
volume update | 1 1 | [OPTIONS] [VOLUME]
	availability:string=active
`;

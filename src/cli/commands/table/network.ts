export const networkCommands = `
network | - | COMMAND
network connect | 2 2 | [OPTIONS] NETWORK CONTAINER
	+alias:stringSlice +driver-opt:stringSlice +gw-priority:int=0 +ip:ip=<nil> +ip6:ip=<nil> +link:list
	+link-local-ip:ipSlice
network create | 1 1 | [OPTIONS] NETWORK
	+attachable +aux-address:map=map[] +config-from:string +config-only +d/driver:string=bridge
	+gateway:ipSlice +ingress +internal +ip-range:ipNetSlice +ipam-driver:string=default +ipam-opt:map=map[]
	+ipv4=true +ipv6 +label:list +o/opt:map=map[] +scope:string +subnet:stringSlice
network disconnect | 2 2 | [OPTIONS] NETWORK CONTAINER
	+f/force
network inspect | 1 -1 | [OPTIONS] NETWORK [NETWORK...]
	+f/format:string +v/verbose
network ls | 0 0 | [OPTIONS]
	+f/filter:filter +format:string +no-trunc +q/quiet
network prune | 0 0 | [OPTIONS]
	+filter:filter +f/force
network rm | 1 -1 | NETWORK [NETWORK...]
	+f/force
`;

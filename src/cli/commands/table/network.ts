import type {CommandRows} from './rows.ts';

export const networkCommands: CommandRows = {
	network: {usage: 'COMMAND'},
	'network connect': {
		usage: '[OPTIONS] NETWORK CONTAINER',
		args: [2, 2],
		flags: `
		+alias:stringSlice +driver-opt:stringSlice +gw-priority:int=0 +ip:ip=<nil> +ip6:ip=<nil>
		+link:list +link-local-ip:ipSlice`,
	},
	'network create': {
		usage: '[OPTIONS] NETWORK',
		args: [1, 1],
		flags: `
		+attachable +aux-address:map=map[] +config-from:string +config-only +d/driver:string=bridge
		+gateway:ipSlice +ingress +internal +ip-range:ipNetSlice +ipam-driver:string=default
		+ipam-opt:map=map[] +ipv4=true +ipv6 +label:list +o/opt:map=map[] +scope:string
		+subnet:stringSlice`,
	},
	'network disconnect': {usage: '[OPTIONS] NETWORK CONTAINER', args: [2, 2], flags: '+f/force'},
	'network inspect': {
		usage: '[OPTIONS] NETWORK [NETWORK...]',
		args: [1, -1],
		flags: '+f/format:string +v/verbose',
	},
	'network ls': {
		usage: '[OPTIONS]',
		args: [0, 0],
		flags: '+f/filter:filter +format:string +no-trunc +q/quiet',
	},
	'network prune': {usage: '[OPTIONS]', args: [0, 0], flags: '+filter:filter +f/force'},
	'network rm': {usage: 'NETWORK [NETWORK...]', args: [1, -1], flags: '+f/force'},
};

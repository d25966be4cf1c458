import type {CommandRows} from './rows.ts';

export const volumeCommands: CommandRows = {
	volume: {usage: 'COMMAND'},
	'volume create': {
		usage: '[OPTIONS] [VOLUME]',
		args: [0, 1],
		flags: `
		availability:string=active +d/driver:string=local group:string +label:list limit-bytes:bytes=0
		+~name:string +o/opt:map=map[] required-bytes:bytes=0 scope:string=single secret:map=map[] sharing:string=none
		topology-preferred:list topology-required:list type:string=block`,
	},
	'volume inspect': {usage: '[OPTIONS] VOLUME [VOLUME...]', args: [1, -1], flags: '+f/format:string'},
	'volume ls': {usage: '[OPTIONS]', args: [0, 0], flags: 'cluster +f/filter:filter +format:string +q/quiet'},
	'volume prune': {usage: '[OPTIONS]', args: [0, 0], flags: '+a/all +filter:filter +f/force'},
	'volume rm': {usage: '[OPTIONS] VOLUME [VOLUME...]', args: [1, -1], flags: '+f/force'},
	'volume update': {usage: '[OPTIONS] [VOLUME]', args: [1, 1], flags: 'availability:string=active'},
};

import {buildFlags} from './build.ts';
import type {CommandRows} from './rows.ts';

export const imageCommands: CommandRows = {
	image: {usage: 'COMMAND'},
	'image build': {
		usage: '[OPTIONS] PATH | URL | -',
		args: [1, 1],
		flags: `${buildFlags} +~disable-content-trust=true`,
	},
	'image history': {
		usage: '[OPTIONS] IMAGE',
		args: [1, 1],
		flags: '+format:string +H/human=true +no-trunc +platform:string +q/quiet',
	},
	'image import': {
		usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
		args: [1, -1],
		flags: '+c/change:list +m/message:string +platform:string',
	},
	'image inspect': {
		usage: '[OPTIONS] IMAGE [IMAGE...]',
		args: [1, -1],
		flags: '+f/format:string +platform:string',
	},
	'image load': {
		usage: '[OPTIONS]',
		args: [0, 0],
		flags: '+i/input:string +platform:stringSlice +q/quiet',
	},
	'image ls': {
		usage: '[OPTIONS] [REPOSITORY[:TAG]]',
		args: [0, 1],
		flags: '+a/all +digests +f/filter:filter +format:string +no-trunc +q/quiet +tree',
	},
	'image prune': {usage: '[OPTIONS]', args: [0, 0], flags: '+a/all +filter:filter +f/force'},
	'image pull': {
		usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
		args: [1, 1],
		flags: '+a/all-tags +platform:string +q/quiet +~disable-content-trust=true',
	},
	'image push': {
		usage: '[OPTIONS] NAME[:TAG]',
		args: [1, 1],
		flags: '+a/all-tags +platform:string +q/quiet +~disable-content-trust=true',
	},
	'image rm': {
		usage: '[OPTIONS] IMAGE [IMAGE...]',
		args: [1, -1],
		flags: '+f/force +no-prune platform:stringSlice',
	},
	'image save': {
		usage: '[OPTIONS] IMAGE [IMAGE...]',
		args: [1, -1],
		flags: '+o/output:string +platform:stringSlice',
	},
	'image tag': {usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]', args: [2, 2]},
};

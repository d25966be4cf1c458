import type {CommandRows} from './rows.ts';

export const systemCommands: CommandRows = {
	checkpoint: {usage: 'COMMAND'},
	'checkpoint create': {
		usage: '[OPTIONS] CONTAINER CHECKPOINT',
		flags: 'checkpoint-dir:string leave-running',
	},
	'checkpoint ls': {usage: '[OPTIONS] CONTAINER', flags: 'checkpoint-dir:string'},
	'checkpoint rm': {usage: '[OPTIONS] CONTAINER CHECKPOINT', flags: 'checkpoint-dir:string'},
	context: {usage: 'COMMAND'},
	'context create': {
		usage: '[OPTIONS] CONTEXT',
		flags: 'description:string docker:stringToString from:string',
	},
	'context export': {usage: '[OPTIONS] CONTEXT [FILE|-]'},
	'context import': {usage: 'CONTEXT FILE|-'},
	'context inspect': {usage: '[OPTIONS] [CONTEXT] [CONTEXT...]', flags: 'f/format:string'},
	'context ls': {usage: '[OPTIONS]', flags: 'format:string q/quiet'},
	'context rm': {usage: 'CONTEXT [CONTEXT...]', flags: 'f/force'},
	'context show': {usage: ''},
	'context update': {usage: '[OPTIONS] CONTEXT', flags: 'description:string docker:stringToString'},
	'context use': {usage: 'CONTEXT'},
	'': {
		usage: '[OPTIONS] COMMAND [ARG...]',
		args: [0, 0],
		flags: `
		+config:string=/root/.docker c/context:string +D/debug H/host:string +l/log-level:string=info tls
		tlscacert:string=/root/.docker/ca.pem tlscert:string=/root/.docker/cert.pem
		tlskey:string=/root/.docker/key.pem tlsverify`,
	},
	inspect: {
		usage: '[OPTIONS] NAME|ID [NAME|ID...]',
		args: [1, -1],
		flags: '+f/format:string +s/size +type:string',
	},
	login: {
		usage: '[OPTIONS] [SERVER]',
		args: [0, 1],
		flags: '+p/password:string +password-stdin +u/username:string',
	},
	logout: {usage: '[SERVER]', args: [0, 1]},
	manifest: {usage: 'COMMAND'},
	'manifest annotate': {
		usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
		args: [2, 2],
		flags: '+arch:string +os:string +os-features:stringSlice +os-version:string +variant:string',
	},
	'manifest create': {
		usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
		args: [2, -1],
		flags: '+a/amend +insecure',
	},
	'manifest inspect': {
		usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
		args: [1, 2],
		flags: '+insecure +v/verbose',
	},
	'manifest push': {usage: '[OPTIONS] MANIFEST_LIST', args: [1, 1], flags: '+insecure +p/purge'},
	'manifest rm': {usage: 'MANIFEST_LIST [MANIFEST_LIST...]', args: [1, -1]},
	search: {
		usage: '[OPTIONS] TERM',
		args: [1, 1],
		flags: '+f/filter:filter +format:string +limit:int=0 +no-trunc',
	},
	system: {usage: 'COMMAND'},
	'system check': {usage: '[OPTIONS]', args: [0, 0], flags: '+format:string +images'},
	'system df': {usage: '[OPTIONS]', args: [0, 0], flags: '+format:string +v/verbose'},
	'system dial-stdio': {usage: ''},
	'system events': {
		usage: '[OPTIONS]',
		args: [0, 0],
		flags: '+f/filter:filter +format:string +since:string +until:string',
	},
	'system info': {usage: '[OPTIONS]', args: [0, 0], flags: '+f/format:string'},
	'system prune': {usage: '[OPTIONS]', args: [0, 0], flags: '+a/all +filter:filter +f/force +volumes'},
	version: {usage: '[OPTIONS]', args: [0, 0], flags: '+f/format:string'},
};

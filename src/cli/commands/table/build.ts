import type {CommandRows} from './rows.ts';

/** Those of the classic builder, and of buildx what people give to `build`, which is an alias of its. */
export const buildFlags = `
	+add-host:list +build-arg:list +cache-from:stringArray +cgroup-parent:string +compress
	+cpu-period:int64=0 +cpu-quota:int64=0 +c/cpu-shares:int64=0 +cpuset-cpus:string +cpuset-mems:string
	+f/file:string +force-rm +iidfile:string isolation:string +label:list +m/memory:bytes=0
	+memory-swap:bytes=0 +network:string=default +no-cache +platform:stringArray +pull +q/quiet +rm=true
	+security-opt:stringSlice +shm-size:bytes=0 squash +t/tag:list +target:string +ulimit:ulimit
	+build-context:stringArray +load +metadata-file:string +o/output:stringArray +progress:string=auto +push
	+secret:stringArray +allow:stringArray +annotation:stringArray +attest:stringArray +builder:string
	+cache-to:stringArray +call:string=build +check +no-cache-filter:stringArray +provenance:string
	+sbom:string +ssh:stringArray`;

export const buildCommands: CommandRows = {
	bake: {usage: '[OPTIONS] [TARGET...]'},
	build: {
		usage: '[OPTIONS] PATH | URL | -',
		args: [1, 1],
		flags: `${buildFlags} +~disable-content-trust=true`,
	},
	builder: {usage: 'COMMAND'},
	'builder build': {usage: '[OPTIONS] PATH | URL | -', args: [1, 1], flags: buildFlags},
	'builder prune': {usage: '', args: [0, 0], flags: '+a/all +filter:filter +f/force +keep-storage:bytes=0'},
	buildx: {usage: 'COMMAND', flags: 'builder:string D/debug'},
	'buildx bake': {
		usage: '[OPTIONS] [TARGET...]',
		flags: `
		allow:stringArray builder:string call:string=build check D/debug f/file:stringArray list:string
		load metadata-file:string no-cache policy:stringArray print progress:string=auto
		provenance:string pull push sbom:string set:stringArray var:stringArray`,
	},
	'buildx build': {
		usage: '[OPTIONS] PATH | URL | -',
		args: [1, 1],
		flags: `
		+add-host:stringSlice +allow:stringArray +annotation:stringArray +attest:stringArray
		+build-arg:stringArray +build-context:stringArray +builder:string +cache-from:stringArray
		+cache-to:stringArray +call:string=build +cgroup-parent:string +check D/debug +f/file:string
		+iidfile:string +label:stringArray +load +metadata-file:string +network:string=default +no-cache
		+no-cache-filter:stringArray +o/output:stringArray +platform:stringArray policy:stringArray
		+progress:string=auto +provenance:string +pull +push +q/quiet resource:stringArray +sbom:string
		+secret:stringArray +shm-size:bytes=0 +ssh:stringArray +t/tag:stringArray +target:string
		+ulimit:ulimit`,
	},
	'buildx create': {
		usage: '[OPTIONS] [CONTEXT|ENDPOINT]',
		flags: `
		append bootstrap buildkitd-config:string buildkitd-flags:string D/debug driver:string
		driver-opt:stringArray leave name:string node:string platform:stringArray timeout:duration=20s
		use`,
	},
	'buildx dap': {usage: '', flags: 'builder:string D/debug'},
	'buildx dap build': {usage: 'COMMAND', flags: '@buildx build'},
	'buildx debug': {usage: '', flags: 'builder:string D/debug invoke:string on:string=error'},
	'buildx debug build': {usage: 'COMMAND', flags: '@buildx build'},
	'buildx dial-stdio': {usage: '', flags: 'builder:string D/debug platform:string progress:string=none'},
	'buildx du': {
		usage: '',
		args: [0, 0],
		flags: '+builder:string D/debug +filter:filter +format:string +timeout:duration=20s +verbose',
	},
	'buildx history': {usage: 'COMMAND', flags: 'builder:string D/debug'},
	'buildx history export': {
		usage: '[OPTIONS] [REF...]',
		flags: 'all builder:string D/debug finalize o/output:string',
	},
	'buildx history import': {usage: '[OPTIONS] -', flags: 'builder:string D/debug f/file:stringArray'},
	'buildx history inspect': {
		usage: '[OPTIONS] [REF]',
		args: [0, 1],
		flags: '+builder:string D/debug +format:string=pretty',
	},
	'buildx history inspect attachment': {
		usage: '[OPTIONS] [REF [DIGEST]]',
		flags: 'builder:string D/debug platform:string type:string',
	},
	'buildx history logs': {
		usage: '[OPTIONS] [REF]',
		args: [0, 1],
		flags: '+builder:string D/debug +progress:string=plain',
	},
	'buildx history ls': {
		usage: '[OPTIONS]',
		args: [0, 0],
		flags: '+builder:string D/debug +filter:stringArray +format:string=table local +no-trunc',
	},
	'buildx history open': {usage: '[OPTIONS] [REF]', flags: 'builder:string D/debug'},
	'buildx history rm': {usage: '[OPTIONS] [REF...]', args: [0, -1], flags: '+all +builder:string D/debug'},
	'buildx history trace': {
		usage: '[OPTIONS] [REF]',
		flags: 'addr:string=127.0.0.1:0 builder:string compare:string D/debug',
	},
	'buildx imagetools': {usage: 'COMMAND', flags: 'builder:string D/debug'},
	'buildx imagetools create': {
		usage: '[OPTIONS] [SOURCE...]',
		args: [0, -1],
		flags: `
		+annotation:stringArray +append +builder:string D/debug +dry-run +f/file:stringArray
		+metadata-file:string +p/platform:stringArray +prefer-index=true +progress:string=auto
		+t/tag:stringArray`,
	},
	'buildx imagetools inspect': {
		usage: '[OPTIONS] NAME',
		args: [1, 1],
		flags: '+builder:string D/debug +format:string={{.Manifest}} +raw',
	},
	'buildx inspect': {
		usage: '[NAME]',
		args: [0, 1],
		flags: '+bootstrap +builder:string D/debug +timeout:duration=20s',
	},
	'buildx ls': {
		usage: '',
		args: [0, 0],
		flags: 'D/debug +format:string=table +no-trunc +timeout:duration=20s',
	},
	'buildx policy': {usage: 'COMMAND', flags: 'builder:string D/debug'},
	'buildx policy eval': {
		usage: '[OPTIONS] source',
		flags: 'builder:string D/debug fields:stringSlice f/file:string=Dockerfile platform:string print',
	},
	'buildx policy json-schema': {usage: 'COMMAND', flags: 'builder:string D/debug'},
	'buildx policy test': {
		usage: '<path>',
		flags: 'builder:string D/debug filename:string=Dockerfile run:string',
	},
	'buildx prune': {
		usage: '',
		args: [0, 0],
		flags: `
		+a/all +builder:string D/debug +filter:filter +f/force +max-used-space:bytes=0 +min-free-space:bytes=0
		+reserved-space:bytes=0 +timeout:duration=20s +verbose`,
	},
	'buildx rm': {
		usage: '[OPTIONS] [NAME...]',
		flags: 'all-inactive builder:string D/debug f/force keep-daemon keep-state timeout:duration=20s',
	},
	'buildx stop': {usage: '[NAME]', flags: 'builder:string D/debug'},
	'buildx use': {usage: '[OPTIONS] NAME', args: [1, 1], flags: '+builder:string D/debug +default +global'},
	'buildx version': {usage: '', args: [0, 0], flags: 'D/debug'},
};

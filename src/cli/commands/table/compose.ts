import type {CommandRows} from './rows.ts';

export const composeCommands: CommandRows = {
	compose: {
		usage: '',
		flags: `
		all-resources ansi:string=auto compatibility dry-run env-file:stringArray f/file:stringArray
		~insecure-registry:stringArray ~no-ansi parallel:int=-1 profile:stringArray progress:string
		project-directory:string p/project-name:string ~verbose ~v/version ~workdir:string`,
	},
	'compose alpha': {usage: ''},
	'compose alpha dry-run': {usage: '-- [COMMAND...]'},
	'compose alpha generate': {
		usage: '[OPTIONS] [CONTAINERS...]',
		flags: 'format:string=yaml name:string project-dir:string',
	},
	'compose alpha publish': {
		usage: '[OPTIONS] REPOSITORY[:TAG]',
		flags: 'app ~insecure-registry oci-version:string resolve-image-digests with-env y/yes',
	},
	'compose alpha scale': {usage: '[SERVICE=REPLICAS...]', flags: 'no-deps'},
	'compose alpha viz': {usage: '[OPTIONS]', flags: 'image indentation-size:int=1 networks ports spaces'},
	'compose alpha watch': {usage: '[SERVICE...]', flags: 'no-up quiet'},
	'compose attach': {
		usage: '[OPTIONS] SERVICE',
		flags: 'detach-keys:string index:int=0 no-stdin sig-proxy=true',
	},
	'compose bridge': {usage: ''},
	'compose bridge convert': {
		usage: '',
		flags: 'o/output:string=out templates:string t/transformation:stringArray',
	},
	'compose bridge transformations': {usage: ''},
	'compose bridge transformations create': {usage: '[OPTION] PATH', flags: 'f/from:string'},
	'compose bridge transformations list': {usage: '', flags: 'format:string=table q/quiet'},
	'compose build': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		build-arg:stringArray builder:string check ~compress=true ~force-rm=true m/memory:bytes=0
		no-cache ~no-rm ~parallel=true print ~progress:string provenance:string pull push q/quiet
		sbom:string ssh:string with-dependencies`,
	},
	'compose commit': {
		usage: '[OPTIONS] SERVICE [REPOSITORY[:TAG]]',
		flags: 'a/author:string c/change:list index:int=0 m/message:string p/pause=true',
	},
	'compose config': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		environment format:string hash:string images lock-image-digests models networks no-consistency
		no-env-resolution no-interpolate no-normalize no-path-resolution o/output:string profiles
		q/quiet resolve-image-digests services variables volumes`,
	},
	'compose convert': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		format:string=yaml hash:string images no-consistency no-interpolate no-normalize o/output:string
		profiles q/quiet resolve-image-digests services volumes`,
	},
	'compose cp': {
		usage:
			'[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\twherry compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH',
		flags: 'all a/archive L/follow-link index:int=0',
	},
	'compose create': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		build force-recreate no-build no-recreate pull:string=policy quiet-pull remove-orphans
		scale:stringArray y/yes`,
	},
	'compose down': {
		usage: '[OPTIONS] [SERVICES]',
		flags: 'remove-orphans rmi:string t/timeout:int=0 v/volumes',
	},
	'compose events': {usage: '[OPTIONS] [SERVICE...]', flags: 'json since:string until:string'},
	'compose exec': {
		usage: '[OPTIONS] SERVICE COMMAND [ARGS...]',
		flags: `
		d/detach e/env:stringArray index:int=0 ~i/interactive=true T/no-tty=true privileged ~t/tty=true
		u/user:string w/workdir:string`,
	},
	'compose export': {usage: '[OPTIONS] SERVICE', flags: 'index:int=0 o/output:string'},
	'compose images': {usage: '[OPTIONS] [SERVICE...]', flags: 'format:string=table q/quiet'},
	'compose kill': {usage: '[OPTIONS] [SERVICE...]', flags: 'remove-orphans s/signal:string=SIGKILL'},
	'compose logs': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		f/follow index:int=0 no-color no-log-prefix since:string n/tail:string=all t/timestamps
		until:string`,
	},
	'compose ls': {usage: '[OPTIONS]', flags: 'a/all filter:filter format:string=table q/quiet'},
	'compose pause': {usage: '[SERVICE...]'},
	'compose port': {usage: '[OPTIONS] SERVICE PRIVATE_PORT', flags: 'index:int=0 protocol:string=tcp'},
	'compose ps': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: 'a/all filter:string format:string no-trunc orphans=true q/quiet services status:stringArray',
	},
	'compose publish': {usage: '[OPTIONS] REPOSITORY[:TAG]', flags: '@compose alpha publish'},
	'compose pull': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		ignore-buildable ignore-pull-failures include-deps ~no-parallel=true ~parallel=true
		policy:string q/quiet`,
	},
	'compose push': {usage: '[OPTIONS] [SERVICE...]', flags: 'ignore-push-failures include-deps q/quiet'},
	'compose restart': {usage: '[OPTIONS] [SERVICE...]', flags: 'no-deps t/timeout:int=0'},
	'compose rm': {usage: '[OPTIONS] [SERVICE...]', flags: '~a/all f/force s/stop v/volumes'},
	'compose run': {
		usage: '[OPTIONS] SERVICE [COMMAND] [ARGS...]',
		flags: `
		build cap-add:list cap-drop:list d/detach entrypoint:string e/env:stringArray
		env-from-file:stringArray i/interactive=true l/label:stringArray name:string no-deps
		T/no-tty=true p/publish:stringArray pull:string=policy q/quiet quiet-build quiet-pull
		remove-orphans rm P/service-ports ~t/tty=true use-aliases u/user:string v/volume:stringArray
		w/workdir:string`,
	},
	'compose scale': {usage: '[SERVICE=REPLICAS...]', flags: 'no-deps'},
	'compose start': {usage: '[SERVICE...]', flags: 'wait wait-timeout:int=0'},
	'compose stats': {usage: '[OPTIONS] [SERVICE]', flags: 'a/all format:string no-stream no-trunc'},
	'compose stop': {usage: '[OPTIONS] [SERVICE...]', flags: 't/timeout:int=0'},
	'compose top': {usage: '[SERVICES...]'},
	'compose unpause': {usage: '[SERVICE...]'},
	'compose up': {
		usage: '[OPTIONS] [SERVICE...]',
		flags: `
		abort-on-container-exit abort-on-container-failure always-recreate-deps attach:stringArray
		attach-dependencies build d/detach exit-code-from:string force-recreate menu
		no-attach:stringArray no-build no-color no-deps no-log-prefix no-recreate no-start
		pull:string=policy quiet-build quiet-pull remove-orphans V/renew-anon-volumes scale:stringArray
		t/timeout:int=0 timestamps wait wait-timeout:int=0 w/watch y/yes`,
	},
	'compose version': {usage: '[OPTIONS]', flags: 'f/format:string short'},
	'compose volumes': {usage: '[OPTIONS] [SERVICE...]', flags: 'format:string=table q/quiet'},
	'compose wait': {usage: 'SERVICE [SERVICE...] [OPTIONS]', flags: 'down-project'},
	'compose watch': {usage: '[SERVICE...]', flags: 'no-up prune=true quiet'},
};

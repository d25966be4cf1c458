export const composeCommands = `
compose | - |
	all-resources ansi:string=auto compatibility dry-run env-file:stringArray f/file:stringArray
	~insecure-registry:stringArray ~no-ansi parallel:int=-1 profile:stringArray progress:string
	project-directory:string p/project-name:string ~verbose ~v/version ~workdir:string
compose alpha | - |
compose alpha dry-run | - | -- [COMMAND...]
compose alpha generate | - | [OPTIONS] [CONTAINERS...]
	format:string=yaml name:string project-dir:string
compose alpha publish | - | [OPTIONS] REPOSITORY[:TAG]
	app ~insecure-registry oci-version:string resolve-image-digests with-env y/yes
compose alpha scale | - | [SERVICE=REPLICAS...]
	no-deps
compose alpha viz | - | [OPTIONS]
	image indentation-size:int=1 networks ports spaces
compose alpha watch | - | [SERVICE...]
	no-up quiet
compose attach | - | [OPTIONS] SERVICE
	detach-keys:string index:int=0 no-stdin sig-proxy=true
compose bridge | - |
compose bridge convert | - |
	o/output:string=out templates:string t/transformation:stringArray
compose bridge transformations | - |
compose bridge transformations create | - | [OPTION] PATH
	f/from:string
compose bridge transformations list | - |
	format:string=table q/quiet
compose build | - | [OPTIONS] [SERVICE...]
	build-arg:stringArray builder:string check ~compress=true ~force-rm=true m/memory:bytes=0 no-cache
	~no-rm ~parallel=true print ~progress:string provenance:string pull push q/quiet sbom:string ssh:string
	with-dependencies
compose commit | - | [OPTIONS] SERVICE [REPOSITORY[:TAG]]
	a/author:string c/change:list index:int=0 m/message:string p/pause=true
compose config | - | [OPTIONS] [SERVICE...]
	environment format:string hash:string images lock-image-digests models networks no-consistency
	no-env-resolution no-interpolate no-normalize no-path-resolution o/output:string profiles q/quiet
	resolve-image-digests services variables volumes
compose convert | - | [OPTIONS] [SERVICE...]
	format:string=yaml hash:string images no-consistency no-interpolate no-normalize o/output:string
	profiles q/quiet resolve-image-digests services volumes
compose cp | - | [OPTIONS] SERVICE:SRC_PATH DEST_PATH|-
	| wherry compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH
	all a/archive L/follow-link index:int=0
compose create | - | [OPTIONS] [SERVICE...]
	build force-recreate no-build no-recreate pull:string=policy quiet-pull remove-orphans scale:stringArray
	y/yes
compose down | - | [OPTIONS] [SERVICES]
	remove-orphans rmi:string t/timeout:int=0 v/volumes
compose events | - | [OPTIONS] [SERVICE...]
	json since:string until:string
compose exec | - | [OPTIONS] SERVICE COMMAND [ARGS...]
	d/detach e/env:stringArray index:int=0 ~i/interactive=true T/no-tty=true privileged ~t/tty=true
	u/user:string w/workdir:string
compose export | - | [OPTIONS] SERVICE
	index:int=0 o/output:string
compose images | - | [OPTIONS] [SERVICE...]
	format:string=table q/quiet
compose kill | - | [OPTIONS] [SERVICE...]
	remove-orphans s/signal:string=SIGKILL
compose logs | - | [OPTIONS] [SERVICE...]
	f/follow index:int=0 no-color no-log-prefix since:string n/tail:string=all t/timestamps until:string
compose ls | - | [OPTIONS]
	a/all filter:filter format:string=table q/quiet
compose pause | - | [SERVICE...]
compose port | - | [OPTIONS] SERVICE PRIVATE_PORT
	index:int=0 protocol:string=tcp
compose ps | - | [OPTIONS] [SERVICE...]
	a/all filter:string format:string no-trunc orphans=true q/quiet services status:stringArray
compose publish | - | [OPTIONS] REPOSITORY[:TAG]
	@compose alpha publish
compose pull | - | [OPTIONS] [SERVICE...]
	ignore-buildable ignore-pull-failures include-deps ~no-parallel=true ~parallel=true policy:string
	q/quiet
compose push | - | [OPTIONS] [SERVICE...]
	ignore-push-failures include-deps q/quiet
compose restart | - | [OPTIONS] [SERVICE...]
	no-deps t/timeout:int=0
compose rm | - | [OPTIONS] [SERVICE...]
	~a/all f/force s/stop v/volumes
compose run | - | [OPTIONS] SERVICE [COMMAND] [ARGS...]
	build cap-add:list cap-drop:list d/detach entrypoint:string e/env:stringArray env-from-file:stringArray
	i/interactive=true l/label:stringArray name:string no-deps T/no-tty=true p/publish:stringArray
	pull:string=policy q/quiet quiet-build quiet-pull remove-orphans rm P/service-ports ~t/tty=true
	use-aliases u/user:string v/volume:stringArray w/workdir:string
compose scale | - | [SERVICE=REPLICAS...]
	no-deps
compose start | - | [SERVICE...]
	wait wait-timeout:int=0
compose stats | - | [OPTIONS] [SERVICE]
	a/all format:string no-stream no-trunc
compose stop | - | [OPTIONS] [SERVICE...]
	t/timeout:int=0
compose top | - | [SERVICES...]
compose unpause | - | [SERVICE...]
compose up | - | [OPTIONS] [SERVICE...]
	abort-on-container-exit abort-on-container-failure always-recreate-deps attach:stringArray
	attach-dependencies build d/detach exit-code-from:string force-recreate menu no-attach:stringArray
	no-build no-color no-deps no-log-prefix no-recreate no-start pull:string=policy quiet-build quiet-pull
	remove-orphans V/renew-anon-volumes scale:stringArray t/timeout:int=0 timestamps wait wait-timeout:int=0
	w/watch y/yes
compose version | - | [OPTIONS]
	f/format:string short
compose volumes | - | [OPTIONS] [SERVICE...]
	format:string=table q/quiet
compose wait | - | SERVICE [SERVICE...] [OPTIONS]
	down-project
compose watch | - | [SERVICE...]
	no-up prune=true quiet
`;

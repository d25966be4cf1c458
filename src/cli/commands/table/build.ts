/** Those of the classic builder, and of buildx what people give to `build`, which is an alias of its. */
export const buildCommands = `
bake | - | [OPTIONS] [TARGET...]
build | 1 1 | [OPTIONS] PATH | URL | -
	+add-host:list +build-arg:list +cache-from:stringArray +cgroup-parent:string +compress
	+cpu-period:int64=0 +cpu-quota:int64=0 +c/cpu-shares:int64=0 +cpuset-cpus:string +cpuset-mems:string
	+f/file:string +force-rm +iidfile:string isolation:string +label:list +m/memory:bytes=0
	+memory-swap:bytes=0 +network:string=default +no-cache +platform:stringArray +pull +q/quiet +rm=true
	+security-opt:stringSlice +shm-size:bytes=0 squash +t/tag:list +target:string +ulimit:ulimit
	+build-context:stringArray +load +metadata-file:string +o/output:stringArray +progress:string=auto +push
	+secret:stringArray +allow:stringArray +annotation:stringArray +attest:stringArray +builder:string
	+cache-to:stringArray +call:string=build +check +no-cache-filter:stringArray +provenance:string
	+sbom:string +ssh:stringArray +~disable-content-trust=true
builder | - | COMMAND
builder build | 1 1 | [OPTIONS] PATH | URL | -
	+add-host:list +build-arg:list +cache-from:stringArray +cgroup-parent:string +compress
	+cpu-period:int64=0 +cpu-quota:int64=0 +c/cpu-shares:int64=0 +cpuset-cpus:string +cpuset-mems:string
	+f/file:string +force-rm +iidfile:string isolation:string +label:list +m/memory:bytes=0
	+memory-swap:bytes=0 +network:string=default +no-cache +platform:stringArray +pull +q/quiet +rm=true
	+security-opt:stringSlice +shm-size:bytes=0 squash +t/tag:list +target:string +ulimit:ulimit
	+build-context:stringArray +load +metadata-file:string +o/output:stringArray +progress:string=auto +push
	+secret:stringArray +allow:stringArray +annotation:stringArray +attest:stringArray +builder:string
	+cache-to:stringArray +call:string=build +check +no-cache-filter:stringArray +provenance:string
	+sbom:string +ssh:stringArray
builder prune | 0 0 |
	+a/all +filter:filter +f/force +keep-storage:bytes=0
buildx | - | COMMAND
	builder:string D/debug
buildx bake | - | [OPTIONS] [TARGET...]
	allow:stringArray builder:string call:string=build check D/debug f/file:stringArray list:string load
	metadata-file:string no-cache policy:stringArray print progress:string=auto provenance:string pull push
	sbom:string set:stringArray var:stringArray
buildx build | 1 1 | [OPTIONS] PATH | URL | -
	+add-host:stringSlice +allow:stringArray +annotation:stringArray +attest:stringArray
	+build-arg:stringArray +build-context:stringArray +builder:string +cache-from:stringArray
	+cache-to:stringArray +call:string=build +cgroup-parent:string +check D/debug +f/file:string
	+iidfile:string +label:stringArray +load +metadata-file:string +network:string=default +no-cache
	+no-cache-filter:stringArray +o/output:stringArray +platform:stringArray policy:stringArray
	+progress:string=auto +provenance:string +pull +push +q/quiet resource:stringArray +sbom:string
	+secret:stringArray +shm-size:bytes=0 +ssh:stringArray +t/tag:stringArray +target:string +ulimit:ulimit
buildx create | - | [OPTIONS] [CONTEXT|ENDPOINT]
	append bootstrap buildkitd-config:string buildkitd-flags:string D/debug driver:string
	driver-opt:stringArray leave name:string node:string platform:stringArray timeout:duration=20s use
buildx dap | - |
	builder:string D/debug
buildx dap build | - | COMMAND
	@buildx build
buildx debug | - |
	builder:string D/debug invoke:string on:string=error
buildx debug build | - | COMMAND
	@buildx build
buildx dial-stdio | - |
	builder:string D/debug platform:string progress:string=none
buildx du | 0 0 |
	+builder:string D/debug +filter:filter +format:string +timeout:duration=20s +verbose
buildx history | - | COMMAND
	builder:string D/debug
buildx history export | - | [OPTIONS] [REF...]
	all builder:string D/debug finalize o/output:string
buildx history import | - | [OPTIONS] -
	builder:string D/debug f/file:stringArray
buildx history inspect | 0 1 | [OPTIONS] [REF]
	+builder:string D/debug +format:string=pretty
buildx history inspect attachment | - | [OPTIONS] [REF [DIGEST]]
	builder:string D/debug platform:string type:string
buildx history logs | 0 1 | [OPTIONS] [REF]
	+builder:string D/debug +progress:string=plain
buildx history ls | 0 0 | [OPTIONS]
	+builder:string D/debug +filter:stringArray +format:string=table local +no-trunc
buildx history open | - | [OPTIONS] [REF]
	builder:string D/debug
buildx history rm | 0 -1 | [OPTIONS] [REF...]
	+all +builder:string D/debug
buildx history trace | - | [OPTIONS] [REF]
	addr:string=127.0.0.1:0 builder:string compare:string D/debug
buildx imagetools | - | COMMAND
	builder:string D/debug
buildx imagetools create | 0 -1 | [OPTIONS] [SOURCE...]
	+annotation:stringArray +append +builder:string D/debug +dry-run +f/file:stringArray
	+metadata-file:string +p/platform:stringArray +prefer-index=true +progress:string=auto
	+t/tag:stringArray
buildx imagetools inspect | 1 1 | [OPTIONS] NAME
	+builder:string D/debug +format:string={{.Manifest}} +raw
buildx inspect | 0 1 | [NAME]
	+bootstrap +builder:string D/debug +timeout:duration=20s
buildx ls | 0 0 |
	D/debug +format:string=table +no-trunc +timeout:duration=20s
buildx policy | - | COMMAND
	builder:string D/debug
buildx policy eval | - | [OPTIONS] source
	builder:string D/debug fields:stringSlice f/file:string=Dockerfile platform:string print
buildx policy json-schema | - | COMMAND
	builder:string D/debug
buildx policy test | - | <path>
	builder:string D/debug filename:string=Dockerfile run:string
buildx prune | 0 0 |
	+a/all +builder:string D/debug +filter:filter +f/force +max-used-space:bytes=0 +min-free-space:bytes=0
	+reserved-space:bytes=0 +timeout:duration=20s +verbose
buildx rm | - | [OPTIONS] [NAME...]
	all-inactive builder:string D/debug f/force keep-daemon keep-state timeout:duration=20s
buildx stop | - | [NAME]
	builder:string D/debug
buildx use | 1 1 | [OPTIONS] NAME
	+builder:string D/debug +default +global
buildx version | 0 0 |
	D/debug
`;

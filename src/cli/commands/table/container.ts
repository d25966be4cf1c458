export const containerCommands = `
container | - | COMMAND
container attach | 1 1 | [OPTIONS] CONTAINER
	+detach-keys:string +no-stdin +sig-proxy=true +ui
container commit | 1 2 | [OPTIONS] CONTAINER [REPOSITORY[:TAG]]
	+a/author:string +c/change:list +m/message:string +no-pause +~p/pause=true
container cp | 2 2 | [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-
	| wherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH
	+a/archive +L/follow-link +q/quiet
container create | 1 -1 | [OPTIONS] IMAGE [COMMAND] [ARG...]
	+add-host:list +annotation:map=map[] +a/attach:list +blkio-weight:uint16=0 +blkio-weight-device:list
	+cap-add:list +cap-drop:list +cgroup-parent:string +cgroupns:string +cidfile:string +~cpu-count:int64=0
	+~cpu-percent:int64=0 +cpu-period:int64=0 +cpu-quota:int64=0 +cpu-rt-period:int64=0
	+cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal +cpuset-cpus:string +cpuset-mems:string
	+device:list +device-cgroup-rule:list +device-read-bps:list +device-read-iops:list
	+device-write-bps:list +device-write-iops:list +dns:list +dns-option:list +dns-search:list
	+domainname:string +entrypoint:string +e/env:list +env-file:list +expose:list +gpus:gpu-request
	+group-add:list +health-cmd:string +health-interval:duration=0s +health-on-failure:string
	+health-retries:int=0 +health-start-interval:duration=0s +health-start-period:duration=0s
	+health-timeout:duration=0s +help +h/hostname:string +init +i/interactive +~io-maxbandwidth:bytes=0
	+~io-maxiops:uint64=0 +ip:ip=<nil> +ip6:ip=<nil> +ipc:string +isolation:string +l/label:list
	+label-file:list +link:list +link-local-ip:list +log-driver:string +log-opt:list +mac-address:string
	+m/memory:bytes=0 +memory-reservation:bytes=0 +memory-swap:bytes=0 +memory-swappiness:int64=-1
	+mount:mount +name:string +network:network +network-alias:list +no-healthcheck +oom-kill-disable
	+oom-score-adj:int=0 +pid:string +pids-limit:int64=0 +platform:string +privileged +p/publish:list
	+P/publish-all +pull:string=missing +q/quiet +read-only +restart:string=no +rm +runtime:string
	+security-opt:list +shm-size:bytes=0 +stop-signal:string +stop-timeout:int=0 +storage-opt:list
	+sysctl:map=map[] +tmpfs:list +t/tty +ulimit:ulimit use-api-socket +u/user:string +userns:string
	+uts:string +v/volume:list +volume-driver:string +volumes-from:list +w/workdir:string +~dns-opt:list
	+~net:network +~net-alias:list +~kernel-memory:bytes=0 +~disable-content-trust=true
container diff | 1 1 | CONTAINER
container exec | 2 -1 | [OPTIONS] CONTAINER COMMAND [ARG...]
	+d/detach +detach-keys:string +e/env:list +env-file:list +i/interactive +privileged +t/tty +ui
	+u/user:string +w/workdir:string
container export | 1 1 | [OPTIONS] CONTAINER
	+o/output:string
container inspect | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+f/format:string +s/size
container kill | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+s/signal:string
container logs | 1 1 | [OPTIONS] CONTAINER
	+details +f/follow +since:string +n/tail:string=all +t/timestamps +until:string
container ls | 0 0 | [OPTIONS]
	+a/all +f/filter:filter +format:string +n/last:int=-1 +l/latest +no-trunc +q/quiet +s/size
container pause | 1 -1 | CONTAINER [CONTAINER...]
container port | 1 2 | CONTAINER [PRIVATE_PORT[/PROTO]]
container prune | 0 0 | [OPTIONS]
	+filter:filter +f/force
container rename | 2 2 | CONTAINER NEW_NAME
container restart | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+s/signal:string +t/timeout:int=0 +~time:int=0
container rm | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+f/force +l/link +v/volumes
container run | 1 -1 | [OPTIONS] IMAGE [COMMAND] [ARG...]
	+add-host:list +annotation:map=map[] +a/attach:list +blkio-weight:uint16=0 +blkio-weight-device:list
	+cap-add:list +cap-drop:list +cgroup-parent:string +cgroupns:string +cidfile:string +~cpu-count:int64=0
	+~cpu-percent:int64=0 +cpu-period:int64=0 +cpu-quota:int64=0 +cpu-rt-period:int64=0
	+cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal +cpuset-cpus:string +cpuset-mems:string
	+d/detach +detach-keys:string +device:list +device-cgroup-rule:list +device-read-bps:list
	+device-read-iops:list +device-write-bps:list +device-write-iops:list +dns:list +dns-option:list
	+dns-search:list +domainname:string +entrypoint:string +e/env:list +env-file:list +expose:list
	+gpus:gpu-request +group-add:list +health-cmd:string +health-interval:duration=0s
	+health-on-failure:string +health-retries:int=0 +health-start-interval:duration=0s
	+health-start-period:duration=0s +health-timeout:duration=0s +help +h/hostname:string +init
	+i/interactive +~io-maxbandwidth:bytes=0 +~io-maxiops:uint64=0 +ip:ip=<nil> +ip6:ip=<nil> +ipc:string
	+isolation:string +l/label:list +label-file:list +link:list +link-local-ip:list +log-driver:string
	+log-opt:list +mac-address:string +m/memory:bytes=0 +memory-reservation:bytes=0 +memory-swap:bytes=0
	+memory-swappiness:int64=-1 +mount:mount +name:string +network:network +network-alias:list
	+no-healthcheck +oom-kill-disable +oom-score-adj:int=0 +pid:string +pids-limit:int64=0 +platform:string
	+privileged +p/publish:list +P/publish-all +pull:string=missing +q/quiet +read-only +restart:string=no
	+rm +runtime:string +security-opt:list +shm-size:bytes=0 +sig-proxy=true +stop-signal:string
	+stop-timeout:int=0 +storage-opt:list +sysctl:map=map[] +tmpfs:list +t/tty +ui +ulimit:ulimit
	use-api-socket +u/user:string +userns:string +uts:string +v/volume:list +volume-driver:string
	+volumes-from:list +w/workdir:string +~dns-opt:list +~net:network +~net-alias:list
	+~kernel-memory:bytes=0 +~disable-content-trust=true
container start | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+a/attach checkpoint:string checkpoint-dir:string +detach-keys:string +i/interactive
container stats | 0 -1 | [OPTIONS] [CONTAINER...]
	+a/all +format:string +no-stream +no-trunc
container stop | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	@container restart
container top | 1 -1 | CONTAINER [ps OPTIONS]
container unpause | 1 -1 | CONTAINER [CONTAINER...]
container update | 1 -1 | [OPTIONS] CONTAINER [CONTAINER...]
	+blkio-weight:uint16=0 +cpu-period:int64=0 +cpu-quota:int64=0 +cpu-rt-period:int64=0
	+cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal +cpuset-cpus:string +cpuset-mems:string
	+m/memory:bytes=0 +memory-reservation:bytes=0 +memory-swap:bytes=0 +pids-limit:int64=0 +publish-add:list
	+publish-rm:list +restart:string +~kernel-memory:bytes=0
container wait | 1 -1 | CONTAINER [CONTAINER...]
`;

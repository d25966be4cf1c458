import type {CommandRows} from './rows.ts';

export const containerCommands: CommandRows = {
	container: {usage: 'COMMAND'},
	'container attach': {
		usage: '[OPTIONS] CONTAINER',
		args: [1, 1],
		flags: '+detach-keys:string +no-stdin +sig-proxy=true +ui',
	},
	'container commit': {
		usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
		args: [1, 2],
		flags: '+a/author:string +c/change:list +m/message:string +no-pause +~p/pause=true',
	},
	'container cp': {
		usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\twherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
		args: [2, 2],
		flags: '+a/archive +L/follow-link +q/quiet',
	},
	'container create': {
		usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
		args: [1, -1],
		flags: `
		+add-host:list +annotation:map=map[] +a/attach:list +blkio-weight:uint16=0
		+blkio-weight-device:list +cap-add:list +cap-drop:list +cgroup-parent:string +cgroupns:string
		+cidfile:string +~cpu-count:int64=0 +~cpu-percent:int64=0 +cpu-period:int64=0 +cpu-quota:int64=0
		+cpu-rt-period:int64=0 +cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal
		+cpuset-cpus:string +cpuset-mems:string +device:list +device-cgroup-rule:list
		+device-read-bps:list +device-read-iops:list +device-write-bps:list +device-write-iops:list +dns:list
		+dns-option:list +dns-search:list +domainname:string +entrypoint:string +e/env:list +env-file:list
		+expose:list +gpus:gpu-request +group-add:list +health-cmd:string +health-interval:duration=0s +health-on-failure:string
		+health-retries:int=0 +health-start-interval:duration=0s +health-start-period:duration=0s
		+health-timeout:duration=0s +help +h/hostname:string +init +i/interactive +~io-maxbandwidth:bytes=0
		+~io-maxiops:uint64=0 +ip:ip=<nil> +ip6:ip=<nil> +ipc:string +isolation:string +l/label:list
		+label-file:list +link:list +link-local-ip:list +log-driver:string +log-opt:list
		+mac-address:string +m/memory:bytes=0 +memory-reservation:bytes=0 +memory-swap:bytes=0
		+memory-swappiness:int64=-1 +mount:mount +name:string +network:network +network-alias:list
		+no-healthcheck +oom-kill-disable +oom-score-adj:int=0 +pid:string +pids-limit:int64=0
		+platform:string +privileged +p/publish:list +P/publish-all +pull:string=missing +q/quiet
		+read-only +restart:string=no +rm +runtime:string +security-opt:list +shm-size:bytes=0
		+stop-signal:string +stop-timeout:int=0 +storage-opt:list +sysctl:map=map[] +tmpfs:list +t/tty
		+ulimit:ulimit use-api-socket +u/user:string +userns:string +uts:string +v/volume:list
		+volume-driver:string +volumes-from:list +w/workdir:string +~dns-opt:list +~net:network
		+~net-alias:list +~kernel-memory:bytes=0 +~disable-content-trust=true`,
	},
	'container diff': {usage: 'CONTAINER', args: [1, 1]},
	'container exec': {
		usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
		args: [2, -1],
		flags: `
		+d/detach +detach-keys:string +e/env:list +env-file:list +i/interactive +privileged +t/tty +ui
		+u/user:string +w/workdir:string`,
	},
	'container export': {usage: '[OPTIONS] CONTAINER', args: [1, 1], flags: '+o/output:string'},
	'container inspect': {
		usage: '[OPTIONS] CONTAINER [CONTAINER...]',
		args: [1, -1],
		flags: '+f/format:string +s/size',
	},
	'container kill': {usage: '[OPTIONS] CONTAINER [CONTAINER...]', args: [1, -1], flags: '+s/signal:string'},
	'container logs': {
		usage: '[OPTIONS] CONTAINER',
		args: [1, 1],
		flags: '+details +f/follow +since:string +n/tail:string=all +t/timestamps +until:string',
	},
	'container ls': {
		usage: '[OPTIONS]',
		args: [0, 0],
		flags: '+a/all +f/filter:filter +format:string +n/last:int=-1 +l/latest +no-trunc +q/quiet +s/size',
	},
	'container pause': {usage: 'CONTAINER [CONTAINER...]', args: [1, -1]},
	'container port': {usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]', args: [1, 2]},
	'container prune': {usage: '[OPTIONS]', args: [0, 0], flags: '+filter:filter +f/force'},
	'container rename': {usage: 'CONTAINER NEW_NAME', args: [2, 2]},
	'container restart': {
		usage: '[OPTIONS] CONTAINER [CONTAINER...]',
		args: [1, -1],
		flags: '+s/signal:string +t/timeout:int=0 +~time:int=0',
	},
	'container rm': {
		usage: '[OPTIONS] CONTAINER [CONTAINER...]',
		args: [1, -1],
		flags: '+f/force +l/link +v/volumes',
	},
	'container run': {
		usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
		args: [1, -1],
		flags: `
		+add-host:list +annotation:map=map[] +a/attach:list +blkio-weight:uint16=0
		+blkio-weight-device:list +cap-add:list +cap-drop:list +cgroup-parent:string +cgroupns:string
		+cidfile:string +~cpu-count:int64=0 +~cpu-percent:int64=0 +cpu-period:int64=0 +cpu-quota:int64=0
		+cpu-rt-period:int64=0 +cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal
		+cpuset-cpus:string +cpuset-mems:string +d/detach +detach-keys:string +device:list
		+device-cgroup-rule:list +device-read-bps:list +device-read-iops:list +device-write-bps:list
		+device-write-iops:list +dns:list +dns-option:list +dns-search:list +domainname:string
		+entrypoint:string +e/env:list +env-file:list +expose:list +gpus:gpu-request +group-add:list
		+health-cmd:string +health-interval:duration=0s +health-on-failure:string +health-retries:int=0
		+health-start-interval:duration=0s +health-start-period:duration=0s +health-timeout:duration=0s
		+help +h/hostname:string +init +i/interactive +~io-maxbandwidth:bytes=0 +~io-maxiops:uint64=0
		+ip:ip=<nil> +ip6:ip=<nil> +ipc:string +isolation:string +l/label:list +label-file:list +link:list
		+link-local-ip:list +log-driver:string +log-opt:list +mac-address:string +m/memory:bytes=0
		+memory-reservation:bytes=0 +memory-swap:bytes=0 +memory-swappiness:int64=-1 +mount:mount
		+name:string +network:network +network-alias:list +no-healthcheck +oom-kill-disable
		+oom-score-adj:int=0 +pid:string +pids-limit:int64=0 +platform:string +privileged +p/publish:list
		+P/publish-all +pull:string=missing +q/quiet +read-only +restart:string=no +rm +runtime:string
		+security-opt:list +shm-size:bytes=0 +sig-proxy=true +stop-signal:string +stop-timeout:int=0
		+storage-opt:list +sysctl:map=map[] +tmpfs:list +t/tty +ui +ulimit:ulimit use-api-socket
		+u/user:string +userns:string +uts:string +v/volume:list +volume-driver:string +volumes-from:list
		+w/workdir:string +~dns-opt:list +~net:network +~net-alias:list +~kernel-memory:bytes=0
		+~disable-content-trust=true`,
	},
	'container start': {
		usage: '[OPTIONS] CONTAINER [CONTAINER...]',
		args: [1, -1],
		flags: '+a/attach checkpoint:string checkpoint-dir:string +detach-keys:string +i/interactive',
	},
	'container stats': {
		usage: '[OPTIONS] [CONTAINER...]',
		args: [0, -1],
		flags: '+a/all +format:string +no-stream +no-trunc',
	},
	'container stop': {usage: '[OPTIONS] CONTAINER [CONTAINER...]', args: [1, -1], flags: '@container restart'},
	'container top': {usage: 'CONTAINER [ps OPTIONS]', args: [1, -1]},
	'container unpause': {usage: 'CONTAINER [CONTAINER...]', args: [1, -1]},
	'container update': {
		usage: '[OPTIONS] CONTAINER [CONTAINER...]',
		args: [1, -1],
		flags: `
		+blkio-weight:uint16=0 +cpu-period:int64=0 +cpu-quota:int64=0 +cpu-rt-period:int64=0
		+cpu-rt-runtime:int64=0 +c/cpu-shares:int64=0 +cpus:decimal +cpuset-cpus:string +cpuset-mems:string
		+m/memory:bytes=0 +memory-reservation:bytes=0 +memory-swap:bytes=0 +pids-limit:int64=0
		+publish-add:list +publish-rm:list +restart:string +~kernel-memory:bytes=0`,
	},
	'container wait': {usage: 'CONTAINER [CONTAINER...]', args: [1, -1]},
};

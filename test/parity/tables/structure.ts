import {lines, type Table} from '../table.ts';

/** What docker 20.10 has no more, what newer docker has since then, and one field that containerd's stores have. */
const newer = [
	...['KernelMemory', 'KernelMemoryTCP', 'ContainerConfig', 'Container', 'DockerVersion'],
	...['DNSNames', 'GwPriority', 'EnableIPv4', 'HealthStatus', 'GraphDriver.Data.ID'],
]
	.map((path) => `-${path}`)
	.join(' ');

/**
 * Values that are each engine's own: paths and processes; the list of masked paths, which got longer; what newer
 * docker's daemon writes for the default network; names of a container that newer docker keeps in DNSNames; binds, which docker has in any order; what
 * newer docker's commit leaves out of an image.
 */
const own = [
	...[
		'LowerDir',
		'MergedDir',
		'UpperDir',
		'WorkDir',
		'HostnamePath',
		'HostsPath',
		'LogPath',
		'ResolvConfPath',
	],
	...['SandboxKey', 'SandboxID', 'State.Pid', 'Mounts', 'HostConfig.Runtime', 'network.bridge.name'],
	...['MaskedPaths', 'HostConfig.NetworkMode', 'net.Aliases', 'Subnet', 'Containers', 'HostConfig.Binds'],
	...['Config.Hostname', 'Config.Image', 'Config.AttachStdout', 'Config.AttachStderr'],
]
	.map((path) => `-${path}`)
	.join(' ');

const texts = (text: TemplateStringsArray): string[] =>
	lines(text).map((line) => line.replace('@newer', newer));

const everything = [
	'-e A=1 -l a=b -h host --domainname dom -u 1:2 -w /tmp --entrypoint sleep --stop-signal INT --stop-timeout 5',
	'-p 127.0.0.1:18200:80 -p 18201:81/udp --expose 90 -m 64m --memory-swap 128m --memory-reservation 32m --cpus 0.5',
	'-c 512 --cpuset-cpus 0 --pids-limit 50 --ulimit nofile=100:200 --oom-score-adj 100 --shm-size 2m --init',
	'--cap-add SYS_PTRACE --cap-drop MKNOD --security-opt no-new-privileges --group-add 44 --read-only',
	'--tmpfs /t:size=1m -v /anon -v vol:/vol:ro -v /usr:/host --mount type=volume,src=vol,dst=/m,readonly',
	'--mount type=tmpfs,dst=/mt,tmpfs-size=1m --device /dev/null:/dev/mine --device-cgroup-rule "c 1:3 rwm"',
	'--sysctl net.ipv4.ip_default_ttl=33 --dns 8.8.8.8 --dns-search example.org --dns-option ndots:3',
	'--add-host x:1.2.3.4 --log-opt max-size=1m --restart on-failure:3 --health-cmd true --health-interval 1h',
	'--network net --network-alias al --ip 10.99.7.9 --device-read-bps /dev/vda:1m --label-file labels',
].join(' ');

/** The structure of what inspect says: every key, and of which type its value is. */
export const structure: Table = {
	name: 'inspect: the structure, key by key',
	setup: `
echo 'from=file' > labels
docker volume create vol; docker volume create --label a=b --label c --opt type=tmpfs --opt device=tmpfs --opt o=size=1m opts
docker network create --subnet 10.99.7.0/24 --gateway 10.99.7.1 --ip-range 10.99.7.0/25 --aux-address r=10.99.7.3 --label a=b -o x=y net
docker network create plain
docker create --name new busybox true
docker run --name done --network none busybox sh -c 'exit 3' || true
docker run -d --name up busybox sleep 1000
docker run -d --name host --network host --pid host --ipc host --uts host busybox sleep 1000
docker run -d --name joined --network container:up --volumes-from done busybox sleep 1000
docker run -d --name linked --link up:alias busybox sleep 1000
docker run -d --name all ${everything} busybox 1000
docker run -d --name paused --network none busybox sleep 1000; docker pause paused
docker run -d --name health --network none --health-cmd 'echo well' --health-interval 1s busybox sleep 1000
while [ $(docker inspect -f '{{.State.Health.Status}}' health) != healthy ]; do sleep 0.1; done
docker commit -c 'HEALTHCHECK --interval=1s CMD true' -c 'ENV a=b' -c 'EXPOSE 80' -c 'VOLUME /v' -c 'LABEL l=m' -c 'ONBUILD RUN true' -c 'USER x' -c 'WORKDIR /w' -c 'ENTRYPOINT ["a"]' -a me -m why new full:1`,
	pairs: [
		...'new done up host joined linked all paused health'
			.split(' ')
			.flatMap((name) => [
				`docker inspect ${name} | shape ${newer}`,
				`docker inspect ${name} | shape values ${newer} ${own}`,
			]),
		...'busybox parity/app:1 parity/user:1 full:1'
			.split(' ')
			.flatMap((name) => [
				`docker image inspect ${name} | shape ${newer}`,
				`docker image inspect ${name} | shape values ${newer} ${own}`,
			]),
		...'bridge host none net plain'
			.split(' ')
			.flatMap((name) => [
				`docker network inspect ${name} | shape ${newer}`,
				`docker network inspect ${name} | shape values ${newer} ${own}`,
			]),
		...'vol opts'
			.split(' ')
			.flatMap((name) => [
				`docker volume inspect ${name} | shape`,
				`docker volume inspect ${name} | shape values -Mountpoint`,
			]),
		...texts`
		docker inspect -s new | shape @newer
		docker inspect -s up | shape | grep Size
		docker network inspect -v plain | shape @newer
		docker ps -a --format json | shape @newer
		docker ps -a --format json | shape values @newer -Mounts -CreatedAt -RunningFor -Status
		docker images --format json | shape
		docker network ls --format json | shape
		docker volume ls --format json | shape
		docker system df --format json | shape
		docker stats --no-stream --format json | shape
		docker history --format json full:1 | shape
		docker version --format json | shape -BuildTime -GitCommit -GoVersion -NodeVersion
		docker info --format json | shape @newer -BuildTime -GitCommit -GoVersion -DefaultAPIVersion -Expected -Runtimes -Warnings -CDISpecDirs
		docker events --since 1h --until 0s --format json -f container=health -f event=create | tail -1 | shape
		docker events --since 1h --until 0s --format json -f type=network | tail -1 | shape
		docker events --since 1h --until 0s --format json -f type=volume | tail -1 | shape
		docker events --since 1h --until 0s --format json -f type=image -f event=tag | tail -1 | shape
		docker inspect new | head -c 18
		docker inspect up done | grep -c '^    }'
		docker volume inspect vol | sed 's/"Mountpoint.*/M/; s/"CreatedAt.*/C/'
		docker network inspect host | sed 's/"Created".*/C/' | grep -v EnableIPv4
		docker inspect nothing
	`,
	],
};

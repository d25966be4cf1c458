import {lines, type Table} from '../table.ts';

/** Values of flags and arguments that are none: truth values, numbers, lengths of time, names, addresses, filters. */
export const values: Table = {
	name: 'usage: values',
	recorded: true,
	pairs: [
		...lines`
		docker ps --all=2
		docker ps -qa=yes
		docker ps --last 1.5
		docker ps --last=
		docker ps --no-trunc=
		docker images --digests=no
		docker run --rm=01 busybox
		docker run -d=x busybox
		docker run --init=2 busybox
		docker run --cpu-shares 1.5 busybox
		docker run --cpu-shares 99999999999999999999 busybox
		docker run --cpu-period x busybox
		docker run --cpu-quota '' busybox
		docker run --memory 5x busybox
		docker run --memory 1.2.3 busybox
		docker run --memory '' busybox
		docker run --memory-swap x busybox
		docker run --memory-swappiness x busybox
		docker run --blkio-weight -1 busybox
		docker run --blkio-weight 65536 busybox
		docker run --oom-score-adj 1e3 busybox
		docker run --pids-limit 1.5 busybox
		docker run --stop-timeout 1s busybox
		docker run --health-retries x busybox
		docker run --health-interval 5 busybox
		docker run --health-timeout 5x busybox
		docker run --health-start-period '' busybox
		docker run --cpus 1,5 busybox
		docker run --cpus '' busybox
		docker run --ulimit '' busybox
		docker run --ulimit nofile=1:2:3 busybox
		docker run --ulimit nofile= busybox
		docker run --device '' busybox
		docker run --device /dev/null:/x:rwx busybox
		docker run --device-read-bps /dev/null busybox
		docker run --device-read-bps /dev/null:-1 busybox
		docker run --device-write-bps null:1 busybox
		docker run --device-read-iops /dev/null:-1 busybox
		docker run --blkio-weight-device /dev/null:5 busybox
		docker run --blkio-weight-device /dev/null:x busybox
		docker run --add-host '' busybox
		docker run --add-host a= busybox
		docker run --dns 300.1.1.1 busybox
		docker run --dns-search 'a b' busybox
		docker run --dns-search -x busybox
		docker run --mac-address 1:2:3 busybox
		docker run --attach x busybox
		docker run -a stdin,stdout busybox
		docker run --env '' busybox
		docker run --env =x busybox
		docker run --label '' busybox
		docker run --label =x busybox
		docker run --env-file /nowhere busybox
		docker run --label-file /nowhere busybox
		docker run --publish '' busybox
		docker run --publish 1-3:1-2 busybox
		docker run --publish :80: busybox
		docker run --publish 80/x busybox
		docker run --expose '' busybox
		docker run --expose 80/x busybox
		docker run --mount type=bind busybox
		docker run --mount type=volume,src=x busybox
		docker run --mount target busybox
		docker run --mount type=tmpfs,dst=/x,tmpfs-size=x busybox
		docker run --mount type=tmpfs,dst=/x,tmpfs-mode=9 busybox
		docker run --log-opt x busybox
		docker run --storage-opt =x busybox
		docker run --sysctl =x busybox
		docker run --security-opt '' busybox
		docker run --restart '' --rm busybox true
		docker run --restart on-failure:99999999999999999999 busybox
		docker run --restart unless-stopped:1 busybox
		docker run --restart no:1 busybox
		docker run --pull '' --rm busybox true
		docker run --volume a:b:c:d:e busybox
		docker run --rm --restart on-failure busybox
		docker run --health-cmd x --no-healthcheck busybox
		docker create --pid container: busybox
		docker create --network container: --rm busybox
		docker create --uts container:x busybox
		docker create --userns container:x busybox
		docker exec -e '' x true
		docker exec --env-file /nowhere x true
		docker exec -it=x x true
		docker exec --privileged=x x true
		docker stop -t 1.5 x
		docker stop -t '' x
		docker stop --timeout 99999999999999999999 x
		docker restart -t 5s x
		docker kill -s
		docker logs --tail 1.5 nowhere
		docker logs -f=x nowhere
		docker logs -t=x nowhere
		docker rm -f=x nowhere
		docker rm -v=x nowhere
		docker stats --no-stream=x
		docker update --cpus x nowhere
		docker update --memory x nowhere
		docker update --cpu-shares x nowhere
		docker update --pids-limit x nowhere
		docker update --blkio-weight x nowhere
		docker update --restart x nowhere
		docker update --restart always:1 nowhere
		docker update nowhere
		docker commit --pause=x nowhere
		docker cp -a=x a b
		docker cp a b
		docker cp a: b:
		docker cp nowhere x
		docker search --limit x y
		docker search --limit 0 y
		docker search --limit 101 y
		docker search --limit -1 y
		docker search -f stars=x y
		docker search -f is-official=x y
		docker search -f nonsense=1 y
		docker search -f nonsense y
		docker events --since x
		docker events --until 2001-13-01
		docker events --format '{{' --until 0s
		docker network create --subnet 1.2.3 x
		docker network create --subnet 10.99.9.0/33 x
		docker network create --opt =x --opt x x
		docker network create --label '' x
		docker network create --internal=x x
		docker network create --ipv6=x x
		docker network create --subnet 10.99.9.0/24 --subnet 10.99.9.0/24 x
		docker network create /x
		docker network create -x
		docker network create x:y
		docker network create 'a b'
		docker network disconnect -f=x a b
		docker network ls --no-trunc=x
		docker network ls -f type=x
		docker network ls -f =x
		docker network ls -f dangling=x
		docker volume create --label '' x
		docker volume create -o x y
		docker volume create -o =x y
		docker volume create .
		docker volume create -- -x
		docker volume create /x
		docker volume create x:y
		docker volume create --name x y
		docker volume ls -f dangling=x
		docker volume ls -f =x
		docker volume prune --all=x
		docker volume prune -f --filter x
		docker volume rm --force=x y
		docker image prune -a=x
		docker image prune -f --filter until=x
		docker image prune -f --filter x
		docker container prune -f --filter until=
		docker container prune -f --filter label
		docker network prune -f --filter until=x
		docker system prune -f --filter until=x
		docker system prune -f --filter x
		docker system prune --all=x
		docker system df --verbose=x
		docker history --human=x y
		docker history --no-trunc=x y
		docker inspect --size=x y
		docker inspect --type '' nowhere
		docker inspect --type Container nowhere
		docker load -q=x
		docker load -i /nowhere
		docker save -o / busybox
		docker import /nowhere
		docker import http://127.0.0.1:1/x
		docker pull -q=x y
		docker pull ''
		docker pull :x
		docker pull a:
		docker pull a@b
		docker pull a/../b
		docker pull -a a:x
		docker pull https://a/b
		docker push -a a:x
		docker push ''
		docker push a@sha256:$(printf 'a%.0s' $(seq 1 64))
		docker tag busybox a@sha256:$(printf 'a%.0s' $(seq 1 64))
		docker tag busybox :x
		docker tag busybox a:
		docker tag busybox a//b
		docker tag busybox -- a -b
		docker tag busybox a:.b
		docker tag busybox a:$(printf 'a%.0s' $(seq 1 129))
		docker rmi :x
		docker rmi a:
		docker rmi -f=x y
		docker rmi --no-prune=x y
		docker login --password x 127.0.0.1:1
		docker login -u x -p y --password-stdin 127.0.0.1:1
		docker login --password-stdin 127.0.0.1:1
		docker login -u x -p y 127.0.0.1:1/path < /dev/null > /dev/null 2>&1
		docker rename nothing ''
		docker rename nothing -- -b
		docker wait ''
		docker rm ''
		docker stop ''
		docker start ''
		docker inspect ''
		docker logs ''
		docker top ''
		docker port ''
		docker exec '' true
		docker volume inspect ''
		docker volume rm ''
		docker network inspect ''
		docker network rm ''
		docker save ''
		docker run ' '
		docker run /x
		docker run a/b/
		docker run -- --x
		docker run --name=-x busybox
		docker run --name .x busybox
		docker run --name a/b busybox
		docker run --name x --hostname "$(printf 'a%.0s' $(seq 1 300))" --rm busybox true
		docker run --workdir '' --rm busybox pwd
		docker run --workdir rel --rm busybox pwd
		docker run --user '' --rm busybox id -u
		docker run --user -1 --rm busybox id
		docker run --cap-add '' --rm busybox true
		docker run --cgroup-parent '' --rm busybox true
		docker run --ipc '' --rm busybox true
		docker run --pid '' --rm busybox true
		docker run --uts '' --rm busybox true
		docker run --network '' --rm busybox true
		docker run --runtime '' --rm busybox true
		docker run --stop-signal '' --rm busybox true
		docker run --tmpfs '' --rm busybox true
		docker run --entrypoint '' --rm busybox true
		docker --host
		docker --config
		docker --log-level
		docker --tlscacert
		docker --context
		docker container ls nonsense
		docker volume nonsense x
		docker ps --format
		docker --nonsense
		docker -Dx ps
	`,
		{
			line: 'docker run --ulimit nofile=-2 busybox',
			because: "the message is runc's",
			anyError: true,
		},
		{
			line: 'docker run --ip x busybox',
			because: 'the client says it, and has no prefix',
			stderr: 'docker: invalid IPv4 address: x',
		},
		{
			line: 'docker run --link : busybox',
			because: 'its form is looked at before anything is looked for',
			stderr: 'docker: Error: bad format for links: :',
		},
		{
			line: 'docker run --link nothing: busybox',
			because: 'its form is looked at before anything is looked for',
			stderr: 'docker: Error: bad format for links: nothing:',
		},
		{
			line: 'docker run --gpus device= busybox',
			because: 'it says where it has looked',
			stderr:
				/^docker: Error: could not select device driver "" with capabilities: \[\[gpu\]\]: there is no CDI/,
		},
		{
			line: 'docker create --ipc container: busybox',
			because: 'a mode that names no container can never start',
			code: 1,
			stdout: '',
			stderr: 'Error: invalid IPC mode: container:',
		},
		{
			line: "docker network create --subnet '' x",
			because: 'a network that asks for a subnet gets it, or is not made',
			code: 1,
			stdout: '',
			stderr: 'Error: invalid network config:\ninvalid subnet : invalid CIDR block notation',
		},
		{
			line: 'docker network create --gateway x --subnet 10.99.9.0/24 x',
			because: "newer docker's flag is an address",
			code: 125,
			stderr: 'invalid argument "x" for "--gateway" flag: invalid string being converted to IP address: x',
		},
		{
			line: 'docker network create --ip-range x --subnet 10.99.9.0/24 x',
			because: "newer docker's flag is a subnet",
			code: 125,
			stderr: 'invalid argument "x" for "--ip-range" flag: invalid string being converted to CIDR: x',
		},
		{
			line: 'docker network create --aux-address x --subnet 10.99.9.0/24 x',
			because: 'what is no address is said to be none',
			stderr: 'Error: invalid auxiliary address:',
		},
		{
			line: 'docker network create --aux-address a=b --subnet 10.99.9.0/24 x',
			because: 'what is no address is said to be none',
			stderr: 'Error: invalid auxiliary address: b',
		},
		{
			line: 'docker network connect --ip x y z',
			because: "newer docker's client says it",
			stderr: 'invalid IPv4 address: x',
		},
		{
			line: 'docker network connect --ip6 x y z',
			because: "newer docker's client says it",
			stderr: 'invalid IPv6 address: x',
		},
		'docker network connect --link x y z',
		{
			line: 'docker image prune -f --filter dangling=x',
			because: 'newer docker looks at it',
			code: 1,
			stdout: '',
			stderr: "Error: invalid filter 'dangling=[x]'",
		},
		{
			line: 'docker load -i /',
			because: 'there is no connection that it could break',
			stderr: 'read /: is a directory',
		},
		{
			line: 'docker import /nowhere a:b:c',
			because: 'the name is looked at before the file is opened',
			stderr: 'invalid reference format',
		},
		{
			line: 'docker pull --platform x y',
			because: "newer docker's client looks at it",
			stdout: '',
			stderr:
				'error parsing specified platform: "x": unknown operating system or architecture: invalid argument',
		},
		{
			line: "docker rmi ''",
			because: "docker's client asks for a page that is not there",
			stderr: 'Error: image name cannot be blank',
		},
		{
			line: "docker history ''",
			because: "docker's client asks for a page that is not there",
			stderr: 'Error: invalid reference format',
		},
		{
			line: "docker image inspect ''",
			because: 'it says why there is none',
			stderr: 'Error: invalid reference format',
		},
		{
			line: 'docker run --name x busybox:',
			because: 'names are looked at before an image, which might have to be pulled',
			stderr: 'docker: Error: Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
		},
		"docker run --hostname 'a b' --rm busybox true",
		{
			line: 'docker run --user 1:2:3 --rm busybox id',
			because: 'docker leaves the third away',
			code: 125,
			stdout: '',
			stderr: 'docker: Error: unable to find group 2:3: no matching entries in group file',
		},
		{
			line: 'docker run --cap-add ALL --cap-drop all --rm busybox grep CapEff /proc/self/status',
			because: "what the host doesn't have can't be given; docker fails where it lacks one",
			code: 0,
			stdout: /^CapEff:\t[0-9a-f]{16}\n$/,
			stderr: '',
		},
		{
			line: 'docker run --stop-signal 999 --rm busybox true',
			because: 'a container that could never be stopped with it',
			code: 125,
			stderr: 'docker: Error: the linux daemon does not support signal 999',
		},
		{
			line: 'docker -H x://y ps',
			because: 'there is no daemon',
			code: 125,
			stderr:
				'docker: --host is not supported: it says where a daemon listens; the engine runs inside this process, there is no daemon',
		},
		{
			line: "docker -H '' ps -qf name=nothing",
			because: 'there is no daemon',
			code: 125,
			stderr:
				'docker: --host is not supported: it says where a daemon listens; the engine runs inside this process, there is no daemon',
		},
		{
			line: 'docker image nonsense --help',
			because: 'what is no command has no help',
			code: 1,
			stdout: '',
			stderr: 'docker: unknown command: docker image nonsense',
		},
	],
};

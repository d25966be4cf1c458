/** What is refused, or is not: where, in which words, and what is left of it. */
import {lines, type Table} from '../table.ts';

export const startRefusals: Table = {
	name: 'refused at create and at start',
	recorded: true,
	pairs: [
		...lines`
		docker create -w /etc/passwd busybox true
		docker create -w /bin/sh busybox true
		docker create -w /etc/new/folder busybox true | wc -c
		docker create --log-driver nonsense busybox true
		docker run -d --name p1 -p 8099:80 busybox sleep 1000 | wc -c
		docker run -d --name p2 -p 8099:80 busybox true
		docker inspect -f '{{.State.ExitCode}} {{.State.Status}}' p2; docker inspect -f '{{.State.Error}}' p2 | sed 's/.*: driver/driver/'
		docker rm -f p1; docker start p2; docker wait p2; docker inspect -f '{{.State.ExitCode}} [{{.State.Error}}] {{.State.Status}}' p2
		docker run -d --name r1 -p 8200-8201:80 busybox sleep 1000 | wc -c
		docker run -d --name r2 -p 8200-8201:80 busybox sleep 1000 | wc -c
		docker run -d --name r3 -p 8200-8201:80 busybox sleep 1000
		docker rm -f r1 r2; docker start r3; docker port r3 | head -1
		docker create --name blank -h 'a b' busybox | wc -c; docker inspect -f '{{.Config.Hostname}}' blank
		echo '{' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{a:1}' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{"a" 1}' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{"a":1 "b"}' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '[1 2]' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{} x' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{"a":"b' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{"a":-}' > p.json; docker create --security-opt seccomp=p.json busybox
		echo '{"a":"\x"}' > p.json; docker create --security-opt seccomp=p.json busybox
		echo > p.json; docker create --security-opt seccomp=p.json busybox
		echo '[]' > p.json; docker run -d --security-opt seccomp=p.json busybox
		echo '{}' > p.json; docker run --rm --security-opt seccomp=p.json busybox grep Seccomp: /proc/self/status
		echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","names":["x"],"action":"SCMP_ACT_ERRNO"}]}' > p.json; docker run -d --security-opt seccomp=p.json busybox
		echo '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}' > p.json; docker run -d --security-opt seccomp=p.json busybox
		mkdir cfg; echo x > cfg/config.json; docker --config $PWD/cfg pull -q localhost:1/x
		docker --config $PWD/cfg ps -f name=nothing
		echo '{' > cfg/config.json; docker --config $PWD/cfg ps -f name=nothing
		: > cfg/config.json; docker --config cfg ps -f name=nothing
		docker events --since 1 --until 2 -f nonsense=1
		docker info | grep -oE '^ (containerd|runc) version: '
		docker create --name bad busybox nosuch > /dev/null; docker restart bad 2>&1 | grep -o 'Cannot restart container bad: failed to create'
		docker logout nosuch
		docker network create --subnet 10.99.6.0/24 --subnet 10.99.7.0/24 twice
		echo '{"proxies":{"default":{"httpProxy":"http://p:1","noProxy":"a,b","allProxy":"","nonsense":"x"}}}' > cfg/config.json; http_proxy=mine docker --config cfg run --rm -e http_proxy busybox env | grep -i proxy | sort
		docker --config cfg create --name proxied busybox > /dev/null; docker inspect -f '{{json .Config.Env}}' proxied | tr ',' '\n' | grep -ic proxy
		docker version | grep -oE '^ (Go version|Git commit|OS/Arch):'
	`,
		{
			line: 'docker create -w /etc/passwd/x busybox true',
			because: 'it names what is in the way, and no folder of its own',
			stderr: 'Error: mkdir /etc/passwd: not a directory',
		},
	],
};

export const imageChildren: Table = {
	name: 'images that others were made from',
	recorded: true,
	setup: `
docker create --name c1 busybox sleep 1000; docker commit c1 base1 > id; docker tag base1 base2
docker create --name c2 base1 true; docker commit c2 child1 > child; docker rm c1 c2`,
	pairs: lines`
		docker rmi $(cat id)
		docker rmi -f $(cat id)
		docker rmi base1 base2
		docker images --format '{{.Repository}}'
		docker images -a --format '{{.Repository}}' | sort
		docker images -q -f dangling=true
		docker image prune -f | tail -1
		docker rmi $(cat id)
		docker inspect -f '{{.Parent}}' $(cat child) | cmp - id
		docker tag $(cat id) back; docker rmi back
		docker tag child1 child2; docker rmi child1; docker rmi $(cat id)
		docker create --name user $(cat id) > /dev/null; docker rmi child2; docker rm user; docker images -a --format '{{.Repository}}'
		docker rmi $(cat id)
		docker create --name c1 busybox > /dev/null; docker commit c1 base > id; docker rm c1
		docker create --name c2 base > /dev/null; docker commit c2 child > /dev/null; docker rm c2; docker rmi base
		docker rmi --no-prune child; docker images -a --format '{{.Repository}}'
		docker images --format '{{.Repository}}'; docker image prune -f | grep -c deleted
		docker run -d --name up busybox sleep 1000 | wc -c; sleep 1.1; s=$(date +%s); docker commit up made > /dev/null; docker commit -p=false up > /dev/null; docker events --since $s --until $(($(date +%s) + 1)) -f event=pause -f event=unpause -f event=tag -f event=commit --format '{{.Type}} {{.Action}}'
	`,
};

export const packedArchives: Table = {
	name: 'archives in xz and bzip2',
	recorded: true,
	setup: `
docker create --name cc busybox true
docker export cc > c.tar; xz -k0 c.tar; bzip2 -k1 c.tar
docker save -o s.tar busybox; xz -k0 s.tar; bzip2 -k1 s.tar; head -c 100000 s.tar.xz > cut.xz`,
	pairs: [
		...lines`
		docker import c.tar.xz fromxz | wc -c; docker run --rm fromxz /bin/echo xz
		docker import - < c.tar.bz2 | wc -c
		docker load -i s.tar.xz
		docker load < s.tar.bz2
	`,
		{
			line: 'docker load -i cut.xz',
			because: 'it says which data',
			stderr: "Error: the archive can't be read: unexpected end of the xz data",
		},
	],
};

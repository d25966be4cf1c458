import {lines, type Table} from '../table.ts';

/** What suites that were written for docker and podman ask, and what no other table has. */
export const suiteRuns: Table = {
	name: 'as other suites ask: run and create',
	setup: 'docker run -d --name parent busybox top',
	recorded: true,
	pairs: [
		{
			line: 'docker run --rm --mac-address 92:d0:c6:0a:29:33 --net=container:parent busybox',
			because: "newer docker's client does not do it with the old daemon",
			stderr: 'docker: Error: conflicting options: mac-address and the network mode',
		},
		{
			line: 'docker run --rm -e PATH= busybox ls /',
			because: "the words around it are runc's",
			anyError: true,
		},
		{
			line: 'docker run --rm -v x:/y busybox true',
			because: "docker's client takes it for a path of Windows, and makes a volume at that path",
			code: 125,
			stderr:
				'docker: Error: create x: volume name is too short, names should be at least two alphanumeric characters',
		},
		{
			line: 'docker run --rm --uts=host --domainname=example.com busybox hostname',
			because: 'the words are those of runc',
			anyError: true,
		},
		...lines`
		docker run --rm --tmpfs /dev/shm:rw,exec,size=1m busybox grep /dev/shm /proc/mounts
		mkdir shm; docker run --rm -v $PWD/shm:/dev/shm busybox grep -c /dev/shm /proc/mounts
		docker run --name rotated --log-opt max-size=2k --log-opt max-file=2 busybox seq 500 > /dev/null; ls $(dirname $(docker inspect -f '{{.LogPath}}' rotated)) | grep -c json.log; docker rm rotated
		docker run --rm --dns 1.2.3.4 --net=container:parent busybox
		docker run --rm --add-host test:192.168.2.109 --net=container:parent busybox
		docker run --rm --expose 80 --net=container:parent busybox
		docker run --rm --volumes-from parent:bar busybox true
		docker run --rm -v /tmp/a:/x -v /tmp/b:/x busybox true
		docker run --rm -v tmp:relative busybox true
		docker run --rm -w /bin/cat busybox
		docker run --rm --cap-drop CHPASS busybox ls
		docker run --rm --cap-drop=ALL --cap-add=MKNOD busybox sh -c 'mknod /tmp/sda b 8 0; echo $?'
		docker run --rm --device /dev/zero:/dev/nulo:xyz busybox true
		docker run --rm -m 16m --memory-swap 15m busybox true
		docker run --rm --ipc=container:nobody busybox true
		docker run --rm --uts=host -h x busybox true
		docker run --rm --tmpfs /tmp:rw,size=8192k,exec,size=4096k,noexec busybox sh -c "mount | grep 'tmpfs on /tmp'"
		docker run --rm --tmpfs /tmp:shared busybox sh -c "grep ' /tmp ' /proc/self/mountinfo | grep -o shared"
		docker run --rm --tmpfs /tmp:rslave busybox sh -c "grep ' /tmp ' /proc/self/mountinfo | grep -oE 'shared|master'"
		docker run --rm --tmpfs /tmp:unbindable busybox sh -c "grep ' /tmp ' /proc/self/mountinfo | grep -o unbindable"
		docker run --rm --tmpfs /run -v /run:/run busybox true
		docker run --rm --cpu-shares -1 busybox echo test 2>&1 | grep -o 'invalid argument'
		docker run --rm --sysctl kernel.foobar=1 busybox true
		docker run --name oom -m 8m busybox sh -c 'x=a; while true; do x=$x$x$x$x; done'; docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom
		docker run --rm busybox ls -l /etc/mtab | sed 's/.*mtab/mtab/'
		docker create --name made busybox > /dev/null; docker cp made:/etc/mtab - | tar tv | sed 's/.*mtab/mtab/'; docker export made | tar t | grep -c etc/mtab
		docker run --name ran busybox true; docker diff ran
		docker create --name p1 -p 7001:80 -p 7001:81 busybox true | wc -c; docker start p1; docker ps -a -f name=p1 --format '{{.Status}}'
		docker run -d --name p2 -p 7002:80 -p 7002:80 busybox true; docker inspect -f '{{.State.ExitCode}} {{.State.Status}}' p2
		docker run --rm --name p3 -p 7004-7005:80-81 -p 7005:82 busybox true; docker ps -aqf name=p3
		docker run --rm -p 7004:80 -p 7004:80/udp busybox true
		docker top parent -C nosuch
		docker top parent -p 1
		docker top parent -o pid,cmd -q 99999999
		docker version > /dev/full
		docker export parent > /dev/full
		docker cp parent:/etc - > /dev/full
		docker save busybox > /dev/full
		docker run -d --name tight --mount type=volume,src=tight,dst=/f,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=64k busybox top | wc -c; head -c 1000000 /dev/zero > big; docker cp big tight:/f; tar c big | docker cp - tight:/f; docker rm -fv tight; docker volume rm tight
		docker run --rm -v z: busybox true
		docker run --rm -e PATH= busybox /bin/true
		docker run --rm busybox echo hi > /dev/full
		docker create -it --name job busybox sh -c 'sleep 1; exit 4' | wc -c; docker start -ai job < /dev/null
		docker exec -it parent true < /dev/null
		docker run --rm --link parent:a --link parent:b busybox grep -cE ' a | b ' /etc/hosts
		docker run --rm busybox sh -c 'exit 300'
		docker run --rm -w /etc/../tmp busybox pwd
		docker run --rm -l a -l b= -l c=d=e --label-file /dev/null busybox true
	`,
	],
};

import {lines, type Table} from '../table.ts';

export const mounts: Table = {
	name: 'run: mounts',
	setup: 'mkdir host; echo from-host > host/file; docker volume create kept',
	pairs: [
		...lines`
		docker run --rm -v $PWD/host:/data busybox cat /data/file
		docker run --rm -v $PWD/host:/data:ro busybox touch /data/x
		docker run --rm -v $PWD/host/file:/f busybox cat /f
		docker run --rm -v $PWD/made:/data busybox true; ls -d made
		docker run --rm -v kept:/data busybox sh -c 'echo in-volume > /data/v'; docker run --rm -v kept:/x:ro busybox cat /x/v
		docker run --rm -v kept:/data:nonsense busybox true
		docker run --rm -v kept:relative busybox true
		docker run --rm -v kept:/ busybox true
		docker run --rm -v relative/path:/x busybox true
		docker run --rm -v :/x busybox true
		docker run --rm -v '' busybox true
		docker run --rm -v a:b:c:d busybox true
		docker run --rm -v xx:/y -v zz:/y busybox true
		docker run --rm -v /etc busybox sh -c 'ls /etc | sort | head -3'
		docker run --name anonymous -v /anon busybox true; docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Driver}} {{.Mode}} {{.Propagation}}{{end}}' anonymous; docker rm -v anonymous; docker volume ls -q | grep -cE '^[0-9a-f]{64}$'
		docker run --name bb -v $PWD/host:/data:ro busybox true; docker inspect -f '{{json .Mounts}} {{json .HostConfig.Binds}}' bb; docker rm bb
		docker run --name vv -v kept:/data busybox true; docker inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}}' vv; docker rm vv
		docker run --name mm --mount type=volume,src=kept,dst=/data,readonly busybox true; docker inspect -f '{{json .HostConfig.Mounts}}' mm; docker rm mm
		docker run --rm --mount type=bind,src=$PWD/host,dst=/data busybox cat /data/file
		docker run --rm --mount type=bind,source=$PWD/host,target=/data,ro busybox touch /data/x
		docker run --rm --mount type=bind,src=$PWD/nowhere,dst=/data busybox true
		docker run --rm --mount type=bind,src=relative,dst=/data busybox true
		docker run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700 busybox sh -c 'mount | grep " /t " | sed "s/.*(//"'
		docker run --rm --mount type=tmpfs,src=x,dst=/t busybox true
		docker run --rm --mount type=volume,dst=/t,nonsense=1 busybox true
		docker run --rm --mount type=volume busybox true
		docker run --rm --mount nonsense busybox true
		docker run --rm --mount type=volume,dst=/t,readonly=maybe busybox true
		docker run --rm --mount type=bind,src=/tmp,dst=/t,volume-nocopy busybox true
		docker run --rm --mount type=volume,dst=relative busybox true
		docker run --rm --tmpfs /t busybox sh -c 'mount | grep " /t " | sed "s/.*(//; s/,inode64//"'
		docker run --rm --tmpfs /t:size=1m,mode=700,noexec busybox sh -c 'mount | grep " /t " | sed "s/.*(//; s/,inode64//"'
		docker run --rm --tmpfs /t:nonsense busybox true
		docker run --rm --tmpfs relative busybox true
		docker run --rm --tmpfs /t -v /t busybox true
		docker run --rm -v kept:/var/data parity/app:1 --; docker run --rm --entrypoint cat -v copied:/var/data parity/app:1 /var/data/file
		docker run --rm --entrypoint ls -v plain:/var/data:nocopy parity/app:1 /var/data
		docker run --rm --entrypoint cat -v $PWD/host:/var/data parity/app:1 /var/data/file
		docker run -d --name source -v kept:/one -v $PWD/host:/two:ro busybox sleep 1000 > /dev/null; docker run --rm --volumes-from source busybox sh -c 'cat /one/v /two/file; touch /two/x'
		docker run --rm --volumes-from source:ro busybox touch /one/x
		docker run --rm --volumes-from source:nonsense busybox true
		docker run --rm --volumes-from nowhere busybox true
		docker rm -f source
		docker run --rm -v $PWD/host:/data:rprivate busybox true
		docker run --rm -v $PWD/host:/data:shared,slave busybox true
		docker run --rm -v $PWD/host:/data:Z busybox true
		`,
		...lines`
		docker run --rm --mount type=nonsense,dst=/t busybox true
		docker run --rm --mount '' busybox true
		`,
	],
};

export const volumes: Table = {
	name: 'volume',
	recorded: true,
	setup:
		'docker volume create --label a=1 one; docker volume create --label b=2 two; docker create --name user -v two:/x busybox',
	pairs: [
		...lines`
		docker volume ls
		docker volume ls -q
		docker volume list
		docker volume ls -f label=a
		docker volume ls -f label=a=2
		docker volume ls -f name=tw -q
		docker volume ls -f dangling=true -q
		docker volume ls -f dangling=false -q
		docker volume ls -f dangling=maybe -q
		docker volume ls -f driver=local -q
		docker volume ls -f nonsense=1
		docker volume ls -f nonsense
		docker volume ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}'
		docker volume ls --format '{{.Label "a"}}'
		docker volume ls --format 'table {{.Name}}\t{{.Labels}}'
		docker volume ls --format '{{json .Name}}'
		docker volume ls --format '{{.Nonsense}}'
		docker volume ls extra
		docker volume create three
		docker volume create three
		docker volume create | wc -c
		docker volume create bad/name
		docker volume create ''
		docker volume create a
		docker volume create -o nonsense=1 x
		docker volume create --label a=1 --label b labelled; docker volume inspect -f '{{json .Labels}}' labelled
		docker volume create one two
		docker volume inspect one -f '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}}'
		docker volume inspect nowhere
		docker volume inspect one nowhere -f '{{.Name}}'
		docker volume inspect
		docker volume rm nowhere
		docker volume rm -f nowhere
		docker volume rm two
		docker volume rm -f two
		docker volume rm one nowhere two three
		docker volume rm
		docker volume 2> /dev/null
		docker volume nonsense
		docker rm -v user; docker volume ls -qf name=two
		`,
	],
};

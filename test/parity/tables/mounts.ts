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
		docker run --rm -v a:b:c:d busybox true
		docker run --rm -v xx:/y -v zz:/y busybox true
		docker run --rm -v $PWD/host:/y -v $PWD/host:/y -v /z -v /z busybox ls /y
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
		docker run --rm --mount type=volume,dst=/t,readonly busybox true
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
		docker run --rm --mount type=nonsense,dst=/t busybox true
		docker run --rm --mount '' busybox true
		docker run --rm -v /x:rw busybox true
		docker run --rm -v ':/x' busybox true
		docker run --rm -v '' busybox true
		docker run --rm -v kept:/x:shared busybox true
		docker run --rm -v $PWD/host:/x:nocopy busybox true
		docker run --rm -v kept:/x:default busybox true
		docker run --rm -v $PWD/host:/.. busybox true
		docker run --rm -v 'kept :/x' busybox true
		docker run --rm -v foo/bar busybox ls -d /foo/bar
		docker run --rm --mount dst=/x --mount dst=/x/ busybox true
		docker run --rm --mount dst=/x -v kept:/x busybox true
		docker run --rm --mount type=tmpfs,dst=/x --tmpfs /x busybox true
		docker run --rm --mount type=bind,dst=/x busybox true
		docker run --rm --mount type=bind,src=/tmp,dst=/x,bind-propagation=foo busybox true
		docker run --rm --mount type=volume,dst=/x,src=v1,volume-opt=foo=bar busybox true
		docker run --rm --mount type=volume,dst=/x,src=v2,volume-opt=type=tmpfs busybox true
		docker run --rm --mount type=volume,dst=/x,volume-opt=a busybox true
		docker run --rm --mount type=volume,dst=/x,src=a/b busybox true
		docker run --rm --mount type=tmpfs,dst=/ busybox true
		docker run --rm --mount type=npipe,dst=/x,src=y busybox true
		docker run --rm --mount 'dst=/x,foo=' busybox true
		docker run --rm --mount 'dst=/x,=y' busybox true
		docker run --rm --mount 'dst="/x' busybox true
		docker run --rm --mount 'dst=/x,"src=v,w"' busybox true
		docker run --rm --mount type=bind,src=/tmp,dst=/x,bind-nonrecursive=foo busybox true
		docker run --rm --tmpfs /x:lowerdir=/ busybox true
		docker run --rm --tmpfs / busybox true
		docker run --rm --tmpfs '' busybox true
		docker run --rm --tmpfs /x:ro busybox touch /x/y
		docker run --rm --tmpfs /x:exec,mode=1777,uid=5 busybox sh -c 'grep " /x " /proc/mounts | sed "s/,inode64//"; stat -c "%a %u" /x'
		docker run --rm --read-only -v kept:/data --tmpfs /t busybox sh -c 'touch /data/ok /t/ok && touch /no'
		docker run --name mk -v kept:/a -v /b --mount dst=/c --mount src=kept,dst=/d,readonly --mount type=tmpfs,dst=/e,tmpfs-size=2m,tmpfs-mode=1770 --tmpfs /f -v $PWD/host:/g:ro,rslave -v $PWD/host/file:/h busybox true; docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} "{{.Mode}}" {{.RW}} "{{.Propagation}}" {{.Driver}}{{println}}{{end}}' mk | sort; docker ps -a --filter volume=/b --format '{{.Names}}'; docker ps -a --filter volume=kept --format '{{.Names}}'; docker ps -a --filter volume=$PWD/host --format '{{.Names}}'; docker ps -a --filter volume=/nope -q; docker rm -v mk
		docker create --name one1 -v kept:/a:ro -v /b busybox; docker create --name two2 -v $PWD/host:/h busybox; docker create --name both --volumes-from one1 --volumes-from two2:ro busybox; docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}}{{println}}{{end}}' both | sort; docker rm -v one1 both two2
		`,
		{
			line: 'docker run --rm -v $PWD/host:/etc/passwd busybox true; echo $?',
			because: 'it is the words of runc',
			anyError: true,
		},
		{
			line: 'docker run --rm -v kept2:/etc/passwd busybox true; docker volume rm kept2',
			because: 'the path in the container is what was asked for, not that of a folder of the engine',
			stderr: 'docker: Error: source /etc/passwd is not directory',
		},
		{
			line: 'docker run --rm -v /etc/passwd busybox true',
			because: 'the path in the container is what was asked for, not that of a folder of the engine',
			stderr: 'docker: Error: cannot mount volume over existing file, file exists /etc/passwd',
		},
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
		docker volume inspect one -f '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}}'
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
		docker rm -v user; docker volume ls -qf name=two
		docker volume create --driver nonsense xx
		docker volume create -o type=tmpfs xx
		docker volume create -o device=/x xx
		docker volume create -o size=1m xx
		docker volume prune --filter nonsense=1 -f
		docker volume prune extra
		docker volume nonsense
		docker volume create nothing; docker volume inspect -f "{{json .Options}} {{json .Labels}}" nothing
		`,
		{
			line: 'echo n | docker volume prune',
			because: 'today only anonymous ones go, and a refusal ends it',
			stdout:
				'WARNING! This will remove anonymous local volumes not used by at least one container.\nAre you sure you want to continue? [y/N]',
		},
	],
};

export const mountedVolumes: Table = {
	name: 'volume: in containers',
	pairs: [
		...lines`
		docker volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,mode=700 temp; docker volume inspect -f '{{json .Options}} {{.Driver}}' temp; docker run --rm -v temp:/t busybox sh -c 'mount | grep "tmpfs on /t " | sed "s/,inode64//"; touch /t/x'; docker run --rm -v temp:/t busybox ls -a /t; docker volume rm temp
		mkdir dev; echo x > dev/f; docker volume create --opt type=none --opt device=$PWD/dev --opt o=bind good; docker run --rm -v good:/t busybox cat /t/f; docker run --rm -v good:/t:ro busybox touch /t/y; docker volume rm good; ls dev
		`,
		{
			line: 'docker run --rm --volume-driver nonsense -v xx:/y busybox true',
			because: 'docker takes that for a missing image',
			stderr:
				'docker: Error: create xx: error looking up volume plugin nonsense: plugin "nonsense" not found',
		},
		{
			line: 'docker volume create --opt type=none --opt device=/nowhere --opt o=bind bound; docker run --rm -v bound:/t busybox true',
			because: 'the folder of the volume is another one',
			stderr:
				/^docker: Error: error while mounting volume '(.*)\/volumes\/bound\/_data': failed to mount local volume: mount \/nowhere:\1\/volumes\/bound\/_data, flags: 0x1000: no such file or directory$/,
		},
	],
};

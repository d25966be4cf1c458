import {lines, type Table} from '../table.ts';

export const exec: Table = {
	name: 'exec',
	setup: `
docker run -d --name up -e A=1 -w /tmp -u app busybox sleep 1000
docker run --name done busybox true
docker create --name new busybox true
docker run -d --name root busybox sleep 1000`,
	pairs: [
		...lines`
		docker exec up echo hello
		docker exec up sh -c 'echo out; echo err >&2; exit 4'
		docker exec up sh -c 'id; pwd; echo $A $HOME'
		docker exec -u 0 up id
		docker exec -u root:users up id
		docker exec -w /etc up pwd
		docker exec -e A=2 -e B=3 up sh -c 'echo $A $B'
		B=4 docker exec -e B up sh -c 'echo $B'
		printf 'C=5\n' > env; docker exec --env-file env up sh -c 'echo $C'
		docker exec --env-file nowhere up true
		docker exec -e = up true
		docker exec -e A -e HOSTNAME up env | sort
		docker run -dit --name term busybox > /dev/null; docker exec term env | grep TERM; docker exec -t term env | grep TERM; docker rm -f term
		docker run -dt -e TERM=own --name term busybox > /dev/null; docker exec term env | grep TERM; docker exec -t term env | grep TERM; docker rm -f term
		docker exec -it nowhere true
		echo in | docker exec -i up cat
		echo in | docker exec up cat
		docker exec -d up sleep 0.1
		docker exec -t up tty
		docker exec -it up true
		docker exec up
		docker exec
		docker exec nowhere true
		docker exec done true
		docker exec new true
		docker exec --nonsense up true
		docker exec up echo --nonsense -x
		docker exec -- up echo x
		docker exec root grep CapEff /proc/self/status
		docker exec up grep CapEff /proc/self/status
		docker exec up sh -c 'kill -9 $$'
		docker exec up sh -c 'kill -TERM $$'
		docker exec --detach-keys nonsense-x up true
		docker exec up env | grep -v HOSTNAME | sort
		docker exec -t up env | grep -v HOSTNAME | tr -d '\r' | sort
		docker exec up sh -c 'exit 255'
		docker exec up ls /nowhere
		docker container exec up echo long form
		docker exec -d up false; echo $?
		docker inspect -f '{{.ExecIDs}}' up
		`,
		...[
			['docker exec up nosuch', 127],
			['docker exec up /etc', 126],
			['docker exec -u nosuch up id', 126],
			['docker exec -w relative up pwd', 126],
			['docker exec -w /nowhere up pwd', 127],
		].map(([line, code]) => ({
			line: String(line),
			because: "the message is runc's, and docker writes it to standard output; newer docker has 127",
			code: Number(code),
			stdout: '',
			anyError: true as const,
		})),
		{line: 'docker exec -d up nosuch', because: "the message is runc's", anyError: true},
	],
};

export const logs: Table = {
	name: 'logs',
	recorded: true,
	setup: `
docker run --name talk busybox sh -c 'for i in 1 2 3 4; do echo line $i; done; sleep 0.3; echo bad >&2'
docker run --name silent busybox true
docker run --name partial busybox printf 'no newline'
docker run -t --name tty busybox sh -c 'echo a; echo b >&2'
docker create --name new busybox true
docker run --name attrs -e X=1 -l y=2 --log-opt env=X --log-opt labels=y busybox echo with`,
	pairs: lines`
		docker logs talk
		docker logs silent
		docker logs partial
		docker logs tty | od -c
		docker logs new
		docker logs -n 2 talk
		docker logs --tail 0 talk
		docker logs --tail all talk
		docker logs --tail -1 talk
		docker logs --tail x talk
		docker logs --tail 100 talk
		docker logs -t talk
		docker logs -f talk
		docker logs --since 1h talk
		docker logs --since 0s talk
		docker logs --until 1h talk
		docker logs --since nonsense talk
		docker logs --until nonsense talk
		docker logs --since 2001-01-01 talk
		docker logs --since 2006-01-02T15:04:0Z talk
		docker logs --since 2006-1-2 talk
		docker logs --since 2001-01-01T00:00:00Z --until 2001-01-02T00:00:00Z talk
		docker logs --details attrs
		docker logs --details talk
		docker logs nowhere
		docker logs
		docker logs a b
		docker logs --nonsense talk
		docker container logs -n 1 talk
		docker run -d --name slow busybox sh -c 'echo one; sleep 1; echo two' > /dev/null; docker logs -f slow
		docker run --name long busybox sh -c 'head -c 40000 /dev/zero | tr "\0" x; echo' | wc -c; docker logs long | wc -c
	`,
};

export const files: Table = {
	name: 'cp, diff, export, commit',
	setup: `
mkdir -p host/sub; echo one > host/a; echo two > host/sub/b; ln -s a host/link
docker run --name box busybox sh -c 'mkdir /d; echo x > /d/f; ln -s f /d/l; echo changed >> /etc/passwd; rm /etc/group; mkdir -p /e/empty'
docker run -d --name up busybox sleep 1000`,
	pairs: [
		...lines`
		docker diff box | sort
		docker diff up
		docker diff nowhere
		docker diff
		docker diff a b
		docker cp box:/d/f out; cat out
		docker cp box:/d folder; ls folder
		docker cp box:/d/. inside; ls inside
		docker cp box:/d/l link; ls -l link | cut -c1; cat link
		docker cp -L box:/d/l followed; cat followed
		docker cp box:/nowhere x
		docker cp box:/d/f no/such/folder/
		docker cp host/a box:/d; docker cp box:/d/a - | tar t
		docker cp host box:/d/copied; docker cp box:/d/copied - | tar t | sort
		docker cp host box:/d; docker cp box:/d/host - | tar t | sort
		docker cp host/. box:/new; docker cp box:/new - | tar t | sort
		docker cp host/a box:/no/such/
		docker cp host/a box:/d/
		docker cp host box:/d/f
		docker cp host/nowhere box:/d
		docker cp host/a box:relative; docker cp box:/relative - | tar t
		docker cp host/link box:/d/hostlink; docker cp box:/d/hostlink - | tar tv | cut -c1
		docker cp -L host/link box:/d/hostfollowed; docker cp box:/d/hostfollowed - | tar tv | cut -c1
		tar c -C host . | docker cp - box:/e; docker cp box:/e - | tar t | sort
		tar c -C host . | docker cp - box:/nowhere
		tar c -C host . | docker cp - box:/d/f
		echo no tar | docker cp - box:/e
		docker cp box:/d/f up:/x
		docker cp host/a host/b
		docker cp - -
		docker cp box:/d/f
		docker cp
		docker cp box: x
		docker cp '' box:/x
		docker cp nowhere:/x x
		docker cp x nowhere:/x
		docker cp host/a up:/tmp; docker exec up cat /tmp/a
		docker exec up sh -c 'echo live > /tmp/live'; docker cp up:/tmp/live live; cat live
		docker cp -q host/a up:/tmp/b
		docker cp -a host/a up:/tmp/c; docker exec up sh -c 'ls -l /tmp/c | cut -c1-10'
		docker cp up:/proc/1/comm comm; cat comm
		docker cp up:/etc/hostname name; wc -c < name
		docker diff up | sort
		docker export box | tar t | grep -E '^(d|e)/' | sort
		docker export -o box.tar box; tar tf box.tar | grep -c bin/busybox
		docker export nowhere
		docker export
		docker export a b
		docker export -o no/such/folder box
		docker commit box made:1 | cut -c1-7; docker run --rm made:1 cat /d/f
		docker commit -m message -a author box made:2 | wc -c; docker image inspect -f '{{.Comment}} {{.Author}} {{json .Config.Cmd}}' made:2
		docker commit -c 'ENV X=1' -c 'CMD ["echo", "hi"]' -c 'EXPOSE 80' -c 'LABEL a=b' -c 'WORKDIR /d' -c 'USER app' box made:3 | wc -c; docker run --rm made:3; docker image inspect -f '{{json .Config.ExposedPorts}} {{json .Config.Labels}} {{.Config.WorkingDir}} {{.Config.User}}' made:3
		docker commit -c NONSENSE box
		docker commit -c 'RUN x' box
		docker commit -c 'CMD' box
		docker commit box UPPER
		docker commit nowhere
		docker commit
		docker commit box a b
		docker commit box | wc -c
		docker images --format '{{.Repository}}:{{.Tag}}' made | sort
	`,
		{
			line: 'docker cp box:/d/f/ x',
			because: 'the path is shown as in the container, not as docker keeps it',
			stderr: 'Error: lstat /d/f/: not a directory',
		},
		'docker commit --pause=false up made:4 > /dev/null',
	],
};

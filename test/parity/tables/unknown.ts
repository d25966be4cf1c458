import {each, lines, type Pair, spaced, type Table} from '../table.ts';

const nowhere = (commands: string, rest = ''): Pair[] =>
	each(commands, (name) => `docker ${spaced(name)} nowhere${rest}`);

/** Objects that are not there, or are something else. */
export const unknown: Table = {
	name: 'unknown objects and wrong types',
	recorded: true,
	setup: `
docker create --name box busybox true
docker network create net
docker volume create vol
echo x > file`,
	pairs: [
		...nowhere(`container.attach container.commit container.diff container.export container.inspect container.kill
			container.logs container.pause container.port container.restart container.rm container.start container.stop
			container.top container.unpause container.wait container.stats.--no-stream`),
		...nowhere('container.exec', ' true'),
		...nowhere('container.rename', ' other'),
		...nowhere('container.update.-m.64m'),
		...nowhere('container.rm.-f container.rm.-fv container.rm.--link container.start.-a container.start.-i'),
		...nowhere('exec.-d exec.-it exec.-i', ' true'),
		...nowhere('image.history image.inspect image.rm image.rm.-f image.save'),
		...nowhere('image.tag', ' other'),
		...nowhere('network.inspect network.rm network.rm.-f volume.inspect volume.rm volume.rm.-f'),
		...nowhere(
			'inspect inspect.--type=container inspect.--type=image inspect.--type=network inspect.--type=volume',
		),
		...lines`
		docker container cp nowhere:/x x
		docker container cp file nowhere:/x
		docker cp nowhere:/x -
		docker cp nowhere:/x box:/y
		docker network connect net nowhere
		docker network disconnect net nowhere
		docker network disconnect net box
		docker run --rm --pull never nowhere
		docker run --rm --network nowhere busybox true
		docker run --rm --volumes-from nowhere busybox true
		docker run --rm --link nowhere busybox true
		docker run --rm --pid container:nowhere busybox true
		docker run --rm --ipc container:nowhere busybox true
		docker run --rm --pull never busybox:nowhere true
		docker run --rm --pull never busybox@sha256:$(printf 'a%.0s' $(seq 1 64)) true
		docker run --rm --pull never $(printf 'a%.0s' $(seq 1 64)) true
		docker run --rm --pull never sha256:$(printf 'a%.0s' $(seq 1 64)) true
		docker image inspect busybox:nowhere
		docker image inspect busybox@sha256:$(printf 'a%.0s' $(seq 1 64))
		docker image inspect sha256:$(printf 'a%.0s' $(seq 1 64))
		docker image inspect $(printf 'a%.0s' $(seq 1 64))
		docker rmi busybox:nowhere
		docker rmi sha256:$(printf 'a%.0s' $(seq 1 64))
		docker tag busybox:nowhere x
		docker history busybox:nowhere
		docker inspect -f '{{.Name}}' aaaaaaaaaaaa
		docker inspect UPPER
		docker rm $(printf 'a%.0s' $(seq 1 64))
		docker inspect $(printf 'a%.0s' $(seq 1 64))
		docker network inspect $(printf 'a%.0s' $(seq 1 64))
		docker volume inspect $(printf 'a%.0s' $(seq 1 64))
		docker rm busybox
		docker stop net
		docker start vol
		docker kill busybox
		docker logs vol
		docker exec net true
		docker rmi box
		docker rmi vol
		docker image inspect box
		docker image inspect net
		docker network rm box
		docker network inspect vol
		docker volume rm box
		docker volume inspect net
		docker container inspect net
		docker container inspect busybox
		docker history box
		docker tag box x
		docker save box
		docker run --rm --pull never box
		docker run --rm --network vol busybox true
		docker network connect box net
		docker network rm none
		docker network rm host bridge
		docker network connect host box
		docker network disconnect host box
		docker network create net
		docker network create none
		docker volume create vol
		docker create --name box busybox
		docker create --name net busybox > /dev/null; docker inspect -f '{{.Name}}' net; docker inspect --type network -f '{{.Driver}}' net; docker rm net
		docker create --name busybox busybox > /dev/null; docker inspect -f '{{.Name}}' busybox; docker inspect --type image -f '{{.Os}}' busybox; docker rm busybox
		docker volume create busybox; docker inspect --type volume -f '{{.Name}}' busybox; docker inspect -f '{{.Os}}' busybox; docker volume rm busybox
	`,
		{
			line: 'docker cp - nowhere:/ < /dev/null',
			because: 'the container is looked for first',
			stderr: 'Error: No such container: nowhere',
		},
		{
			line: 'docker network connect nowhere box',
			because: 'a network that is not there is said when it is asked for, not at the start',
			code: 1,
			stderr: 'Error: network nowhere not found',
		},
		{
			line: 'docker network disconnect nowhere box',
			because: 'a network that is not there is said when it is asked for, not at the start',
			code: 1,
			stderr: 'Error: network nowhere not found',
		},
		{
			line: 'docker create --network container:nowhere busybox',
			because: 'a container that can not start is not made',
			code: 1,
			stdout: '',
			stderr: 'Error: No such container: nowhere',
		},
	],
};

/** Prefixes of ids that two objects have; one letter is enough of a prefix. */
export const ambiguous: Table = {
	name: 'ambiguous prefixes of ids',
	setup: `
i=0; while :; do
	docker create --network none busybox sh -c 'exit 3' > /dev/null; i=$((i + 1))
	docker ps -aq | cut -c1 | grep '[a-f]' | sort | uniq -d | head -1 > two; if [ -s two ]; then break; fi
done
while :; do
	i=$((i + 1)); docker commit -m $i $(docker ps -lq) made:$i > /dev/null
	docker images -q made | cut -c1 | sort | uniq -d | head -1 > images; if [ -s images ]; then break; fi
done
while :; do
	i=$((i + 1)); docker network create n-$i > /dev/null
	docker network ls -qf name=n- | cut -c1 | sort | uniq -d | head -1 > networks; if [ -s networks ]; then break; fi
done
docker create --name one busybox true; docker create --name other --network none busybox true
docker inspect -f '{{.Id}}' one | cut -c1-20 > one`,
	pairs: [
		...each(
			`attach commit diff export inspect kill logs pause port restart rm rm.-f start start.-a stop top unpause
			wait stats.--no-stream container.inspect update.-m.64m`,
			(name) => `docker ${spaced(name)} $(cat two)`,
		),
		...lines`
		docker exec $(cat two) true
		docker rename $(cat two) x
		docker cp $(cat two):/etc/passwd x
		docker rm one $(cat two) nowhere
		docker create --name one busybox true > /dev/null; docker inspect -f '{{.Id}}' one | cut -c1-20 > one
		docker network connect n-nowhere $(cat two)
		docker run --rm --network container:$(cat two) busybox true
		docker run --rm --volumes-from $(cat two) busybox true
		docker ps -a -f id=$(cat one) --format '{{.Names}}'
		docker inspect -f '{{.Name}}' $(cat one)
		docker inspect -f '{{.Name}}' $(cut -c1-13 one)
		docker wait $(cat one)x > out 2>&1; grep -c 'No such container' out
		docker network inspect $(cat networks)
		docker network rm $(cat networks)
		docker run --rm --network $(cat networks) busybox true
		docker inspect --type network $(cat networks)
		docker rename $(cat one) renamed; docker ps -af name=renamed --format '{{.Names}}'
		docker rm $(cat one) | wc -c
	`,
		{
			line: 'docker cp two $(cat two):/',
			because: 'the container is looked for first',
			stderr: 'Error: Multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker rmi $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker image inspect $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker history $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker tag $(cat images) x',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker save $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker inspect --type image $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker run --rm --pull never $(cat images)',
			because: 'it says why it takes none of them',
			stderr: 'docker: Error: multiple IDs found with provided prefix: <prefix>',
		},
		{
			line: 'docker network connect $(cat networks) other',
			because: 'a network that is not clear is said when it is asked for, not at the start',
			code: 1,
			stderr: 'Error: network <prefix> is ambiguous (<n> matches found based on ID prefix)',
		},
		{
			line: 'docker network disconnect $(cat networks) other',
			because: 'a network that is not clear is said when it is asked for, not at the start',
			code: 1,
			stderr: 'Error: network <prefix> is ambiguous (<n> matches found based on ID prefix)',
		},
		{
			line: 'docker run --rm --link $(cat two):x busybox true',
			because: 'it says the same with fewer words',
			stderr: 'docker: Error: Multiple IDs found with provided prefix: <prefix>',
		},
	],
};

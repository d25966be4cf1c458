import {lines, type Table} from '../table.ts';

const crossed = (commands: string, names: string): string[] =>
	names
		.split(' ')
		.flatMap((name) => commands.split(', ').map((command) => `docker ${command.replace('@', name)}`));

/** Every command on a container in each state; what changes the state comes last. */
export const states: Table = {
	name: 'wrong states',
	recorded: true,
	setup: `
docker create --name new --network none busybox sleep 1000
docker run --name done --network none busybox sh -c 'echo said; exit 3' || true
docker run -d --name up --network none --stop-signal KILL busybox sleep 1000
docker run -d --name held --network none busybox sleep 1000; docker pause held
docker volume create inuse; docker network create busy
docker create --name user -v inuse:/x --network busy busybox sleep 1000`,
	pairs: [
		...crossed(
			'exec @ true, exec -d @ true, attach @, top @, kill @, kill -s 0x @, pause @, unpause @, rm up @',
			'new done',
		),
		...lines`
		docker create --name new --network none busybox sleep 1000 > /dev/null
		docker run --name done --network none busybox sh -c 'echo said; exit 3'
	`,
		...crossed('exec @ true, exec -it @ true, attach @, pause @, rm @, rm -v @, start @', 'held'),
		...crossed(
			`stats --no-stream @ --format '{{.Name}} {{.PIDs}}', top @ -o comm, logs @, port @, diff @, rename @ @, wait @ & sleep 0.2; kill $!`,
			'held',
		),
		...crossed(`logs @, port @, port @ 80, diff @, rename @ @, logs -f @, stop @, stop -t 0 @`, 'new done'),
		...crossed(
			`stats --no-stream @ --format '{{.Name}} {{.PIDs}} {{.CPUPerc}} {{.MemPerc}}', export @ | tar t | grep -c etc/passwd`,
			'new done',
		),
		...crossed('rm @, start @, unpause @, rename @ new, rename @ @, rm --link @', 'up'),
		{
			line: 'docker cp new:/etc/hostname - | wc -c',
			because: 'a container that has never run has no such file',
			stdout: '0\n',
			stderr: 'Error: Could not find the file /etc/hostname in container new',
		},
		{
			line: 'docker start -a held',
			because: "docker's client loses what its daemon says",
			stderr: 'Error: cannot start a paused container, try unpause instead',
		},
		...lines`
		docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.Dead}} {{.State.Pid | eq 0}} {{.State.ExitCode}} {{printf "%q" .State.Error}}' new done up held
		docker ps -a --format '{{.Names}} {{.State}} {{.Status}}'
		docker commit new made:1 | wc -c
		docker commit held made:2 | wc -c; docker inspect -f '{{.State.Status}}' held
		docker commit done made:1 | wc -c; docker run --rm --network none made:1
		docker update -m 64m --memory-swap 64m new; docker inspect -f '{{.HostConfig.Memory}}' new
		docker update --restart on-failure:2 done held; docker inspect -f '{{.HostConfig.RestartPolicy}}' done held
		docker update --restart no done held
		docker volume rm inuse
		docker volume rm -f inuse
		docker network rm busy; docker network create busy | wc -c
		docker start user
		docker rm user; docker volume rm inuse
		docker rmi made:1 made:2 > /dev/null; docker rmi busybox
		docker rmi -f $(docker images -q busybox)
		docker rmi $(docker images -q busybox)
		docker network disconnect none up
		docker network connect busy up
		docker network connect busy new; docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}' new
		docker start up new done; docker wait done
		docker start done nowhere new
		docker kill held; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' held
		docker start held; docker pause held; docker stop -t 0 held; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' held
		docker start held; docker pause held; docker restart -t 0 held; docker inspect -f '{{.State.Status}} {{.State.Paused}}' held
		docker pause held; docker rm -f held; docker ps -aqf name=held
		docker stop -t 0 new; docker stop new; docker start new; docker kill new; docker kill new
		docker restart -t 0 done; docker wait done; docker logs done
	`,
	],
};

/** Several objects of which one fails: the others are done, and it ends with 1. */
export const several: Table = {
	name: 'several of which one fails',
	recorded: true,
	setup: `
docker run -d --name aa --network none --stop-signal KILL busybox sleep 1000
docker run -d --name bb --network none --stop-signal KILL busybox sleep 1000
docker create --name new --network none busybox sleep 1000
docker run --name done --network none busybox true
docker network create n1; docker network create n2; docker network create n3
docker volume create v1; docker volume create v2; docker volume create v3
docker create --name user -v v2:/x --network n2 busybox true
for i in 1 2 3 4; do docker tag busybox t$i; done`,
	pairs: lines`
		docker pause aa nowhere bb; docker ps --format '{{.Names}} {{.State}}'
		docker pause aa done bb
		docker unpause nowhere aa new bb; docker ps --format '{{.Names}} {{.State}}'
		docker kill -s CONT aa nowhere done bb
		docker stop nowhere aa bb new done; docker ps -a --format '{{.Names}} {{.State}}' -f name=^aa$ -f name=^bb$
		docker start aa nowhere bb; docker ps --format '{{.Names}} {{.State}}'
		docker start -a aa bb
		docker start -i aa bb
		docker restart -t 0 nowhere aa nowhere2 bb; docker ps --format '{{.Names}} {{.State}}'
		docker kill aa nowhere bb nowhere; docker ps -q | wc -l
		docker wait aa nowhere done
		docker start aa bb; docker rm done aa nowhere; docker ps -a --format '{{.Names}}'
		docker rm -f nowhere aa; docker ps -a --format '{{.Names}}'
		docker rm -f nowhere
		docker rm bb bb
		docker rm -f bb
		docker inspect -f '{{.Name}}' nowhere new nowhere2 user
		docker inspect nowhere new | shape | head -1
		docker container inspect -f '{{.Name}}' new busybox user
		docker inspect -f '{{.Nope}}' new user
		docker inspect -f '{{.Name}}' new n1 v1 nowhere
		docker image inspect -f '{{.Os}}' busybox nowhere parity/app:1
		docker network inspect -f '{{.Name}}' n1 nowhere n2 nowhere2
		docker volume inspect -f '{{.Name}}' v1 nowhere v2 nowhere2
		docker network rm n1 nowhere n2 bridge n3; docker network ls --format '{{.Name}}'
		docker volume rm v1 nowhere v2 v3; docker volume ls -q
		docker volume rm -f nowhere v2; docker volume ls -q
		docker rmi t1 nowhere t2 UPPER t3; docker images --format '{{.Repository}}'
		docker rmi -f nowhere t4; docker images --format '{{.Repository}}'
		docker rmi nowhere nowhere
		docker save nowhere busybox | wc -c
		docker save busybox nowhere -o saved; ls saved
		docker update --restart no new nowhere user; docker update --restart always nowhere new; docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' new
		docker stats --no-stream new nowhere user
		docker stats --no-stream --format '{{.Name}}' nowhere new
		docker rm new nowhere user | sort
		docker ps -aq | wc -l
	`,
};

import {lines, type Table} from '../table.ts';

/**
 * What the journal tells of each command, in its order. docker of today also tells how long a container ran, and its
 * lists of volumes and networks come in any order: one of each is looked at.
 */
export const events: Table = {
	name: 'events: what each command tells',
	setup: `
cat > told << 'END'
sleep 0.5; docker events --since $(cat begun) --until $(date +%s.%N) "$@" | sed 's/execDuration=[0-9]*, //'
END
docker volume create evvol; docker network create evnet`,
	pairs: [
		...lines`
		date +%s.%N > begun; docker create --name ev1 -l a=b -l c --network none busybox sleep 1000 | wc -c; sh told
		date +%s.%N > begun; docker start ev1; sh told
		date +%s.%N > begun; docker exec ev1 true; docker exec ev1 sh -c 'exit 3'; docker exec ev1 nonsense > /dev/null 2>&1; sh told -f event=exec_create -f event=exec_start
		date +%s.%N > begun; docker exec ev1 sh -c 'exit 3'; sh told -f event=exec_die
		date +%s.%N > begun; docker pause ev1; docker unpause ev1; docker rename ev1 ev2; docker top ev2 > /dev/null; sh told
		date +%s.%N > begun; docker kill -s USR1 ev2; docker stop -t 1 ev2; sh told
		date +%s.%N > begun; docker restart -t 0 ev2; docker kill ev2; docker wait ev2; sh told
		date +%s.%N > begun; docker rm ev2; sh told
		date +%s.%N > begun; docker run --rm --name ev3 --network evnet -v evvol:/v busybox true; sh told
		date +%s.%N > begun; docker run --rm --name ev4 --network host -v /anon busybox true; sh told
		date +%s.%N > begun; docker run -d --name ev5 --network none --restart on-failure:2 busybox false > /dev/null; while [ $(docker inspect -f '{{.State.Status}}{{.RestartCount}}' ev5) != exited2 ]; do sleep 0.1; done; sh told; docker rm ev5
		date +%s.%N > begun; docker create --name ev6 --network none busybox nonsense > /dev/null; docker start ev6 2> /dev/null; docker rm ev6; sh told
		date +%s.%N > begun; docker run -d --name ev7 --network none -v evvol:/v:ro busybox sleep 1000 > /dev/null; docker rm -f ev7; sh told
		date +%s.%N > begun; docker run -d --name ev8 --network none -v /anon busybox sleep 1000 > /dev/null; docker rm -fv ev8; sh told
		date +%s.%N > begun; docker volume create --label a=b evvol2; docker volume create evvol2; docker volume rm evvol2; sh told
		date +%s.%N > begun; docker network create evnet2 | wc -c; docker run -d --name ev9 --network evnet busybox sleep 1000 > /dev/null; docker network connect evnet2 ev9; docker network disconnect evnet2 ev9; docker network rm evnet2; sh told -f type=network | sed 's/^[^ ]* //; s/[0-9a-f]\{64\}/ID/g' | sort -u; docker rm -f ev9
		date +%s.%N > begun; docker tag busybox evimage:1; docker tag busybox evimage:2; docker rmi evimage:1 evimage:2; sh told
	`,
		{
			line: `date +%s.%N > begun; docker run -d --name ev10 --network none busybox sleep 1000 > /dev/null; docker cp ev10:/etc/passwd passwd; docker cp passwd ev10:/tmp; docker export ev10 > /dev/null; docker commit -m why ev10 evimage:3 > /dev/null; docker diff ev10 > /dev/null; docker logs ev10; sh told | cut -d' ' -f2- | sort; docker rm -f ev10; docker rmi evimage:3 > /dev/null`,
			because: 'newer docker also tells that an image has been made',
			stdout: /(?:^|\n)image create <id> \(name=<id>\)\nimage tag <id> \(name=evimage:3\)\n/,
		},
		...lines`
		date +%s.%N > begun; docker run -d --name ev11 --network none --health-cmd 'exit 1' --health-interval 1s --health-retries 1 busybox sleep 1000 > /dev/null; while [ $(docker inspect -f '{{.State.Health.Status}}' ev11) != unhealthy ]; do sleep 0.1; done; docker rm -f ev11; sh told -f event=health_status
		date +%s.%N > begun; docker run -d --name ev12 --network none busybox sleep 1000 > /dev/null; docker update -m 100m --memory-swap 200m ev12; docker stop -t 0 ev12; docker container prune -f > /dev/null; sh told --format '{{.Type}} {{.Action}} {{.Status}} {{.From}} {{.Actor.Attributes.name}} {{.Scope}}'
		date +%s.%N > begun; docker run --rm --name ev13 -l k=v --network none busybox true; sh told -f label=k; sh told -f label=k=x; sh told -f container=ev13 -f event=die; sh told -f container=ev; sh told -f image=busybox -f event=create; sh told -f scope=swarm; sh told -f type=image; sh told -f network=none
		date +%s.%N > begun; docker tag busybox evload:1; docker save -o evload.tar evload:1; docker rmi evload:1; docker load -qi evload.tar; docker rmi evload:1; docker create --name ev14 busybox > /dev/null; docker export ev14 | docker import - evload:2 | wc -c; docker rm ev14; docker rmi evload:2 > /dev/null; sh told -f type=image
		docker events --since 200 --until 100
		docker volume create evlast; docker events --until $(date +%s.%N) -f volume=evlast --format '{{.Action}}'; docker volume rm evlast
	`,
	],
};

import {lines, type Table} from '../table.ts';

export const create: Table = {
	name: 'create, start, rename, rm',
	pairs: [
		...lines`
		docker create busybox true | wc -c
		docker create --name made busybox true > /dev/null; docker inspect -f '{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.State.FinishedAt}}' made
		docker start made
		docker wait made; docker start -a made; docker inspect -f '{{.State.ExitCode}}' made
		docker create --name made busybox true
		docker create nosuch:image
		docker create --pull never nosuch:image
		docker create
		docker create --nonsense
		docker create -l 'a b=c' busybox
		docker create -l 'ab =c' busybox
		docker create --name bad@ busybox
		docker create --rm --name rr busybox true > /dev/null; docker start rr; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.5; [ -z "$(docker ps -aqf name=rr)" ] && break; done; docker ps -aqf name=rr
		docker start
		docker start nowhere
		docker start made nowhere made
		docker start -a made nowhere
		docker create --name says busybox sh -c 'echo out; echo err >&2; exit 6' > /dev/null; docker start -a says
		docker start -a says; docker logs says
		docker create -i --name cat busybox cat > /dev/null; echo typed | docker start -i cat
		echo again | docker start -ai cat
		docker create -t --name tty busybox tty > /dev/null; docker start -a tty
		docker start -i tty
		docker rename made other; docker ps -a --format '{{.Names}}' -f name=other
		docker rename nowhere x
		docker rename other says
		docker rename other bad@name
		docker rename other other
		docker rename other
		docker rename other a b
		docker rename other made
		docker rm nowhere
		docker rm -f nowhere
		docker rm made nowhere says
		docker rm made
		docker rm
		docker rm -x made
		docker run -d --name up busybox sleep 1000 > /dev/null; docker rm up
		docker rm -f up
		docker rm --link up
		docker run -d --name up busybox sleep 1000 > /dev/null; docker pause up; docker rm up
		docker rm -f up; docker ps -aqf name=up
		docker rm --force --volumes cat tty
		docker container rm nowhere
		docker container remove nowhere
		docker container 2> /dev/null
		docker container nonsense
		docker container ls --all --quiet extra
		docker create --name one busybox > /dev/null; docker create --name two busybox > /dev/null; docker rm one two
		`,
		{
			line: 'docker create --name no busybox nosuchcommand > /dev/null; docker start no',
			because: "the message is runc's",
			anyError: true,
		},
		{
			line: 'docker start --checkpoint x no',
			because: 'there is no daemon that could be told to try it',
			code: 125,
			stderr: 'docker start: --checkpoint is not supported: checkpoints are an experiment of docker',
		},
		...lines`
		docker rename no ''
		docker rename '' no
		docker inspect -f '{{.State.ExitCode}} {{.State.Status}}' no
		docker create --name wd -w //tmp/../etc/ busybox > /dev/null; docker inspect -f '{{.Config.WorkingDir}}' wd; docker rm wd
		docker create --name wd -w /new/folder busybox > /dev/null; docker cp wd:/new/folder copied; ls -d copied; docker diff wd; docker rm wd
		docker rm $(docker ps -aq) | wc -l
		docker create UPPER
		docker create --cidfile no/such/folder busybox
		`,
	],
};

export const stop: Table = {
	name: 'stop, kill, restart, pause, wait',
	setup: `
docker run -d --name up busybox sh -c 'trap "exit 5" TERM; trap "echo hup" HUP; while :; do sleep 0.1; done'
docker run -d --name deaf --stop-timeout 1 busybox sleep 1000
docker run --name done busybox sh -c 'exit 3' || true
docker create --name new busybox true`,
	pairs: lines`
		docker stop up
		docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.State.OOMKilled}} {{.State.Error}}' up
		docker stop up
		docker start up
		docker kill -s HUP up; sleep 1; docker logs up
		docker kill -s 1 up
		docker kill -s SIGHUP up
		docker kill -s NONSENSE up
		docker kill -s 0 up
		docker kill -s 100 up
		docker kill -s '' up
		docker kill up; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' up
		docker kill up
		docker kill new
		docker kill nowhere
		docker kill
		docker kill done nowhere new
		docker stop -t 0 deaf; docker inspect -f '{{.State.ExitCode}}' deaf
		docker stop deaf
		docker start deaf; docker stop deaf; docker inspect -f '{{.State.ExitCode}}' deaf
		docker stop nowhere
		docker stop
		docker stop new
		docker stop -t x deaf
		docker stop done nowhere deaf
		docker restart -t 0 deaf
		docker restart nowhere
		docker restart
		docker restart new done; docker wait new
		docker restart -t 0 deaf nowhere
		docker pause deaf; docker inspect -f '{{.State.Status}} {{.State.Paused}} {{.State.Running}}' deaf
		docker pause deaf
		docker exec deaf true
		docker start deaf
		docker attach deaf
		docker ps --format '{{.State}}' -f name=deaf
		docker unpause deaf
		docker unpause deaf
		docker pause done
		docker unpause done
		docker pause nowhere
		docker unpause nowhere
		docker pause
		docker unpause
		docker pause deaf; docker stop -t 0 deaf; docker inspect -f '{{.State.Status}}' deaf
		docker start deaf; docker pause deaf; docker kill deaf; docker inspect -f '{{.State.Status}}' deaf; docker rm -f deaf
		docker wait done
		docker wait done nowhere up
		docker wait nowhere
		docker wait
		docker run -d --name brief busybox sh -c 'sleep 1; exit 8' > /dev/null; docker wait brief; docker wait brief
		docker start nowhere done; docker wait done
		docker attach done
		docker attach new
		docker attach nowhere
		docker attach
		docker attach a b
		docker run -d --name talks busybox sh -c 'sleep 1; echo hello; echo bad >&2; exit 4' > /dev/null; docker attach talks
		docker run -d --name talks2 busybox sh -c 'sleep 1; echo hello' > /dev/null; docker attach --no-stdin --sig-proxy=false talks2
		docker run -d --restart on-failure:2 --name again busybox false > /dev/null; sleep 5; docker inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}} {{json .HostConfig.RestartPolicy}}' again
		docker run -d --restart always --name always busybox sleep 1000 > /dev/null; docker stop -t 0 always; docker inspect -f '{{.State.Status}} {{.RestartCount}}' always
	`,
};

import {lines, type Table} from '../table.ts';

export const commandLine: Table = {
	name: 'the command line itself',
	setup: 'docker run -d --name xyz busybox sleep 1000; docker run -d --name xyzw busybox sleep 1000',
	pairs: [
		...lines`
		docker nonsense
		docker run --help > /dev/null
		docker --help > /dev/null
		docker help > /dev/null
		docker help run > /dev/null
		docker help container ls > /dev/null
		docker help nonsense
		docker ps --help > /dev/null
		docker container --help > /dev/null
		docker container ls --help > /dev/null
		docker image rm --help > /dev/null
		docker network create --help > /dev/null
		docker volume --help > /dev/null
		docker system prune --help > /dev/null
		docker exec --help > /dev/null
		docker build --help > /dev/null 2>&1
		docker 2> /dev/null
		docker container 2> /dev/null
		docker --nonsense ps
		docker -x
		docker --version | tr A-Z a-z | sed 's/[0-9].*//'
		docker -v | tr A-Z a-z | sed 's/[0-9].*//'
		docker -D ps -q -f name=nothing
		docker -l debug ps -q -f name=nothing
		docker --log-level error ps -q -f name=nothing
		docker -l nonsense ps
		docker --config /nowhere/at/all ps -q -f name=nothing
		docker ps --quiet=false -f name=nothing --format x
		docker ps -qa=false
		docker ps -aqf name=nothing
		docker ps -a -q -f name=nothing
		docker ps --all --quiet --filter name=nothing
		docker ps --fil name=nothing
		docker ps --filter
		docker ps -f
		docker ps --
		docker ps -- extra
		docker stop xyzwv
		docker inspect xyz -f '{{.Name}}'
		docker inspect -f '{{.Name}}' xyz xyzw
		docker inspect /xyz -f '{{.Name}}'
		docker inspect -f '{{.Name}}' xy
		docker stop -t 0 xyz xyzw nothing
		docker --tls=false ps -q -f name=nothing
		docker kill --signal=KILL xyz
		docker rm -fv xyz xyzw
		docker images -aq=x
		docker run -it=false --rm busybox true
		docker run --rm -e=A=1 busybox sh -c 'echo $A'
		docker run --rm -eA=1 busybox sh -c 'echo $A'
		docker run --rm --env A=1 busybox sh -c 'echo $A'
		docker run -e A=1 --rm busybox sh -c 'echo $A'
		docker run --rm --name=eq busybox true
		docker container run --rm busybox echo long
		docker image pull UPPER
		docker create --name=x --rm busybox | wc -c; docker rm x
		docker rm -- xyz
		docker start --attach=false nothing
		docker logs --follow=maybe x
		docker ps -h > /dev/null
		docker run -h
		for c in run create start stop kill rm ps exec logs wait update top stats port rename; do docker $c --help | grep ^Usage; done
		for c in pause unpause restart attach images tag rmi pull inspect events info version cp diff commit export; do docker $c --help | grep ^Usage; done
		for c in ls create rm inspect connect disconnect prune; do docker network $c --help | grep ^Usage; done
		for c in ls create rm inspect prune; do docker volume $c --help | grep ^Usage; done
		for c in run ls rm stop prune inspect; do docker container $c --help | grep ^Usage; done
		for c in df events info prune; do docker system $c --help | grep ^Usage; done
		docker swarm nonsense
		docker plugin nonsense
	`,
		{
			line: 'docker stop --time 1 xyz',
			because: 'a note about a flag is no output',
			stdout: '',
			stderr: 'Flag --time has been deprecated, use --timeout instead\nError: No such container: xyz',
		},
		{
			line: 'docker checkpoint',
			because: 'there is no daemon that could be told to try it',
			stderr: "docker: 'docker checkpoint' is not supported: checkpoints are an experiment of docker",
		},
	],
};

import {lines, type Table} from '../table.ts';

export const ps: Table = {
	name: 'ps',
	recorded: true,
	setup: `
docker run -d --name up -l kind=a -l n=1 busybox sleep 1000
docker run --name done -l kind=b busybox sh -c 'exit 3' || true
docker create --name new -l kind=a busybox echo a long command that is longer than twenty letters
docker run -d --name app -P parity/app:1
docker rm -f app
docker run -d --name app --entrypoint sleep parity/app:1 1000
docker run -d --name paused busybox sleep 1000; docker pause paused`,
	pairs: lines`
		docker ps
		docker ps -a
		docker ps -a --no-trunc
		docker ps -q | wc -l
		docker ps -aq --no-trunc | head -1 | wc -c
		docker ps -l --format '{{.Names}}'
		docker ps -n 2 --format '{{.Names}}'
		docker ps -n -1 --format '{{.Names}}'
		docker ps -n x
		docker ps -as --format '{{.Names}} {{.Size}}'
		docker ps --format '{{.ID}} {{.Image}} {{.Command}} {{.RunningFor}} {{.Status}} {{.Ports}} {{.Names}}'
		docker ps -a --format '{{.Names}} {{.State}} {{.Status}}'
		docker ps -a --format 'table {{.Names}}\t{{.Image}}\t{{.Labels}}'
		docker ps -a --format '{{.Label "kind"}}'
		docker ps -a --format '{{.Names}}: {{.Mounts}}: {{.LocalVolumes}}: {{.Networks}}'
		docker ps -a --format '{{upper .Names}} {{len .Names}} {{.Names | printf "%-8s|"}}'
		docker ps -a --format '{{if eq .State "running"}}{{.Names}} runs{{else}}-{{end}}'
		docker ps -a --format '{{json .Names}} {{json .Labels}}'
		docker ps -a --format '{{.Nonsense}}'
		docker ps -a --format '{{'
		docker ps -a --format '{{nonsense .Names}}'
		docker ps -a --format 'plain text'
		docker ps -a --format table
		docker ps -a --format ''
		docker ps -a --format raw -f name=up
		docker ps -q -f name=up | wc -l
		docker ps -a -f status=exited --format '{{.Names}}'
		docker ps -a -f status=created --format '{{.Names}}'
		docker ps -f status=paused --format '{{.Names}}'
		docker ps -f status=running --format '{{.Names}}'
		docker ps -a -f status=exited -f status=created --format '{{.Names}}'
		docker ps -f status=nonsense
		docker ps -a -f exited=3 --format '{{.Names}}'
		docker ps -f label=kind --format '{{.Names}}'
		docker ps -a -f label=kind=a --format '{{.Names}}'
		docker ps -a -f label=kind=a -f label=n=1 --format '{{.Names}}'
		docker ps -a -f label=kind=zzz --format '{{.Names}}'
		docker ps -a -f name=^/?(up|new)$ --format '{{.Names}}'
		docker ps -a -f 'name=[' --format '{{.Names}}'
		docker ps -a -f id=$(docker ps -qf name=up) --format '{{.Names}}'
		docker ps -a -f ancestor=busybox --format '{{.Names}}'
		docker ps -a -f ancestor=parity/app:1 --format '{{.Names}}'
		docker ps -a -f ancestor=$(docker images -q busybox) --format '{{.Names}}'
		docker ps -a -f ancestor=nosuch --format '{{.Names}}'
		docker ps -a -f before=new --format '{{.Names}}'
		docker ps -a -f since=new --format '{{.Names}}'
		docker ps -a -f before=nowhere
		docker ps -a -f since=nowhere
		docker ps -a -f volume=/var/data --format '{{.Names}}'
		docker ps -a -f network=bridge --format '{{.Names}}'
		docker ps -a -f network=nowhere --format '{{.Names}}'
		docker ps -a -f publish=80 --format '{{.Names}}'
		docker ps -a -f publish=x
		docker ps -a -f expose=80/tcp --format '{{.Names}}'
		docker ps -a -f expose=1-9000 --format '{{.Names}}'
		docker ps -a -f health=none --format '{{.Names}}'
		docker ps -a -f health=nonsense --format '{{.Names}}'
		docker ps -a -f isolation=nonsense --format '{{.Names}}'
		docker ps -a -f is-task=true --format '{{.Names}}'
		docker ps -a -f is-task=x --format '{{.Names}}'
		docker ps -f nonsense=1
		docker ps -f nonsense
		docker ps -f ''
		docker ps extra
		docker ps --nonsense
		docker container ls -a --format '{{.Names}}'
		docker container ps -a --format '{{.Names}}'
		docker container list -a --format '{{.Names}}'
	`,
};

export const images: Table = {
	name: 'images, tag, rmi, history',
	recorded: true,
	pairs: [
		...lines`
		docker images
		docker images -a
		docker images --no-trunc
		docker images -q | wc -l
		docker images busybox
		docker images busybox:latest --format '{{.Repository}}:{{.Tag}}'
		docker images nosuch
		docker images 'parity/*' --format '{{.Repository}}'
		docker images parity
		docker images --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}} {{.CreatedSince}} {{.CreatedAt}} {{.Size}}' busybox
		docker images --format 'table {{.Repository}}\t{{.Tag}}'
		docker images --format '{{json .Repository}}' busybox
		docker images --format '{{.Containers}} {{.SharedSize}} {{.UniqueSize}}' busybox
		docker images --format '{{.Nonsense}}'
		docker images --format '{{'
		docker images --digests busybox
		docker images -f dangling=true
		docker images -f dangling=maybe
		docker images -f reference='parity/*' --format '{{.Repository}}'
		docker images -f label=kind --format '{{.Repository}}'
		docker images -f label=kind=other --format '{{.Repository}}'
		docker images -f before=parity/app:1 --format '{{.Repository}}' | sort
		docker images -f since=nosuch
		docker images -f nonsense=1
		docker images -f nonsense
		docker images a b
		docker image ls -q busybox | wc -l
		docker image list --format '{{.Repository}}' busybox
		docker image 2> /dev/null
		docker image nonsense
		docker tag busybox mine
		docker tag busybox mine:v2
		docker tag mine:v2 localhost:5000/deep/er/name:v3
		docker images --format '{{.Repository}}:{{.Tag}}' | sort
		docker tag nosuch x
		docker tag busybox UPPER
		docker tag busybox x:y:z
		docker tag busybox x:bad/tag
		docker tag busybox sha256:abc
		docker tag busybox
		docker tag busybox a b
		docker tag '' x
		docker tag busybox ''
		docker tag busybox $(printf 'a%.0s' $(seq 1 64))
		docker tag busybox $(printf 'a%.0s' $(seq 1 65)):x; docker rmi $(printf 'a%.0s' $(seq 1 65)):x
		docker tag $(docker images -q busybox | head -1) byid
		docker rmi byid
		docker rmi mine:v2
		docker rmi mine nosuch localhost:5000/deep/er/name:v3
		docker rmi nosuch
		docker rmi -f nosuch
		docker rmi
		docker rmi UPPER
		docker rmi $(printf 'a%.0s' $(seq 1 64))
		docker run --name user busybox true; docker rmi busybox
		docker rmi $(docker images -q busybox | head -1)
		docker tag busybox second; docker rmi busybox; docker images --format '{{.Repository}}' | sort; docker tag second busybox; docker rmi second
		docker tag busybox keep; docker rmi -f busybox; docker ps -a --format '{{.Image}}' -f name=user; docker run --rm --pull never busybox true; docker tag keep busybox; docker rmi keep
		docker rm user
		docker image rm nosuch
		docker image remove nosuch
		docker image inspect nosuch
		docker image inspect busybox -f '{{.RepoTags}} {{.Os}} {{.Architecture}} {{.Config.Cmd}}'
		docker image inspect parity/app:1 -f '{{json .Config.Volumes}} {{json .Config.ExposedPorts}} {{json .Config.Labels}} {{.Config.StopSignal}} {{.Config.WorkingDir}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.Env}}'
		docker image inspect parity/app:1 -f '{{.RootFS.Type}} {{len .RootFS.Layers}}'
		docker inspect --type image busybox -f '{{.Id}}' | wc -c
		docker image inspect
		docker image prune -f
		echo n | docker image prune
		docker image prune --filter nonsense=1 -f
		docker pull UPPER
		docker pull
		docker pull a b
		docker pull --nonsense x
		docker pull 127.0.0.1:1/nosuch
		docker pull busybox@sha256:abc
		`,
	],
};

import {lines, type Table} from '../table.ts';

export const inspect: Table = {
	name: 'inspect',
	recorded: true,
	setup: `
docker run -d --name up -e A=1 -l k=v -h host -p 127.0.0.1:18080:80 -v /anon busybox sleep 1000
docker create --name new busybox sh -c true
docker volume create vol
docker network create net`,
	pairs: lines`
		docker inspect -f '{{.Name}} {{.Path}} {{json .Args}} {{.Driver}} {{.Platform}} {{.RestartCount}}' up
		docker inspect -f '{{json .Config}}' new | tr ',' '\n' | grep -v Hostname
		docker inspect -f '{{range $k, $v := .HostConfig}}{{println $k}}{{end}}' new | grep -v -e KernelMemory -e Annotations -e Init$ -e Mounts -e StorageOpt -e Sysctls -e Tmpfs
		docker inspect -f '{{with .HostConfig}}{{json .Binds}} {{json .LogConfig}} {{json .RestartPolicy}} {{json .CapAdd}} {{json .Dns}} {{json .ExtraHosts}} {{json .Links}} {{json .Devices}} {{json .Ulimits}} {{json .PidsLimit}} {{json .MemorySwappiness}} {{.ShmSize}} {{.IpcMode}} {{.PidMode}} {{.AutoRemove}} {{.OomKillDisable}} {{.Memory}}{{end}}' new
		docker inspect -f '{{json .HostConfig.PortBindings}} {{json .HostConfig.ReadonlyPaths}}' up
		docker inspect -f '{{json .Config}}' up | tr ',' '\n'
		docker inspect -f '{{range $k, $v := .}}{{println $k}}{{end}}' up
		docker inspect -f '{{range $k, $v := .State}}{{println $k}}{{end}}' up
		docker inspect -f '{{range $k, $v := .NetworkSettings}}{{println $k}}{{end}}' up
		docker inspect -f '{{range $k, $v := .NetworkSettings.Networks.bridge}}{{println $k}}{{end}}' up | grep -v -e DNSNames -e GwPriority
		docker inspect -f '{{json .NetworkSettings.Ports}}' up
		docker inspect -f '{{json .NetworkSettings.Ports}}' new
		docker inspect -f '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.MacAddress}}' up
		docker inspect -f '{{with index .NetworkSettings.Ports "80/tcp"}}{{(index . 0).HostPort}}{{end}}' up
		docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.FinishedAt}}' up
		docker inspect -f '{{len .Id}} {{.Image | len}} {{slice .Id 0 12 | len}}' up
		docker inspect -f '{{.Created}} {{.State.StartedAt}}' up
		docker inspect -f '{{range .Config.Env}}{{.}}{{"\n"}}{{end}}' up
		docker inspect -f '{{index .Config.Labels "k"}} {{.Config.Labels.k}} {{.Config.Labels.nothing}}' up
		docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}' up
		docker inspect -f '{{.Nonsense}}' up
		docker inspect -f '{{.State.Nonsense}}' up
		docker inspect -f '{{' up
		docker inspect -f '{{nonsense}}' up
		docker inspect -f '{{json .State.Health}}' up
		docker inspect -f '{{.HostConfig.Binds}} {{.HostConfig.CapAdd}} {{.Config.Entrypoint}} {{.Config.Volumes}} {{.Config.Healthcheck}}' up
		docker inspect -f '{{printf "%s-%d" .Name .State.ExitCode}}' up
		docker inspect -f '{{join .Args ","}} {{split "a,b" ","}} {{title "abc"}} {{lower "ABC"}} {{pad "x" 1 2}}|' up
		docker inspect -f '{{if and .State.Running (eq .Name "/up")}}yes{{else}}no{{end}}' up
		docker inspect -f '{{$x := .Name}}{{$x}} {{not true}} {{or "" "b"}} {{html "<"}} {{js "\""}} {{urlquery "a b"}}' up
		docker inspect -f '{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}' up
		docker inspect -f '{{ .Name -}}   {{- " x" }}{{/* comment */}}' up
		docker inspect -f '{{eq 1 1}} {{ne 1 2}} {{lt 1 2}} {{gt 1 2}} {{le 1 1}} {{ge 1 2}}' up
		docker inspect -f '{{truncate "abcdef" 3}}' up
		docker inspect -s -f '{{.SizeRw}}' new | grep -c .
		docker inspect nowhere
		docker inspect up nowhere -f '{{.Name}}'
		docker inspect
		docker inspect --type nonsense up
		docker inspect --type image up
		docker inspect --type container busybox
		docker inspect --type volume vol -f '{{.Name}}'
		docker inspect --type network net -f '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.EnableIPv6}}'
		docker inspect vol net -f '{{.Name}}'
		docker inspect --format '{{.Id}}' busybox | wc -c
		docker inspect $(docker ps -q -f name=up) -f '{{.Name}}'
		docker inspect $(docker ps -q -f name=up | cut -c1-4) -f '{{.Name}}'
		docker container inspect up -f '{{.Name}}'
		docker container inspect busybox
		docker container inspect
		docker inspect new | sed -n 's/^        "\([A-Za-z]*\)".*/\1/p'
		docker inspect new | head -3
		docker inspect up new | grep -c '"Id"'
		docker image inspect busybox | sed -n 's/^        "\([A-Za-z]*\)".*/\1/p'
		docker network inspect net | sed -n 's/^        "\([A-Za-z]*\)".*/\1/p'
		docker volume inspect vol | sed -n 's/^        "\([A-Za-z]*\)".*/\1/p'
	`,
};

export const reports: Table = {
	name: 'top, stats, port, update, events, system',
	setup: `
sleep 1; date +%s > begun; sleep 1
docker run -d --name up -p 127.0.0.1:18081:80 -p 127.0.0.1:18082:53/udp -m 64m busybox sleep 1000
docker run --name done busybox true`,
	pairs: [
		...lines`
		docker top up | tail -1 | tr -s ' ' | cut -d' ' -f8-
		docker top up | head -1
		docker top up -o pid,comm | tail -1 | tr -s ' ' | cut -d' ' -f2
		docker top up -eo pid,args | head -1
		docker top up aux | head -1
		docker top up -o nonsense
		docker top up -o comm
		docker top done
		docker top nowhere
		docker top
		docker stats --no-stream --format '{{.Name}} {{.PIDs}}' up
		docker stats --no-stream up | head -1
		docker stats --no-stream --format '{{.Container}} {{.Name}}'
		docker stats --no-stream --format '{{.MemUsage}}' up | sed 's/.* //'
		docker stats --no-stream -a --format '{{.Name}}' | sort
		docker stats --no-stream done --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}'
		docker stats --no-stream nowhere
		docker stats --no-stream --format '{{.Nonsense}}' up
		docker stats --nonsense
		docker port up
		docker port up 80
		docker port up 80/tcp
		docker port up 53/udp
		docker port up 53
		docker port up 99
		docker port up nonsense
		docker port done
		docker port nowhere
		docker port
		docker port up 80 81
		docker update -m 32m --memory-swap 64m up; docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' up
		docker update --cpus 0.5 up; docker exec up sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us'
		docker update -c 100 up; docker exec up cat /sys/fs/cgroup/cpu/cpu.shares
		docker update --pids-limit 50 up; docker exec up cat /sys/fs/cgroup/pids/pids.max
		docker update --restart always up; docker inspect -f '{{json .HostConfig.RestartPolicy}}' up
		docker update --restart nonsense up
		docker update --restart no up done
		docker update up
		docker update
		docker update nowhere -m 32m
		docker update -m 1k up
		docker update -m x up
		docker update --cpus 100 up
		docker update --cpuset-cpus 77 up
		docker update --memory 128m up
		docker update --nonsense up
		sleep 1; docker events --since $(cat begun) --until 0s -f container=done --format '{{.Type}} {{.Action}}'
		docker events --since $(cat begun) --until 0s -f container=done -f event=die | sed 's/execDuration=0, //'
		docker events --since $(cat begun) --until 0s -f container=done -f event=create --format '{{json .Actor.Attributes}}'
		docker events --since $(cat begun) --until 0s -f type=volume
		docker events --since $(cat begun) --until 0s -f type=network -f event=connect --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}' | sort -u
		docker events --since nonsense
		docker events --until nonsense
		docker events --since $(cat begun) --until 0s -f nonsense
		docker events --since $(cat begun) --until 0s --format '{{.Nonsense}}'
		docker events --since $(cat begun) --until 0s --format '{{'
		docker events extra
		docker run -d --name seen busybox sh -c 'sleep 2' > /dev/null; docker exec seen true; docker wait seen; docker rm seen; sleep 1; docker events --since $(cat begun) --until 0s -f container=seen --format '{{.Action}}'
		docker system df | sed 's/  */ /g' | cut -d' ' -f1
		docker system df --format '{{.Type}}'
		docker system df -v | grep -iE 'space usage|^[A-Z ]+$'
		docker system df extra
		docker system 2> /dev/null
		docker system nonsense
		docker system info --format '{{.OSType}} {{.NCPU}} {{.Architecture}}'
		docker info --format '{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}'
		docker info --format '{{.Driver}} {{.LoggingDriver}} {{.CgroupVersion}} {{.MemoryLimit}} {{.SwapLimit}}'
		docker info --format '{{.Nonsense}}'
		docker info --format '{{'
		docker info extra
		docker version --format '{{.Client.Os}} {{.Client.Arch}} {{.Server.Os}}'
		docker version --format '{{.Nonsense}}'
		docker version --format '{{'
		docker version extra
		docker container prune -f | head -1
		echo n | docker container prune
		docker container prune --filter nonsense=1 -f
		docker container prune --filter until=x -f
		echo n | docker system prune
		docker system prune --filter nonsense=1 -f
		docker events --since $(cat begun) --until 0s -f nonsense=1 -f container=done -f event=create --format '{{.Action}}'
		docker events -f =x --since 1 --until 2
	`,
	],
};

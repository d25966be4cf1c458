import {lines, type Table} from '../table.ts';

/** Each placeholder alone, under its heading. */
const columns = (command: string, names: string, tail = ''): string[] =>
	names.split(' ').map((name) => `docker ${command} --format 'table {{.${name}}}'${tail}`);

/** What is another path, or newer docker knows. */
const left = 's/"(Mountpoint|IPv4|HealthStatus|Containers|Size)":"[^"]*",?//g';

/** The ways of --format that every list has. */
const ways = (command: string, name: string, tail = ''): string[] =>
	[
		'json',
		'table',
		'raw',
		'{{json .}}',
		'table {{json .}}',
		`{{.${name}}}{{"\\t"}}|`,
		`table {{.${name}}}\\t{{upper .${name}}}`,
		`table {{.${name}}} and {{.${name} | len}}`,
		`{{.${name}`,
		`{{.Nonsense}}`,
		`{{nonsense}}`,
		`{{.${name}.Deeper}}`,
		`{{index .${name} 100}}`,
		`TABLE {{.${name}}}`,
		` table {{.${name}}}`,
		`{{with .${name}}}{{.}}{{else}}none{{end}}`,
	].map((format) => {
		const all = format === 'json' || format === '{{json .}}';
		const without = format === 'table {{json .}}' ? ` | sed -E '${left}'` : '';
		return `docker ${command} --format '${format}'${tail}${all ? ' | shape -Size -HealthStatus' : without}`;
	});

export const formats: Table = {
	name: 'formats: placeholders and templates',
	recorded: true,
	setup: `
docker create --name one --network none -l a=1 -l b=x -p 80:80 busybox sh -c 'echo a long command that is longer'
docker volume create vol
docker run --name app --network none -v data:/var/data --entrypoint true parity/app:1
docker network create --label n=1 net
docker volume create --label v=1 labelled
docker tag busybox other:tag`,
	pairs: [
		...columns(
			'ps -a',
			'ID Image Command RunningFor Ports State Status Size Names Labels Mounts Networks LocalVolumes CreatedAt',
		),
		...ways('ps -a', 'Names'),
		...columns('images', 'ID Repository Tag Digest CreatedSince CreatedAt', ' busybox'),
		...ways('images', 'Repository', ' busybox'),
		...columns('volume ls', 'Name Driver Scope Mountpoint Labels', " | sed 's/[^ ]*volumes/X/'"),
		...ways('volume ls', 'Name'),
		...columns('network ls', 'ID Name Driver Scope IPv6 Internal Labels CreatedAt'),
		...ways('network ls', 'Name'),
		...columns('history busybox', 'ID CreatedSince CreatedAt CreatedBy Size Comment'),
		...ways('history busybox', 'ID'),
		...columns('system df', 'Type TotalCount Active Size Reclaimable', " | sed 's/([0-9]*%)/(%)/'"),
		...ways('system df', 'Type', " | sed 's/([0-9]*%)/(%)/'"),
		...columns('stats --no-stream one', 'Container Name ID CPUPerc MemUsage NetIO BlockIO MemPerc PIDs'),
		...ways('stats --no-stream one', 'Name'),
		...lines`
		docker ps -a --format '{{.Label "a"}}{{.Label "none"}}'
		docker ps -a --format 'table {{.Label "a"}}\t{{.Names}}'
		docker ps -a --format '{{.Label}}'
		docker ps -a --format '{{.Label 1}}'
		docker volume ls --format 'table {{.Label "v"}}'
		docker images --format '{{.VirtualSize}}' busybox
		docker network ls --format 'table {{.Label "n"}}'
		docker ps -aq --format '{{.Names}}'
		docker ps -a --no-trunc --format '{{.Command}}'
		docker ps -a --no-trunc --format '{{.ID}}' | head -1
		docker ps -a --format '{{.Names}}' -f name=one -s
		docker ps -a --format '{{.Names}} {{.Size}}' -f name=one
		docker images --no-trunc --format '{{.ID}}' busybox
		docker images --digests --format '{{.Digest}}' busybox
		docker images -q --format '{{.Tag}}' busybox
		docker images --digests --format table busybox
		docker network ls --no-trunc --format '{{.ID}}' -f name=net
		docker network ls -q --format '{{.Name}}' -f name=net
		docker volume ls -q --format '{{.Driver}}'
		docker history --no-trunc --format '{{.ID}}' busybox
		docker history -q --no-trunc busybox
		docker history busybox
		docker history --human=false --format '{{.CreatedSince}}' busybox
		docker history -H=false --format '{{.Size}}' busybox | tr 0-9 N | sed 's/N*$//'
		docker history --no-trunc parity/app:1 | head -1
		docker system df -v --format '{{json .}}' | shape -Size -SharedSize -UniqueSize -BuildCache -HealthStatus
		docker system df -v --format '{{range .Images}}{{.Repository}} {{.Tag}} {{.Containers}}{{println}}{{end}}' | sort
		docker system df -v --format '{{range .Containers}}{{.Names}} {{.Image}} {{.Command}} {{.LocalVolumes}} {{.Status}}{{println}}{{end}}'
		docker system df -v --format '{{range .Volumes}}{{.Name}} {{.Links}}{{println}}{{end}}' | sort
		docker system df -v --format '{{.Nonsense}}'
		docker system df -v | grep -v -e sha -e '^$' | head -2
		docker version --format '{{.Client.Version}}{{.Server.Version}}' | grep -c .
		docker version --format json | shape | grep -E '^.(Client|Server).(Version|ApiVersion|Os|Arch|KernelVersion) '
		docker version --format '{{json .Client}}' | shape | grep -E '^.(Version|ApiVersion|Os|Arch|DefaultAPIVersion) '
		docker version -f '{{.Server.Os}}/{{.Server.Arch}} {{.Client.Os}}/{{.Client.Arch}}'
		docker version -f '{{range .Server.Components}}{{if eq .Name "Engine"}}{{.Details.Os}}{{end}}{{end}}' | sort
		docker version -f '{{.Client.Nonsense}}'
		docker version -f '{{'
		docker version | grep -cE '^(Client|Server)'
		docker events --since 0 --until 1 --format json
		docker events --since 1 --until 2 --format '{{json .}}'
		docker events --since 1 --until 2 --format 'table {{.ID}}'
		docker events --since 1 --until 2 --format table
		docker search --format '{{' x
		docker search nothing
		docker search --no-trunc --format '{{.Name}}' nothing
		docker port one --format x
		docker inspect -f json one | shape | head -1
		docker inspect -f '{{json .Config.Labels}}' one
		docker inspect -f 'table {{.Name}}' one
		docker inspect -f '' one | head -1
		docker inspect -f '{{.}}' one | cut -c1-4
		docker inspect -f '{{println .Name}}{{print .Name 1 2 "x"}}' one
		docker inspect -f '{{range $i, $a := .Args}}{{$i}}={{$a}};{{end}}' one
		docker inspect -f '{{range .Nothing}}x{{end}}' one
		docker inspect -f '{{index .Config.Cmd 0}} {{index .Config.Labels "a"}} {{index .Config.Labels "z"}}' one
		docker inspect -f '{{index .Config.Cmd 9}}' one
		docker inspect -f '{{index .Config.Cmd "a"}}' one
		docker inspect -f '{{.Config.Cmd.Name}}' one
		docker inspect -f '{{.Name.X}}' one
		docker inspect -f '{{len 3}}' one
		docker inspect -f '{{slice .Name 1 3}} {{slice .Name 9}}' one
		docker inspect -f '{{eq .State.ExitCode 0 1}} {{eq .Name 1}}' one
		docker inspect -f '{{lt .Name "b"}} {{lt 1 "b"}}' one
		docker inspect -f '{{if .State.Running}}a{{else if eq .State.Status "created"}}b{{else}}c{{end}}' one
		docker inspect -f '{{with $x := .State.Status}}{{$x}}{{end}}{{$x}}' one
		docker inspect -f '{{range .Args}}{{if eq . "-c"}}{{continue}}{{end}}{{.}}{{break}}{{end}}' one
		docker inspect -f '{{block "b" .Name}}<{{.}}>{{end}}' one
		docker inspect -f '{{template "none"}}' one
		docker inspect -f '{{end}}' one
		docker inspect -f '{{if}}{{end}}' one
		docker inspect -f '{{if true}}' one
		docker inspect -f '{{"unclosed}}' one
		docker inspect -f '{{.Name | printf "%5s|%-7s|" "a"}}' one
		docker inspect -f '{{printf "%d %5d %-5d| %05d %x %X %o %b %c %q %U" 1 2 3 4 255 255 8 5 65 66 67}}' one
		docker inspect -f '{{printf "%v %+v %T %t %e %.2f %g %%" "a" 1 "b" true 1.5 2.345 0.1}}' one
		docker inspect -f '{{printf "%d %s" "x" 1}} {{printf "%z" 1}} {{printf "%d"}} {{printf "x" 1}}' one
		docker inspect -f '{{printf "%v" .Config.Labels}} {{printf "%v" .Config.Cmd}} {{.Config.Cmd}} {{.Config.Labels}}' one
		docker inspect -f '{{json .State.ExitCode}} {{json "<&>"}} {{json .Nothing}}' one
		docker inspect -f '{{split "a b c" " "}} {{join (split "a,b" ",") "-"}} {{lower "AbC"}} {{upper "abc"}} {{title "a bc"}}' one
		docker inspect -f '{{pad "x" 2 3}}|{{pad "" 2 3}}|{{truncate "ab" 5}}|{{truncate "" 1}}' one
		docker inspect -f '{{1}} {{0x10}} {{1e3}} {{1.50}} {{"a\tb"}} {{true}} {{nil}}' one
		docker inspect -f '{{1}} {{0x10}} {{1e3}} {{1.50}} {{"a\u00e9"}} {{true}} {{.Name}}' one
		docker inspect -f '{{and 1 0 2}} {{or 0 "" 3}} {{not 0}} {{and true}} {{or false}}' one
		docker inspect -f '{{call .Name}}' one
		docker inspect -f '{{html "<a&b>"}} {{js "it'"'"'s"}} {{urlquery "a b&c"}} {{print nil}}' one
		docker inspect -f '{{- .Name -}} x {{- " y " -}} z' one
		docker inspect -f '{{ $a := 1 }}{{ $a = 2 }}{{ $a }} {{range $k, $v := .Config.Labels}}{{$k}}:{{$v}},{{end}}' one
		docker inspect -f '{{(index .Config.Cmd 0) | len}} {{len .Config.Cmd | printf "%03d"}}' one
		docker inspect -f '{{.HostConfig.NetworkMode.IsPrivate}}' one
		docker inspect -f '{{.State.Health.Status}}' one
		docker inspect -f '{{if .State.Health}}h{{else}}none{{end}} {{.State.Error}}|{{.HostConfig.Memory}}' one
		docker inspect -f '{{.Config.Healthcheck.Test}}' one
		docker inspect -f '{{.hostconfig}}' one
		docker inspect -f '{{.Id | len}} {{.ID}}' one
		docker inspect -f '{{.Id | len}} {{.ID | len}}' busybox
		docker network inspect -f '{{.Id | len}} {{.ID | len}}' net
		docker network inspect -f '{{range .IPAM.Config}}{{len .Subnet | lt 0}}{{end}} {{.Options}} {{.Labels}} {{.Containers}} {{.Created.Year | lt 2000}}' net
		docker volume inspect -f '{{.Name}} {{.Options}} {{.Labels}} {{.Status}} {{.UsageData}}' labelled
		docker volume inspect -f '{{.Nonsense}}' labelled
		docker image inspect -f '{{.Size | lt 1000}} {{.Architecture}} {{.Os}} {{.RootFS.Type}} {{.Author}} {{.Comment}}|{{.Config.Env}}' busybox
	`,
		{
			line: "docker ps -a --format '{{.Platform}}'",
			because: 'what is not there has no type of its own',
			stdout: '<no value>\n<no value>\n',
		},
		{
			line: 'docker search --format json --limit 1 127.0.0.1:1/x',
			because: 'it is asked in another way',
			stderr: 'Error: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
		},
		{
			line: 'docker search 127.0.0.1:1/x',
			because: 'it is asked in another way',
			stderr: 'Error: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
		},
	],
};

/** What both say of the host; it is another one where the tests run. */
export const host: Table = {
	name: 'formats: the host',
	pairs: [
		...lines`
		docker info --format '{{.ID}}' | grep -c .
		docker info --format '{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}} {{.Images}}'
		docker info --format '{{.OSType}} {{.Architecture}} {{.NCPU}} {{.MemTotal}} {{.KernelVersion}} {{.OperatingSystem}} {{.Name}}'
		docker info --format '{{.CgroupDriver}} {{.CgroupVersion}} {{.MemoryLimit}} {{.SwapLimit}} {{.CPUShares}} {{.CPUSet}} {{.PidsLimit}} {{.OomKillDisable}} {{.CPUCfsQuota}} {{.CPUCfsPeriod}} {{.IPv4Forwarding}}'
		docker info --format '{{json .Swarm.LocalNodeState}} {{.IndexServerAddress}} {{json .HTTPProxy}} {{json .Labels}}'
		docker info --format '{{json .RegistryConfig.IndexConfigs}}'
		docker info --format '{{len .SecurityOptions | lt 0}} {{.ServerVersion | len | lt 0}} {{.DockerRootDir | len | lt 0}} {{.SystemTime | len | lt 0}} {{.InitBinary | len | lt 0}}'
		docker info --format '{{.ClientInfo.Debug}} {{.ClientInfo.Context}}'
		docker info | grep -oE '^ *(Containers|Running|Paused|Stopped|Images|Server Version|Storage Driver|Logging Driver|Cgroup Driver|Cgroup Version|Kernel Version|Operating System|OSType|Architecture|CPUs|Total Memory|Name|ID|Docker Root Dir|Debug Mode|Insecure Registries|Live Restore Enabled|Client|Server|Plugins|Volume|Network|Log|Security Options|Default Runtime|Runtimes|Experimental):'
	`,
		{
			line: "docker info --format '{{.LoggingDriver}} {{.Driver}} {{.DefaultRuntime}} {{.LiveRestoreEnabled}} {{.Isolation}} {{.ExperimentalBuild}} {{.Debug}}' | sed 's/runc/X/; s/wherry/X/'",
			because: 'containers outlive the engine, which is no daemon',
			stdout: 'json-file overlay2 X true  false false\n',
		},
		{
			line: "docker info --format '{{json .Plugins.Volume}} {{json .Plugins.Network}} {{json .Plugins.Authorization}}'",
			because: 'overlay networks are those of swarms',
			stdout: '["local"] ["bridge","host","ipvlan","macvlan","null"] null\n',
		},
	],
};

const matching = (command: string, filters: string): string[] =>
	filters
		.trim()
		.split(/\s+/)
		.map((filter) => `docker ${command} -f '${filter}'${command.startsWith('images') ? ' | sort' : ''}`);

export const filters: Table = {
	name: 'filters of each noun',
	recorded: true,
	setup: `
docker create --name c1 --network none -l k=a -l m=1 busybox true
docker run --name c2 --network none -l k=b busybox sh -c 'exit 3' || true
docker run -d --name c3 --network none -v fvol:/data -l 'sp=a b' busybox sleep 1000
docker create --name c4 -p 8080:80 --expose 90/udp parity/app:1
docker network create --label k=a n1; docker network create --label k=b --internal n2
docker volume create --label k=a v1; docker volume create --label k=b v2
docker tag busybox other:1; docker tag busybox other:2; docker tag busybox a/b/c:1`,
	pairs: [
		...matching(
			"ps -a --format '{{.Names}}'",
			`label=k label=k=a label=k=c label!=k label= label=sp=a label=k= name=c name=^/c1$ name=c1|c2 name= name=C1
			id=zzz id= status=created status=exited status=running status=dead status=removing status=restarting
			status=Running status= exited=0 exited=3 exited=-1 exited=x exited= ancestor=busybox ancestor=busybox:latest
			ancestor=other:1 ancestor=nothing ancestor= before=c3 before=c1 before=x since=c1 since=c4 volume=fvol
			volume=/data volume=/nothing network=none network=bridge network=nothing publish=8080 publish=80/tcp
			publish=1-9000 publish=9000-1 publish=80/x publish= expose=90/udp expose=90 expose=80-90/tcp expose=x
			health=none health=healthy health=starting is-task=false is-task= isolation=default isolation=hyperv
			driver=local dangling=true NAME=c1 status!=running =x x x=y=z`,
		),
		...matching(
			"images --format '{{.Repository}}:{{.Tag}}'",
			`dangling=false dangling=true dangling=x dangling= label=kind label=kind=app label=kind=x
			label=version=1.0 before=parity/user:1 before=other:1 before=nothing before= since=parity/app:1
			since=busybox since=x reference=other reference=other:* reference=*:1 reference=*/* reference=a/b/c
			reference=a/*/c reference=busy* reference=[ reference= reference=OTHER reference=busybox:latest
			reference=docker.io/library/busybox name=x x id=y`,
		),
		...matching(
			"volume ls --format '{{.Name}}'",
			`dangling=true dangling=false dangling=1 dangling=x dangling= driver=local driver=x driver= label=k label=k=a
			label=k=x label!=k label= name=v name=v1 name=V1 name=^v name= name=[ scope=local id=x x`,
		),
		...matching(
			"network ls --format '{{.Name}}'",
			`driver=bridge driver=null driver=x driver= id=zzz id= label=k label=k=a label=k=x label= name=n name=n1 name=^n1$
			name=N1 name=[ name= scope=local scope=swarm scope=global scope=x type=custom type=builtin type=x type= dangling=x
			x x=y`,
		),
		...matching(
			"events --since 1 --until 2 --format '{{.ID}}'",
			`type=container type=x event=die event=x container=c1 container=nothing image=busybox label=k label=k=a network=n1
			volume=v1 scope=local scope=x daemon=x plugin=x x`,
		),
		{
			line: "docker ps -a --format '{{.Names}}' -f since=",
			because: 'it says why there is none',
			stderr: 'invalid container name or ID: value is empty',
		},
		{
			line: "docker ps -a --format '{{.Names}}' -f is-task=0",
			because: 'newer docker takes it for false',
			code: 0,
			stdout: 'c4\nc3\nc2\nc1\n',
			stderr: '',
		},
		{
			line: "docker images --format '{{.Repository}}:{{.Tag}}' -f dangling=0 busybox",
			because: 'newer docker takes it for false',
			code: 0,
			stdout: 'busybox:latest\n',
			stderr: '',
		},
		{
			line: "docker images --format '{{.Repository}}:{{.Tag}}' -f dangling=1 busybox",
			because: 'newer docker takes it for true',
			code: 0,
			stdout: '',
			stderr: '',
		},
		{
			line: "docker images --format '{{.Repository}}:{{.Tag}}' -f label!=kind busybox",
			because: 'newer docker has it',
			code: 0,
			stdout: 'busybox:latest\n',
			stderr: '',
		},
		{
			line: "docker images --format '{{.Repository}}:{{.Tag}}' -f until=2021-06-01",
			because: 'newer docker has it',
			code: 0,
			stdout: 'parity/user:1\n',
			stderr: '',
		},
		{
			line: "docker images --format '{{.Repository}}:{{.Tag}}' -f until=x",
			because: 'newer docker has it',
			code: 1,
			stdout: '',
			stderr: 'Error: failed to parse value as time or duration: "x"',
		},
		...lines`
		docker ps -a -f name=c1 -f name=c2 --format '{{.Names}}'
		docker ps -a -f label=k -f label=m --format '{{.Names}}'
		docker ps -a -f label=k=a -f label=k=b --format '{{.Names}}'
		docker ps -a -f status=exited -f name=c1 --format '{{.Names}}'
		docker ps -a -f exited=0 -f exited=3 --format '{{.Names}}'
		docker ps -a -f id=$(docker ps -aq -f name=c1) -f id=$(docker ps -aq -f name=c2) --format '{{.Names}}'
		docker ps -a --filter 'name = c1' --format '{{.Names}}'
		docker ps -a -n 1 -f label=k --format '{{.Names}}'
		docker ps -l -f label=k --format '{{.Names}}'
		docker ps -n 0 --format '{{.Names}}'
		docker ps -n 2 -q -f name=c1 | wc -l
		docker ps -f name=c1 -q
		docker images -f reference=other:1 -f reference=busybox --format '{{.Repository}}:{{.Tag}}'
		docker images -f label=kind -f label=version --format '{{.Repository}}'
		docker images other --format '{{.Tag}}'
		docker images other:2 --format '{{.Tag}}'
		docker images 'oth*' --format '{{.Tag}}'
		docker images '*:2' --format '{{.Repository}}'
		docker images a/b/c
		docker images a/b
		docker images OTHER
		docker images other:1 -f dangling=true
		docker images $(docker images -q busybox)
		docker images docker.io/library/busybox --format '{{.Repository}}'
		docker image ls -f dangling=true -q
		docker volume ls -f name=v1 -f name=v2 -q
		docker volume ls -f name=v -f label=k=a -q
		docker volume ls -f label=k -f dangling=true -q
		docker network ls -f name=n1 -f name=n2 --format '{{.Name}}'
		docker network ls -f driver=bridge -f driver=host --format '{{.Name}}'
		docker network ls -f name=n1 -f driver=host --format '{{.Name}}'
		docker network ls -f id=$(docker network ls -qf name=n1) --format '{{.Name}}'
		docker network ls -f label=k -f label=k=b --format '{{.Name}}'
		docker container prune -f --filter label=k=x
		docker container prune -f --filter label!=k --filter label=k
		docker container prune -f --filter until=1h
		docker container prune -f --filter until=2001-01-01
		docker container prune -f --filter status=exited
		docker image prune -f --filter until=2001-01-01
		docker image prune -af --filter label=nothing
		docker image prune -f --filter dangling=true
		docker image prune -f --filter label!=x
		docker volume prune -f --filter label=nothing
		docker volume prune -f --filter until=1h
		docker network prune -f --filter label=nothing
		docker network prune -f --filter until=24h
		docker network prune -f --filter until=1s --filter until=2s
		docker network prune -f --filter label=k=b; docker network ls --format '{{.Name}}' -f type=custom
		docker network prune -f --filter driver=x
		docker system prune -f --filter label=nothing
		docker system prune -f --volumes --filter until=1h
		docker system prune -f --filter driver=x
		docker container prune -f --filter label=k=b | sed 's/^[0-9a-f]*$/ID/'; docker ps -a --format '{{.Names}}'
		docker container prune -f --filter label!=k | sed 's/^[0-9a-f]*$/ID/'; docker ps -a --format '{{.Names}}'
		docker rmi other:1 other:2 a/b/c:1
	`,
		{
			line: 'docker volume prune -f --filter label=k=a --filter all=x',
			because: 'newer docker knows it',
			stderr: "Error: invalid filter 'all=[x]'",
		},
	],
};

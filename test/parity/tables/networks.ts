import {lines, type Table} from '../table.ts';

export const networks: Table = {
	name: 'network',
	setup: `
docker network create one
docker network create --subnet 10.99.1.0/24 --gateway 10.99.1.254 --label a=1 two
docker run -d --name up --network two --ip 10.99.1.5 --network-alias alias busybox sleep 1000
docker create --name new busybox true
docker run --name done busybox true`,
	pairs: [
		...lines`
		docker network ls
		docker network ls -q | wc -l
		docker network list --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.IPv6}} {{.Labels}}'
		docker network ls --no-trunc -f name=one
		docker network ls -f driver=bridge --format '{{.Name}}'
		docker network ls -f driver=host --format '{{.Name}}'
		docker network ls -f type=custom --format '{{.Name}}'
		docker network ls -f type=builtin --format '{{.Name}}'
		docker network ls -f type=nonsense
		docker network ls -f label=a --format '{{.Name}}'
		docker network ls -f scope=local --format '{{.Name}}'
		docker network ls -f nonsense=1
		docker network ls --format '{{.Nonsense}}'
		docker network ls extra
		`,
		{
			line: "docker network ls -f dangling=true --format '{{.Name}}'",
			because: '20.10 calls every network dangling',
			stdout: 'one\n',
		},
		{
			line: 'docker network create --subnet 10.99.1.0/25 x',
			because: 'newer docker says with what it overlaps',
			stderr:
				'Error: invalid pool request: Pool overlaps with other one on this address space: 10.99.1.0/25 overlaps 10.99.1.0/24 of network two',
		},
		{
			line: "docker network create ''",
			because: 'newer docker words it so',
			stderr: 'Error: invalid name: name is empty',
		},
		{
			line: 'docker run --rm --network two --ip 10.99.9.5 busybox true',
			because: 'newer docker words it so',
			stderr:
				'docker: Error: invalid config for network two: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.99.9.5',
		},
		{
			line: 'docker run --rm --network two --ip nonsense busybox true',
			because: 'the client says it, and has no prefix',
			stderr: 'docker: invalid IPv4 address: nonsense',
		},
		{
			line: 'docker run --rm --network one --ip 10.99.1.9 busybox true',
			because: 'newer docker words it so',
			stderr:
				'docker: Error: invalid config for network one: invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets: 10.99.1.9',
		},
		{
			line: 'docker run --rm --dns 127.0.0.1 busybox grep -c 127.0.0.1 /etc/resolv.conf',
			because: 'docker words it so until 28.1',
			stderr: 'WARNING: Localhost DNS setting (--dns=127.0.0.1) may fail in containers.',
		},
		{
			line: 'docker create --dns 8.8.8.8 --dns ::1 busybox | wc -c',
			because: 'docker words it so until 28.1',
			stderr: 'WARNING: Localhost DNS setting (--dns=::1) may fail in containers.',
		},
		{
			line: 'docker run --rm --mac-address 02:42:ac:11:00:99 busybox cat /sys/class/net/eth0/address',
			because: "newer docker's client does not do it with the old daemon",
			code: 0,
			stdout: '<mac>\n',
			stderr: '',
		},
		{
			line: 'docker network rm two',
			because: 'newer docker words it so',
			stderr:
				'Error: error while removing network: network two has active endpoints (name:"up" id:"<short>")',
		},
		...lines`
		docker network create --subnet nonsense x
		docker network create --subnet 10.99.2.0/24 --gateway 10.99.3.1 x
		docker network create --gateway 10.99.3.1 x
		docker network create --subnet 10.99.2.0/24 --ip-range 10.99.3.0/24 x
		docker network create --subnet 10.99.2.0/24 --subnet 10.99.2.0/25 x
		docker run --rm --network container: busybox true
		docker network connect host up
		docker network create three | wc -c
		docker network create three
		docker network create bridge
		docker network create host
		docker network create -d nonsense x
		docker network create -d host x
		docker network create -d null x
		docker network create --ipam-driver nonsense x
		docker network create -o nonsense x
		docker network create
		docker network create 'bad name'
		docker network create --nonsense x
		docker network inspect two -f '{{json .IPAM.Config}} {{.Internal}} {{.Attachable}} {{.Ingress}} {{json .Labels}}'
		docker network inspect two -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}'
		docker network inspect bridge host none -f '{{.Name}} {{.Driver}}'
		docker network inspect nowhere
		docker network inspect one nowhere -f '{{.Name}}'
		docker network inspect
		docker inspect up -f '{{with .NetworkSettings.Networks.two}}{{.IPAddress}} {{.IPPrefixLen}} {{.Gateway}} {{json .IPAMConfig}}{{end}}'
		docker exec up sh -c 'ip -4 addr show eth0 | grep -o "inet [0-9./]*"; ip route | head -1'
		docker run --rm --network two busybox sh -c 'nslookup up 2>/dev/null | grep -c 10.99.1.5; ping -c1 -W2 alias | grep -c "1 packets received"'
		docker run --rm --network two --ip 10.99.1.5 busybox true
		docker run --rm --ip 10.99.1.9 busybox true
		docker run --rm --network nowhere busybox true
		docker run --rm --network container:nowhere busybox true
		docker run --rm --network container:done busybox true
		docker run --rm --network container:up busybox hostname | grep -c .
		docker run --rm --network container:up -h x busybox true
		docker run --rm --network container:up -p 80:80 busybox true
		docker run --rm --network host -p 80:80 busybox true
		docker run --rm --network none busybox ip -o link | wc -l
		docker run --rm --network none busybox cat /etc/resolv.conf | grep -c .
		docker run --rm --network host --link up busybox true
		docker run --rm --network none --link up:x busybox true
		docker run --rm --network container:up --link up:x busybox true
		docker run -d --name joins --network container:up busybox sleep 1000 > /dev/null; docker run --rm --network container:joins busybox cat /etc/hosts | grep -c localhost; docker rm -f joins
		docker run --rm -h a.example.org busybox sh -c 'grep -o "a\.example.*" /etc/hosts'
		docker run --rm -h a --domainname example.org busybox sh -c 'grep -o "a\.example.*" /etc/hosts'
		docker run --rm --read-only busybox touch /etc/hosts /etc/hostname /etc/resolv.conf
		docker run --rm --expose 80000 busybox true
		docker run --rm --expose 80-90000 busybox true
		docker run --rm --net two busybox true
		docker run --rm --network-alias x busybox true
		docker run --rm --network host --network-alias x busybox true
		docker run --rm --mac-address nonsense busybox true
		docker run --rm --dns 8.8.8.8 --dns-search example.org --dns-option ndots:3 busybox grep -v '^#' /etc/resolv.conf | sort
		docker run --rm --dns nonsense busybox true
		docker run --rm --dns-search . busybox grep -c search /etc/resolv.conf
		docker run --rm --add-host a:1.2.3.4 --add-host b:::1 busybox sh -c 'grep -E "\s(a|b)$" /etc/hosts'
		docker run --rm --add-host nonsense busybox true
		docker run --rm --add-host a:nonsense busybox true
		docker run --rm --add-host a:host-gateway busybox sh -c 'grep -c "\sa$" /etc/hosts'
		docker run --rm busybox sh -c 'sed "s/\t.*//; s/::0/::/" /etc/hosts | head -6'
		docker run --rm -p nonsense busybox true
		docker run --rm -p 70000:80 busybox true
		docker run --rm -p 80:70000 busybox true
		docker run --rm -p 80-81:80 busybox true
		docker run --rm -p 80:80/nonsense busybox true
		docker run --rm -p 1.2.3:80:80 busybox true
		docker run --rm --expose nonsense busybox true
		docker run --rm --expose 90-80 busybox true
		docker run -d --name pub -p 127.0.0.1:18090:80 -p 127.0.0.1:18091:81/udp busybox sleep 100 > /dev/null; docker ps --format '{{.Ports}}' -f name=pub; docker port pub
		docker run -d --name clash -p 127.0.0.1:18090:80 busybox sleep 100 > /dev/null; docker inspect -f '{{.State.Status}}' clash; docker rm clash
		docker rm -f pub
		docker run -d --name all -P --expose 90 --entrypoint sleep parity/app:1 100 > /dev/null; docker port all | sed 's/->.*//' | sort -u; docker inspect -f '{{json .Config.ExposedPorts}}' all; docker rm -f all
		docker run -d --name range -p 127.0.0.1:18100-18102:70-72 busybox sleep 100 > /dev/null; docker port range; docker ps -f name=range --format '{{.Ports}}'; docker rm -f range
		docker network connect one up; docker exec up ip -o -4 addr | grep -c eth
		docker network connect one up
		docker network connect one nowhere
		docker network connect nowhere up
		docker network connect none up
		docker network connect --ip 10.99.1.77 two new; docker inspect -f '{{.NetworkSettings.Networks.two.IPAMConfig.IPv4Address}}' new
		docker network connect
		docker network disconnect one up
		docker network disconnect one up
		docker network disconnect -f one up
		docker network disconnect one nowhere
		docker network disconnect nowhere up
		docker network rm nowhere
		docker network rm -f nowhere
		docker network rm one nowhere three
		docker network rm bridge
		docker network rm
		docker network 2> /dev/null
		docker network nonsense
		docker network prune --filter nonsense=1 -f
		echo n | docker network prune
	`,
	],
};

export const links: Table = {
	name: 'links',
	recorded: true,
	setup: 'docker run -d --name db -e SECRET=x --expose 5432 busybox sleep 1000',
	pairs: lines`
		docker run --rm --link db:alias busybox sh -c 'grep -c alias /etc/hosts; env | grep ALIAS | grep -v _NAME | sort'
		docker run --rm --link db busybox sh -c 'ping -c1 -W2 db | grep -c "1 packets received"'
		docker run --rm --link nowhere:x busybox true
		docker run --rm --link db:a:b busybox true
		docker run --rm --link '' busybox true
		docker run -d --name other busybox sleep 1000 > /dev/null; docker run --name same --link db:x --link other:x busybox sh -c 'grep -o "x .*" /etc/hosts | sed "s/[^ ]*$//;s/ [0-9a-f]* /-/"'; docker inspect -f '{{json .HostConfig.Links}}' same; docker rm -f same other
		docker run -d --name aaa --link db:last busybox sleep 1000 > /dev/null; docker ps --no-trunc --format '{{.Names}}'; docker rm -f aaa
		docker run -d --name web --link db:database busybox sleep 1000 > /dev/null; docker inspect -f '{{json .HostConfig.Links}}' web
		docker ps --format '{{.Names}}'
		docker ps --no-trunc --format '{{.Names}}'
		docker inspect /web/database -f '{{.Name}}'
		docker rename db db2; docker inspect -f '{{json .HostConfig.Links}}' web
		docker rm --link /web/database; docker inspect -f '{{json .HostConfig.Links}}' web
		docker rm -f web; docker run --rm --link db2 busybox true
	`,
};

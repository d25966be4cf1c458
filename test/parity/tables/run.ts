import {lines, type Table} from '../table.ts';

export const runProcess: Table = {
	name: 'run: the process',
	pairs: [
		...lines`
		docker run --rm busybox echo hello
		docker run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
		docker run --rm busybox false
		docker run --rm -- busybox echo x
		docker run --rm -- busybox echo x
		docker run --rm busybox echo --rm -it --name x
		docker run --rm busybox sh -c 'exec sleep 100 & kill -9 $!; wait $!; echo $?'
		docker run --rm -w /tmp busybox pwd
		docker run --rm -w /new/folder busybox sh -c 'pwd; ls -ld /new'  | sed 's/root.*//'
		docker run --rm -w relative busybox pwd
		docker run --rm -e A=1 -e B=two=2 busybox sh -c 'echo $A $B'
		A=here docker run --rm -e A -e NOT_SET busybox env | grep -E '^(A|NOT_SET)='
		docker run --rm -e HOSTNAME -e HOME busybox env | sort
		docker run --rm --entrypoint env -e COLOR parity/app:1 | sed 's/HOSTNAME=.*/HOSTNAME/'
		docker run --rm -e = busybox true
		docker run --rm -e '' busybox true
		docker run --rm busybox env | grep -v HOSTNAME
		docker run --rm -t busybox env | grep -v HOSTNAME | tr -d '\r'
		printf 'X=1\n# no\n\nY = 2\nZ' > env; docker run --rm --env-file env busybox env | grep '^[XYZ]'
		printf 'X=1\nZ=\nPATH=/bin\n' > env; docker run --rm --env-file env -e X=2 busybox env | grep '^[XYZ]'
		docker run --rm --env-file nowhere busybox true
		printf '=x\n' > bad; docker run --rm --env-file bad busybox true
		docker run --rm -h myhost busybox hostname
		docker run --rm -h myhost busybox sh -c 'cat /etc/hostname; grep -c myhost /etc/hosts'
		docker run --rm -h a.example.org busybox hostname
		docker run --rm -h a --domainname example.org busybox cat /proc/sys/kernel/domainname
		docker run --rm -u 1000 busybox id
		docker run --rm -u app busybox id
		docker run --rm -u app:users busybox id
		docker run --rm -u 12:34 busybox id
		docker run --rm -u :users busybox id
		docker run --rm -u 4294967296 busybox id
		docker run --rm -u nosuch busybox id
		docker run --rm -u app busybox sh -c 'echo $HOME'
		docker run --rm --group-add 44 --group-add users busybox id
		docker run --rm --group-add users -u app busybox id
		docker run --rm --entrypoint echo busybox hi
		docker run --rm --entrypoint '' parity/app:1 echo x
		docker run --rm --entrypoint '' parity/app:1
		docker run --rm --entrypoint sh parity/app:1 -c 'echo $COLOR; pwd; cat data/file'
		docker run --rm parity/app:1
		docker run --rm parity/app:1 other words
		docker run --rm parity/user:1
		docker run --rm -u 0 parity/user:1
		docker run --rm --init busybox cat /proc/1/comm
		docker run --rm --init busybox sh -c 'exit 7'
		docker run --rm --read-only busybox touch /x
		docker run --rm --read-only --tmpfs /x busybox sh -c 'touch /x/y && ls /x'
		docker run --rm --read-only -v /x busybox touch /x/y
		docker run --rm --oom-score-adj 500 busybox cat /proc/self/oom_score_adj
		docker run --rm --oom-score-adj 5000 busybox true
		docker run --rm --oom-score-adj x busybox true
		docker run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
		docker run --rm --security-opt no-new-privileges:true busybox grep NoNewPrivs /proc/self/status
		docker run --rm busybox grep -E 'Seccomp:|NoNewPrivs' /proc/self/status
		docker run --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
		docker run --rm --security-opt seccomp=nowhere.json busybox true
		docker run --rm --security-opt nonsense busybox true
		docker run --rm --security-opt bad=option busybox true
		docker run --rm busybox grep -E 'Cap(Eff|Bnd|Prm|Inh|Amb)' /proc/self/status
		docker run --rm --cap-drop ALL busybox grep -E 'Cap(Eff|Bnd)' /proc/self/status
		docker run --rm --cap-drop ALL --cap-add chown busybox grep -E 'Cap(Eff|Bnd)' /proc/self/status
		docker run --rm --cap-add NET_ADMIN --cap-drop MKNOD busybox grep CapEff /proc/self/status
		docker run --rm --cap-add cap_sys_admin busybox grep CapEff /proc/self/status
		docker run --rm -u app busybox grep -E 'Cap(Eff|Prm)' /proc/self/status
		docker run --rm --cap-add NONSENSE busybox true
		docker run --rm --cap-drop NONSENSE busybox true
		docker run --rm --uts host busybox hostname | grep -cx "$(hostname)"
		docker run --rm --uts host -h x busybox hostname
		docker run --rm --uts bad busybox true
		docker run --rm --pid bad busybox true
		docker run --rm --pid container:nowhere busybox true
		docker run --rm --pid host busybox sh -c '[ $$ -gt 1 ] && echo many'
		docker run --rm --ipc bad busybox true
		docker run --rm --ipc container:nowhere busybox true
		docker run --rm --ipc none busybox ls -d /dev/shm
		docker run --rm --userns bad busybox true
		docker run --rm --cgroupns bad busybox true
		docker run --rm --sysctl net.ipv4.ip_default_ttl=33 busybox cat /proc/sys/net/ipv4/ip_default_ttl
		docker run --rm --sysctl kernel.panic=1 busybox true
		docker run --rm --sysctl nonsense busybox true
		docker run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -Sn; ulimit -Hn'
		docker run --rm --ulimit nofile=100 busybox sh -c 'ulimit -Sn; ulimit -Hn'
		docker run --rm --ulimit nofile=200:100 busybox true
		docker run --rm --ulimit nonsense=1 busybox true
		docker run --rm --ulimit nofile busybox true
		docker run --rm --ulimit nofile=a busybox true
		docker run --rm --runtime nonsense busybox true
		docker run --rm --stop-signal NONSENSE busybox true
		docker run --rm --stop-timeout x busybox true
		docker run --rm busybox sh -c 'ls -l /proc/self/fd | wc -l'
		docker run --rm busybox ls /dev | grep -v core
		docker run --rm busybox sh -c 'mount | cut -d" " -f3,5 | grep -v /etc/ | grep -v /proc/interrupts | sort'
		docker run --rm busybox sh -c 'cat /proc/1/oom_score_adj; umask'
		docker run --rm busybox sh -c 'readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx'
		`,
		{line: 'docker run --rm busybox nosuchcommand', because: "the message is runc's", anyError: true},
		{line: 'docker run --rm busybox /etc', because: "the message is runc's", anyError: true},
		{line: 'docker run --rm busybox /etc/passwd', because: "the message is runc's", anyError: true},
		{line: "docker run --rm busybox ''", because: "the message is runc's", anyError: true},
		{line: 'docker run --rm --group-add nosuch busybox id', because: "the message is runc's", anyError: true},
	],
};

export const runStreams: Table = {
	name: 'run: streams and life',
	pairs: [
		...lines`
		echo in | docker run --rm -i busybox cat
		echo in | docker run --rm busybox cat
		docker run --rm -a stdout busybox sh -c 'echo out; echo err >&2'
		docker run --rm -a stderr busybox sh -c 'echo out; echo err >&2'
		docker run --rm -a stdout -a stderr busybox sh -c 'echo out; echo err >&2; exit 4'
		echo in | docker run --rm -a stdin -a stdout -i busybox cat
		docker run --rm -a nonsense busybox true
		docker run -d -a stdout busybox true
		docker run -d --name fails busybox nosuchcommand 2> /dev/null; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' fails; docker rm fails
		docker run -it --rm busybox true
		docker run -t --rm busybox sh -c 'echo out; echo err >&2'
		docker run -d --rm busybox sleep 100 | wc -c; docker rm -f $(docker ps -lq) | wc -l
		id=$(docker run -d busybox sleep 100); docker ps -q --no-trunc | grep -c $id; docker rm -f $id | grep -c $id
		docker run -dit --name itd busybox; docker inspect -f '{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}}' itd; docker rm -f itd
		docker run -i --name once busybox true; docker inspect -f '{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}}' once; docker rm once
		docker run --rm --cidfile id busybox true; wc -c < id; docker run --cidfile id busybox true
		docker run --rm --cidfile no/such/folder busybox true
		docker run --rm --name gone busybox true; docker inspect gone
		docker run --name stays busybox sh -c 'exit 5'; docker inspect -f '{{.State.ExitCode}} {{.State.Status}} {{.RestartCount}}' stays; docker rm stays
		docker run --rm --restart always busybox true
		docker run --restart nonsense busybox true
		docker run --restart on-failure:x busybox true
		docker run --restart always:3 busybox true
		docker run --restart on-failure:-1 busybox true
		docker run --name twice busybox true; docker run --name twice busybox true; docker rm twice
		docker run --name bad@name busybox true
		docker run --name a busybox true
		docker run --name '' --rm busybox true
		docker run --rm --name /slash busybox true
		docker run
		docker run --rm
		docker run --nonsense busybox
		docker run -Z busybox
		docker run --name
		docker run --rm=maybe busybox true
		docker run --rm=false --name kept busybox true; docker rm kept
		docker run --rm --pull never nosuch:image
		docker run --rm --pull sometimes busybox true
		docker run --rm --pull never busybox echo here
		docker run --rm UPPER true
		docker run --rm busybox:bad:tag true
		docker run --rm '' true
		docker run --rm busybox@sha256:abc true
		docker run --rm -- -x true
		docker run --rm --platform nonsense busybox true
		docker run --rm $(docker images -q busybox) echo by-id
		docker run --rm $(docker images -q --no-trunc busybox) echo by-long-id
		docker run --rm busybox:latest echo by-tag
		docker run --rm docker.io/library/busybox echo by-full-name
		docker run --rm -l a=1 -l b --label c= busybox true
		docker run -l a=1 -l b --label c= --name ll busybox true; docker inspect -f '{{json .Config.Labels}}' ll; docker rm ll
		printf 'x=1\n#c\ny\n' > labels; docker run --label-file labels -l x=2 --name lf busybox true; docker inspect -f '{{json .Config.Labels}}' lf; docker rm lf
		docker run --rm --label-file nowhere busybox true
		docker run --rm --log-driver none busybox echo seen
		docker run --name quiet --log-driver none busybox echo seen; docker logs quiet; docker rm quiet
		docker run --rm --log-driver nonsense busybox true
		docker run --rm --log-opt max-size=1k busybox echo x
		docker run --rm --log-opt nonsense=1 busybox echo x
		docker run --rm --log-opt max-size=x busybox echo x
		docker run --rm --log-opt max-file=0 busybox echo x
		docker run --rm --log-driver none --log-opt max-size=1k busybox echo x
		docker run -d --rm --name stopme busybox sleep 1000; docker stop -t 0 stopme; sleep 1; docker ps -aqf name=stopme
		docker run --rm --init --stop-timeout 1 --name tt busybox true
		docker run -d --name sig --stop-signal USR1 busybox sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done'; sleep 1; docker stop sig; docker inspect -f '{{.State.ExitCode}} {{.Config.StopSignal}}' sig; docker rm sig
		docker run --rm busybox sh -c 'exit 255'
		docker run --rm busybox sh -c 'kill -9 $$; echo still here'
		docker run --rm --no-healthcheck --health-cmd true busybox true
		docker run --rm --health-retries -1 --health-cmd true busybox true
		docker run --rm --health-interval -1s --health-cmd true busybox true
		docker run --rm --health-interval 1us --health-cmd true busybox true
		docker run --rm --health-interval nonsense busybox true
		docker create --name hh --health-cmd 'exit 0' --health-interval 2s --health-timeout 3s --health-retries 4 --health-start-period 5s busybox > /dev/null; docker inspect -f '{{json .Config.Healthcheck}}' hh; docker rm hh
		docker create --name hh --no-healthcheck busybox > /dev/null; docker inspect -f '{{json .Config.Healthcheck}}' hh; docker rm hh
		`,
		{
			line: 'echo in | docker run --rm -a stdin -i busybox cat | wc -l',
			because: 'its manual says that the id is printed, and docker did until 28.2',
			stdout: '1\n',
		},
		{
			line: 'echo in | docker run -a stdin -i busybox cat > sent; docker wait $(cat sent); docker logs $(cat sent); docker rm $(cat sent) | cmp - sent',
			because: 'its manual says that the id is printed, and docker did until 28.2',
			code: 0,
			stdout: '0\nin\n',
			stderr: '',
		},
		{
			line: 'docker run --rm --detach-keys nonsense-x busybox true',
			because: "what docker's daemon says gets lost on the way",
			stderr: 'Error: Invalid detach keys (nonsense-x) provided',
		},
	],
};

export const runLimits: Table = {
	name: 'run: limits and devices',
	pairs: [
		...lines`
		docker run --rm busybox sh -c 'ls /dev | sort'
		docker run --rm -m 64m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes
		docker run --rm -m 64m --memory-swap 128m busybox true
		docker run --rm -m 64m --memory-reservation 32m busybox cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes
		docker run --rm -m 1k busybox true
		docker run --rm -m nonsense busybox true
		docker run --rm -m -1 busybox true
		docker run --rm -m 64m --memory-reservation 128m busybox true
		docker run --rm -m 64m --memory-swap 32m busybox true
		docker run --rm --memory-swap 64m busybox true
		docker run --rm --memory-swappiness 101 busybox true
		docker run --rm --memory-swappiness -2 busybox true
		docker run --rm --memory-reservation 1k busybox true
		docker run --rm --cpus 0.5 busybox sh -c 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'
		docker run --rm --cpus 100 busybox true
		docker run --rm --cpus x busybox true
		docker run --rm --cpus -1 busybox true
		docker run --rm --cpus 1 --cpu-quota 5000 busybox true
		docker run --rm --cpus 1 --cpu-period 5000 busybox true
		docker run --rm --cpu-quota 20000 --cpu-period 40000 busybox sh -c 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'
		docker run --rm --cpu-period 1 busybox true
		docker run --rm --cpu-quota 1 busybox true
		docker run --rm -c 512 busybox cat /sys/fs/cgroup/cpu/cpu.shares
		docker run --rm -c -1 busybox true
		docker run --rm --cpuset-cpus 0 busybox cat /sys/fs/cgroup/cpuset/cpuset.cpus
		docker run --rm --cpuset-cpus 77 busybox true
		docker run --rm --cpuset-cpus x busybox true
		docker run --rm --cpuset-mems 77 busybox true
		docker run --rm --pids-limit 10 busybox cat /sys/fs/cgroup/pids/pids.max
		docker run --rm --pids-limit -1 busybox cat /sys/fs/cgroup/pids/pids.max
		docker run --rm --pids-limit x busybox true
		docker run --rm --blkio-weight 70000 busybox true
		docker run --rm --blkio-weight-device nonsense busybox true
		docker run --rm --device-read-bps nonsense busybox true
		docker run --rm --device-read-bps /dev/null:1mx busybox true
		docker run --rm --device-write-iops /dev/null:x busybox true
		docker run --rm --shm-size 2m busybox sh -c 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'
		docker run --rm --shm-size 0 busybox sh -c 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'
		docker run --rm --shm-size -1 busybox true
		docker run --rm --shm-size x busybox true
		docker run --rm --device /dev/null:/dev/mine busybox ls -l /dev/mine | cut -c1-10
		docker run --rm --device /dev/null:/dev/mine:r busybox sh -c 'echo x > /dev/mine'
		docker run --rm --device /dev/nosuch busybox true
		docker run --rm --device /dev/null:/dev/x:z busybox true
		docker run --rm --device /dev/null:relative busybox true
		docker run --rm --device-cgroup-rule 'c 1:3 rwm' busybox true
		docker run --rm --device-cgroup-rule nonsense busybox true
		docker run --rm --gpus x,y busybox true
		docker run --rm --isolation nonsense busybox true
		docker run --rm --isolation default busybox true
		docker run --rm --storage-opt nonsense=1 busybox true
		docker run --rm --storage-opt nonsense busybox true
		docker run --rm --oom-kill-disable -m 64m busybox cat /sys/fs/cgroup/memory/memory.oom_control | head -1
		docker run --rm --cgroup-parent relative/../../x busybox true
		docker create --name cc -m 64m --cpus 1.5 --cpuset-cpus 0 --pids-limit 7 -c 3 --oom-score-adj 4 --ulimit core=1 busybox > /dev/null; docker inspect -f '{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.CpusetCpus}} {{.PidsLimit}} {{.CpuShares}} {{.OomScoreAdj}} {{json .Ulimits}}{{end}}' cc; docker rm cc
		`,
		{line: 'docker run --rm --cpus 0.001 busybox true', because: "the message is runc's", anyError: true},
		{
			line: 'docker run --rm -c 1 busybox cat /sys/fs/cgroup/cpu/cpu.shares',
			because: "the message is runc's",
			anyError: true,
		},
		{
			line: 'docker run --rm --blkio-weight 5 busybox true',
			because: 'what is out of range is said, also where the kernel has no weights',
			code: 125,
			stderr: 'docker: Error: Range of blkio weight is from 10 to 1000',
		},
		{
			line: 'docker run --rm --gpus all busybox true',
			because: 'it says where it has looked',
			stderr:
				/^docker: Error: could not select device driver "" with capabilities: \[\[gpu\]\]: there is no CDI/,
		},
		{
			line: 'docker run --rm --kernel-memory 8m busybox true',
			because: 'newer docker: the flag has no effect any more',
			stderr: 'Flag --kernel-memory has been deprecated, and no longer supported by the kernel',
		},
	],
};

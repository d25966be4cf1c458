export const swarmCommands = `
config | - | COMMAND
config create | - | [OPTIONS] CONFIG file|-
	l/label:list template-driver:string
config inspect | - | [OPTIONS] CONFIG [CONFIG...]
	f/format:string pretty
config ls | - | [OPTIONS]
	f/filter:filter format:string q/quiet
config rm | - | CONFIG [CONFIG...]
node | - | COMMAND
node demote | - | NODE [NODE...]
node inspect | - | [OPTIONS] self|NODE [NODE...]
	f/format:string pretty
node ls | - | [OPTIONS]
	f/filter:filter format:string q/quiet
node promote | - | NODE [NODE...]
node ps | - | [OPTIONS] [NODE...]
	f/filter:filter format:string no-resolve no-trunc q/quiet
node rm | - | [OPTIONS] NODE [NODE...]
	f/force
node update | - | [OPTIONS] NODE
	availability:string label-add:list label-rm:list role:string
plugin | - | COMMAND
plugin create | - | [OPTIONS] PLUGIN PLUGIN-DATA-DIR
	compress
plugin disable | - | [OPTIONS] PLUGIN
	f/force
plugin enable | - | [OPTIONS] PLUGIN
	timeout:int=30
plugin inspect | - | [OPTIONS] PLUGIN [PLUGIN...]
	f/format:string
plugin install | - | [OPTIONS] PLUGIN [KEY=VALUE...]
	alias:string disable grant-all-permissions
plugin ls | - | [OPTIONS]
	f/filter:filter format:string no-trunc q/quiet
plugin push | - | [OPTIONS] PLUGIN[:TAG]
plugin rm | - | [OPTIONS] PLUGIN [PLUGIN...]
	f/force
plugin set | - | PLUGIN KEY=VALUE [KEY=VALUE...]
plugin upgrade | - | [OPTIONS] PLUGIN [REMOTE]
	grant-all-permissions skip-remote-check
secret | - | COMMAND
secret create | - | [OPTIONS] SECRET [file|-]
	d/driver:string l/label:list template-driver:string
secret inspect | - | [OPTIONS] SECRET [SECRET...]
	f/format:string pretty
secret ls | - | [OPTIONS]
	f/filter:filter format:string q/quiet
secret rm | - | SECRET [SECRET...]
service | - | COMMAND
service create | - | [OPTIONS] IMAGE [COMMAND] [ARG...]
	cap-add:list cap-drop:list config:config constraint:list container-label:list
	credential-spec:credential-spec d/detach dns:list dns-option:list dns-search:list
	endpoint-mode:string=vip entrypoint:command e/env:list env-file:list generic-resource:list group:list
	health-cmd:string health-interval:duration health-retries:int=0 health-start-interval:duration
	health-start-period:duration health-timeout:duration host:list hostname:string init isolation:string
	l/label:list limit-cpu:decimal limit-memory:bytes=0 limit-pids:int64=0 log-driver:string log-opt:list
	max-concurrent:uint memory-swap:bytes=0 memory-swappiness:int64=-1 mode:string=replicated mount:mount
	name:string network:network no-healthcheck no-resolve-image oom-score-adj:int64=0 placement-pref:pref
	p/publish:port q/quiet read-only replicas:uint replicas-max-per-node:uint64=0 reserve-cpu:decimal
	reserve-memory:bytes=0 restart-condition:string restart-delay:duration restart-max-attempts:uint
	restart-window:duration rollback-delay:duration=0s rollback-failure-action:string
	rollback-max-failure-ratio:float=0 rollback-monitor:duration=0s rollback-order:string
	rollback-parallelism:uint64=1 secret:secret stop-grace-period:duration stop-signal:string sysctl:list
	t/tty ulimit:ulimit update-delay:duration=0s update-failure-action:string
	update-max-failure-ratio:float=0 update-monitor:duration=0s update-order:string
	update-parallelism:uint64=1 u/user:string with-registry-auth w/workdir:string
service inspect | - | [OPTIONS] SERVICE [SERVICE...]
	f/format:string pretty
service logs | - | [OPTIONS] SERVICE|TASK
	details f/follow no-resolve no-task-ids no-trunc raw since:string n/tail:string=all t/timestamps
service ls | - | [OPTIONS]
	f/filter:filter format:string q/quiet
service ps | - | [OPTIONS] SERVICE [SERVICE...]
	@node ps
service rm | - | SERVICE [SERVICE...]
service rollback | - | [OPTIONS] SERVICE
	d/detach q/quiet
service scale | - | SERVICE=REPLICAS [SERVICE=REPLICAS...]
	d/detach
service update | - | [OPTIONS] SERVICE
	args:command cap-add:list cap-drop:list config-add:config config-rm:list constraint-add:list
	constraint-rm:list container-label-add:list container-label-rm:list credential-spec:credential-spec
	d/detach dns-add:list dns-option-add:list dns-option-rm:list dns-rm:list dns-search-add:list
	dns-search-rm:list endpoint-mode:string entrypoint:command env-add:list env-rm:list force
	generic-resource-add:list generic-resource-rm:list group-add:list group-rm:list health-cmd:string
	health-interval:duration health-retries:int=0 health-start-interval:duration
	health-start-period:duration health-timeout:duration host-add:list host-rm:list hostname:string
	image:string init isolation:string label-add:list label-rm:list limit-cpu:decimal limit-memory:bytes=0
	limit-pids:int64=0 log-driver:string log-opt:list max-concurrent:uint memory-swap:bytes=0
	memory-swappiness:int64=-1 mount-add:mount mount-rm:list network-add:network network-rm:list
	no-healthcheck no-resolve-image oom-score-adj:int64=0 placement-pref-add:pref placement-pref-rm:pref
	publish-add:port publish-rm:port q/quiet read-only replicas:uint replicas-max-per-node:uint64=0
	reserve-cpu:decimal reserve-memory:bytes=0 restart-condition:string restart-delay:duration
	restart-max-attempts:uint restart-window:duration rollback rollback-delay:duration=0s
	rollback-failure-action:string rollback-max-failure-ratio:float=0 rollback-monitor:duration=0s
	rollback-order:string rollback-parallelism:uint64=0 secret-add:secret secret-rm:list
	stop-grace-period:duration stop-signal:string sysctl-add:list sysctl-rm:list t/tty ulimit-add:ulimit
	ulimit-rm:list update-delay:duration=0s update-failure-action:string update-max-failure-ratio:float=0
	update-monitor:duration=0s update-order:string update-parallelism:uint64=0 u/user:string
	with-registry-auth w/workdir:string
stack | - | COMMAND
stack config | - | [OPTIONS]
	c/compose-file:stringSlice skip-interpolation
stack deploy | - | [OPTIONS] STACK
	c/compose-file:stringSlice d/detach=true prune q/quiet resolve-image:string=always with-registry-auth
stack ls | - | [OPTIONS]
	format:string
stack ps | - | [OPTIONS] STACK
	@node ps
stack rm | - | [OPTIONS] STACK [STACK...]
	d/detach=true
stack services | - | [OPTIONS] STACK
	f/filter:filter format:string q/quiet
swarm | - | COMMAND
swarm ca | - | [OPTIONS]
	ca-cert:pem-file ca-key:pem-file cert-expiry:duration=2160h0m0s d/detach external-ca:external-ca q/quiet
	rotate
swarm init | - | [OPTIONS]
	advertise-addr:string autolock availability:string=active cert-expiry:duration=2160h0m0s
	data-path-addr:string data-path-port:uint32=0 default-addr-pool:ipNetSlice
	default-addr-pool-mask-length:uint32=24 dispatcher-heartbeat:duration=5s external-ca:external-ca
	force-new-cluster listen-addr:node-addr=0.0.0.0:2377 max-snapshots:uint64=0
	snapshot-interval:uint64=10000 task-history-limit:int64=5
swarm join | - | [OPTIONS] HOST:PORT
	advertise-addr:string availability:string=active data-path-addr:string
	listen-addr:node-addr=0.0.0.0:2377 token:string
swarm join-token | - | [OPTIONS] (worker|manager)
	q/quiet rotate
swarm leave | - | [OPTIONS]
	f/force
swarm unlock | - |
swarm unlock-key | - | [OPTIONS]
	q/quiet rotate
swarm update | - | [OPTIONS]
	autolock cert-expiry:duration=2160h0m0s dispatcher-heartbeat:duration=5s external-ca:external-ca
	max-snapshots:uint64=0 snapshot-interval:uint64=10000 task-history-limit:int64=5
`;

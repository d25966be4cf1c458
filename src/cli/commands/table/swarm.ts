import type {CommandRows} from './rows.ts';

export const swarmCommands: CommandRows = {
	config: {usage: 'COMMAND'},
	'config create': {usage: '[OPTIONS] CONFIG file|-', flags: 'l/label:list template-driver:string'},
	'config inspect': {usage: '[OPTIONS] CONFIG [CONFIG...]', flags: 'f/format:string pretty'},
	'config ls': {usage: '[OPTIONS]', flags: 'f/filter:filter format:string q/quiet'},
	'config rm': {usage: 'CONFIG [CONFIG...]'},
	node: {usage: 'COMMAND'},
	'node demote': {usage: 'NODE [NODE...]'},
	'node inspect': {usage: '[OPTIONS] self|NODE [NODE...]', flags: 'f/format:string pretty'},
	'node ls': {usage: '[OPTIONS]', flags: 'f/filter:filter format:string q/quiet'},
	'node promote': {usage: 'NODE [NODE...]'},
	'node ps': {
		usage: '[OPTIONS] [NODE...]',
		flags: 'f/filter:filter format:string no-resolve no-trunc q/quiet',
	},
	'node rm': {usage: '[OPTIONS] NODE [NODE...]', flags: 'f/force'},
	'node update': {
		usage: '[OPTIONS] NODE',
		flags: 'availability:string label-add:list label-rm:list role:string',
	},
	plugin: {usage: 'COMMAND'},
	'plugin create': {usage: '[OPTIONS] PLUGIN PLUGIN-DATA-DIR', flags: 'compress'},
	'plugin disable': {usage: '[OPTIONS] PLUGIN', flags: 'f/force'},
	'plugin enable': {usage: '[OPTIONS] PLUGIN', flags: 'timeout:int=30'},
	'plugin inspect': {usage: '[OPTIONS] PLUGIN [PLUGIN...]', flags: 'f/format:string'},
	'plugin install': {
		usage: '[OPTIONS] PLUGIN [KEY=VALUE...]',
		flags: 'alias:string disable grant-all-permissions',
	},
	'plugin ls': {usage: '[OPTIONS]', flags: 'f/filter:filter format:string no-trunc q/quiet'},
	'plugin push': {usage: '[OPTIONS] PLUGIN[:TAG]'},
	'plugin rm': {usage: '[OPTIONS] PLUGIN [PLUGIN...]', flags: 'f/force'},
	'plugin set': {usage: 'PLUGIN KEY=VALUE [KEY=VALUE...]'},
	'plugin upgrade': {usage: '[OPTIONS] PLUGIN [REMOTE]', flags: 'grant-all-permissions skip-remote-check'},
	secret: {usage: 'COMMAND'},
	'secret create': {
		usage: '[OPTIONS] SECRET [file|-]',
		flags: 'd/driver:string l/label:list template-driver:string',
	},
	'secret inspect': {usage: '[OPTIONS] SECRET [SECRET...]', flags: 'f/format:string pretty'},
	'secret ls': {usage: '[OPTIONS]', flags: 'f/filter:filter format:string q/quiet'},
	'secret rm': {usage: 'SECRET [SECRET...]'},
	service: {usage: 'COMMAND'},
	'service create': {
		usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
		flags: `
		cap-add:list cap-drop:list config:config constraint:list container-label:list
		credential-spec:credential-spec d/detach dns:list dns-option:list dns-search:list
		endpoint-mode:string=vip entrypoint:command e/env:list env-file:list generic-resource:list
		group:list health-cmd:string health-interval:duration health-retries:int=0
		health-start-interval:duration health-start-period:duration health-timeout:duration host:list
		hostname:string init isolation:string l/label:list limit-cpu:decimal limit-memory:bytes=0
		limit-pids:int64=0 log-driver:string log-opt:list max-concurrent:uint memory-swap:bytes=0
		memory-swappiness:int64=-1 mode:string=replicated mount:mount name:string network:network
		no-healthcheck no-resolve-image oom-score-adj:int64=0 placement-pref:pref p/publish:port q/quiet
		read-only replicas:uint replicas-max-per-node:uint64=0 reserve-cpu:decimal
		reserve-memory:bytes=0 restart-condition:string restart-delay:duration restart-max-attempts:uint
		restart-window:duration rollback-delay:duration=0s rollback-failure-action:string
		rollback-max-failure-ratio:float=0 rollback-monitor:duration=0s rollback-order:string
		rollback-parallelism:uint64=1 secret:secret stop-grace-period:duration stop-signal:string
		sysctl:list t/tty ulimit:ulimit update-delay:duration=0s update-failure-action:string
		update-max-failure-ratio:float=0 update-monitor:duration=0s update-order:string
		update-parallelism:uint64=1 u/user:string with-registry-auth w/workdir:string`,
	},
	'service inspect': {usage: '[OPTIONS] SERVICE [SERVICE...]', flags: 'f/format:string pretty'},
	'service logs': {
		usage: '[OPTIONS] SERVICE|TASK',
		flags: 'details f/follow no-resolve no-task-ids no-trunc raw since:string n/tail:string=all t/timestamps',
	},
	'service ls': {usage: '[OPTIONS]', flags: 'f/filter:filter format:string q/quiet'},
	'service ps': {usage: '[OPTIONS] SERVICE [SERVICE...]', flags: '@node ps'},
	'service rm': {usage: 'SERVICE [SERVICE...]'},
	'service rollback': {usage: '[OPTIONS] SERVICE', flags: 'd/detach q/quiet'},
	'service scale': {usage: 'SERVICE=REPLICAS [SERVICE=REPLICAS...]', flags: 'd/detach'},
	'service update': {
		usage: '[OPTIONS] SERVICE',
		flags: `
		args:command cap-add:list cap-drop:list config-add:config config-rm:list constraint-add:list
		constraint-rm:list container-label-add:list container-label-rm:list
		credential-spec:credential-spec d/detach dns-add:list dns-option-add:list dns-option-rm:list
		dns-rm:list dns-search-add:list dns-search-rm:list endpoint-mode:string entrypoint:command
		env-add:list env-rm:list force generic-resource-add:list generic-resource-rm:list group-add:list
		group-rm:list health-cmd:string health-interval:duration health-retries:int=0
		health-start-interval:duration health-start-period:duration health-timeout:duration
		host-add:list host-rm:list hostname:string image:string init isolation:string label-add:list
		label-rm:list limit-cpu:decimal limit-memory:bytes=0 limit-pids:int64=0 log-driver:string
		log-opt:list max-concurrent:uint memory-swap:bytes=0 memory-swappiness:int64=-1 mount-add:mount
		mount-rm:list network-add:network network-rm:list no-healthcheck no-resolve-image
		oom-score-adj:int64=0 placement-pref-add:pref placement-pref-rm:pref publish-add:port
		publish-rm:port q/quiet read-only replicas:uint replicas-max-per-node:uint64=0
		reserve-cpu:decimal reserve-memory:bytes=0 restart-condition:string restart-delay:duration
		restart-max-attempts:uint restart-window:duration rollback rollback-delay:duration=0s
		rollback-failure-action:string rollback-max-failure-ratio:float=0 rollback-monitor:duration=0s
		rollback-order:string rollback-parallelism:uint64=0 secret-add:secret secret-rm:list
		stop-grace-period:duration stop-signal:string sysctl-add:list sysctl-rm:list t/tty
		ulimit-add:ulimit ulimit-rm:list update-delay:duration=0s update-failure-action:string
		update-max-failure-ratio:float=0 update-monitor:duration=0s update-order:string
		update-parallelism:uint64=0 u/user:string with-registry-auth w/workdir:string`,
	},
	stack: {usage: 'COMMAND'},
	'stack config': {usage: '[OPTIONS]', flags: 'c/compose-file:stringSlice skip-interpolation'},
	'stack deploy': {
		usage: '[OPTIONS] STACK',
		flags: `
		c/compose-file:stringSlice d/detach=true prune q/quiet resolve-image:string=always
		with-registry-auth`,
	},
	'stack ls': {usage: '[OPTIONS]', flags: 'format:string'},
	'stack ps': {usage: '[OPTIONS] STACK', flags: '@node ps'},
	'stack rm': {usage: '[OPTIONS] STACK [STACK...]', flags: 'd/detach=true'},
	'stack services': {usage: '[OPTIONS] STACK', flags: 'f/filter:filter format:string q/quiet'},
	swarm: {usage: 'COMMAND'},
	'swarm ca': {
		usage: '[OPTIONS]',
		flags: `
		ca-cert:pem-file ca-key:pem-file cert-expiry:duration=2160h0m0s d/detach external-ca:external-ca
		q/quiet rotate`,
	},
	'swarm init': {
		usage: '[OPTIONS]',
		flags: `
		advertise-addr:string autolock availability:string=active cert-expiry:duration=2160h0m0s
		data-path-addr:string data-path-port:uint32=0 default-addr-pool:ipNetSlice
		default-addr-pool-mask-length:uint32=24 dispatcher-heartbeat:duration=5s external-ca:external-ca
		force-new-cluster listen-addr:node-addr=0.0.0.0:2377 max-snapshots:uint64=0
		snapshot-interval:uint64=10000 task-history-limit:int64=5`,
	},
	'swarm join': {
		usage: '[OPTIONS] HOST:PORT',
		flags: `
		advertise-addr:string availability:string=active data-path-addr:string
		listen-addr:node-addr=0.0.0.0:2377 token:string`,
	},
	'swarm join-token': {usage: '[OPTIONS] (worker|manager)', flags: 'q/quiet rotate'},
	'swarm leave': {usage: '[OPTIONS]', flags: 'f/force'},
	'swarm unlock': {usage: ''},
	'swarm unlock-key': {usage: '[OPTIONS]', flags: 'q/quiet rotate'},
	'swarm update': {
		usage: '[OPTIONS]',
		flags: `
		autolock cert-expiry:duration=2160h0m0s dispatcher-heartbeat:duration=5s external-ca:external-ca
		max-snapshots:uint64=0 snapshot-interval:uint64=10000 task-history-limit:int64=5`,
	},
};

/** docker's structs of `info`, `version` and `events`. */
import './time.ts';
import {define} from '../template/types.ts';

define({
	'system.dockerInfo': `
		^:*system.Info ServerErrors?:[]string UserName?:string ClientInfo?:*system.clientInfo
		ClientErrors?:[]string`,
	'system.clientInfo': 'Debug:bool ^:system.clientVersion Plugins:[]manager.Plugin Warnings:[]string',
	'system.clientVersion': `
		Platform?:*system.platformInfo Version?:string APIVersion=ApiVersion?:string DefaultAPIVersion?:string
		GitCommit?:string GoVersion?:string Os?:string Arch?:string BuildTime?:string Context:string`,
	'system.platformInfo': 'Name?:string',
	'manager.Plugin': 'Name:string Path:string',
	'system.Info': `
		ID:string Containers:int ContainersRunning:int ContainersPaused:int ContainersStopped:int Images:int
		Driver:string DriverStatus:[][2]string SystemStatus?:[][2]string Plugins:system.PluginsInfo
		MemoryLimit:bool SwapLimit:bool KernelMemory?:bool KernelMemoryTCP?:bool CPUCfsPeriod=CpuCfsPeriod:bool
		CPUCfsQuota=CpuCfsQuota:bool CPUShares:bool CPUSet:bool PidsLimit:bool IPv4Forwarding:bool Debug:bool
		NFd:int OomKillDisable:bool NGoroutines:int SystemTime:string LoggingDriver:string CgroupDriver:string
		CgroupVersion?:string NEventsListener:int KernelVersion:string OperatingSystem:string OSVersion:string
		OSType:string Architecture:string IndexServerAddress:string RegistryConfig:*registry.ServiceConfig
		NCPU:int MemTotal:int64 GenericResources:[]swarm.GenericResource DockerRootDir:string
		HTTPProxy=HttpProxy:string HTTPSProxy=HttpsProxy:string NoProxy:string Name:string Labels:[]string
		ExperimentalBuild:bool ServerVersion:string Runtimes:map[string]system.RuntimeWithStatus
		DefaultRuntime:string Swarm:swarm.Info LiveRestoreEnabled:bool Isolation:container.Isolation
		InitBinary:string ContainerdCommit:system.Commit RuncCommit:system.Commit InitCommit:system.Commit
		SecurityOptions:[]string ProductLicense?:string DefaultAddressPools?:[]system.NetworkAddressPool
		FirewallBackend?:*system.FirewallInfo CDISpecDirs:[]string DiscoveredDevices?:[]system.DeviceInfo
		Containerd?:*system.ContainerdInfo Warnings:[]string`,
	'container.Isolation': '=string',
	'system.PluginsInfo': 'Volume:[]string Network:[]string Authorization:[]string Log:[]string',
	'registry.ServiceConfig': `
		InsecureRegistryCIDRs:[]string IndexConfigs:map[string]*registry.IndexInfo Mirrors:[]string`,
	'registry.IndexInfo': 'Name:string Mirrors:[]string Secure:bool Official:bool',
	'swarm.GenericResource': '',
	'system.RuntimeWithStatus': '^:system.Runtime Status=status?:map[string]string',
	'system.Runtime': `
		Path=path?:string Args=runtimeArgs?:[]string Type=runtimeType?:string Options=options?:map[string]any`,
	'swarm.Info': `
		NodeID:string NodeAddr:string LocalNodeState:swarm.LocalNodeState ControlAvailable:bool Error:string
		RemoteManagers:[]swarm.Peer Nodes?:int Managers?:int Warnings?:[]string`,
	'swarm.LocalNodeState': '=string',
	'swarm.Peer': 'NodeID:string Addr:string',
	'system.Commit': 'ID:string Expected?:string',
	'system.NetworkAddressPool': 'Base:string Size:int',
	'system.FirewallInfo': 'Driver:string Info?:[][2]string',
	'system.DeviceInfo': 'Source:string ID:string',
	'system.ContainerdInfo': 'Address?:string',

	'system.versionInfo': 'Client:system.clientVersion Server:*types.Version',
	'types.Version': `
		Platform?:types.Platform Components?:[]types.ComponentVersion Version:string
		APIVersion=ApiVersion:string MinAPIVersion?:string GitCommit:string GoVersion:string Os:string Arch:string
		KernelVersion?:string Experimental?:bool BuildTime?:string`,
	'types.Platform': 'Name:string',
	'types.ComponentVersion': 'Name:string Version:string Details?:map[string]string',

	'events.Message': `
		Status=status?:string ID=id?:string From=from?:string Type:events.Type Action:events.Action
		Actor:events.Actor Scope=scope?:string Time=time?:int64 TimeNano=timeNano?:int64`,
	'events.Type': '=string',
	'events.Action': '=string',
	'events.Actor': 'ID:string Attributes:map[string]string',
});

/** docker's structs of a network. */
import './time.ts';
import {define} from '../template/types.ts';

define({
	'network.Inspect': `
		Name:string ID=Id:string Created:time.Time Scope:string Driver:string EnableIPv4:bool EnableIPv6:bool
		IPAM:network.IPAM Internal:bool Attachable:bool Ingress:bool ConfigFrom:network.ConfigReference
		ConfigOnly:bool Containers:map[string]network.EndpointResource Options:map[string]string
		Labels:map[string]string Peers?:[]network.PeerInfo Services?:map[string]network.ServiceInfo`,
	'network.IPAM': 'Driver:string Options:map[string]string Config:[]network.IPAMConfig',
	'network.IPAMConfig': `
		Subnet?:string IPRange?:string Gateway?:string AuxAddress=AuxiliaryAddresses?:map[string]string`,
	'network.ConfigReference': 'Network:string',
	'network.EndpointResource': `
		Name:string EndpointID:string MacAddress:string IPv4Address:string IPv6Address:string`,
	'network.PeerInfo': 'Name:string IP:string',
	'network.ServiceInfo': 'VIP:string Ports:[]string LocalLBIndex:int Tasks:[]network.Task',
	'network.Task': 'Name:string EndpointID:string EndpointIP:string Info:map[string]string',
});

/** docker's structs of a volume. */
import {define} from '../template/types.ts';

define({
	'volume.Volume': `
		ClusterVolume?:*volume.ClusterVolume CreatedAt?:string Driver:string Labels:map[string]string
		Mountpoint:string Name:string Options:map[string]string Scope:string Status?:map[string]any
		UsageData?:*volume.UsageData`,
	'volume.ClusterVolume': 'ID:string',
	'volume.UsageData': 'RefCount:int64 Size:int64',
});

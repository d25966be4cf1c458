/** What buildx shows of an image in a registry (its imagetools printer) and OCI's structs in it. */
import './time.ts';
import {define} from '../template/types.ts';

define({
	'imagetools.index': `
		SchemaVersion=schemaVersion:int MediaType=mediaType?:string Digest=digest:string Size=size:int64
		Manifests=manifests:[]ocispec.Descriptor Annotations=annotations?:map[string]string`,
	'imagetools.tplInputSingle':
		'Name=name?:string Manifest=manifest?:ocispec.Descriptor Image=image?:*ocispec.Image',
	'imagetools.tplInputs':
		'Name=name?:string Manifest=manifest?:*imagetools.index Image=image?:map[string]*ocispec.Image',
	'ocispec.Descriptor': `
		MediaType=mediaType:string Digest=digest:string Size=size:int64 URLs=urls?:[]string
		Annotations=annotations?:map[string]string Platform=platform?:*ocispec.Platform
		ArtifactType=artifactType?:string`,
	'ocispec.Platform': `
		Architecture=architecture:string OS=os:string OSVersion=os.version?:string OSFeatures=os.features?:[]string
		Variant=variant?:string`,
	'ocispec.Image': `
		Created=created?:*string Author=author?:string Architecture=architecture:string Variant=variant?:string
		OS=os:string OSVersion=os.version?:string OSFeatures=os.features?:[]string Config=config?:ocispec.ImageConfig
		RootFS=rootfs:ocispec.RootFS History=history?:[]ocispec.History`,
	'ocispec.ImageConfig': `
		User?:string ExposedPorts?:map[string]struct{} Env?:[]string Entrypoint?:[]string Cmd?:[]string
		Volumes?:map[string]struct{} WorkingDir?:string Labels?:map[string]string StopSignal?:string
		ArgsEscaped?:bool Healthcheck?:any OnBuild?:[]string Shell?:[]string`,
	'ocispec.RootFS': 'Type=type:string DiffIDs=diff_ids:[]string',
	'ocispec.History': `
		Created=created?:*string CreatedBy=created_by?:string Author=author?:string Comment=comment?:string
		EmptyLayer=empty_layer?:bool`,
});

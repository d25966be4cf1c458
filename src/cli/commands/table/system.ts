export const systemCommands = `
checkpoint | - | COMMAND
checkpoint create | - | [OPTIONS] CONTAINER CHECKPOINT
	checkpoint-dir:string leave-running
checkpoint ls | - | [OPTIONS] CONTAINER
	checkpoint-dir:string
checkpoint rm | - | [OPTIONS] CONTAINER CHECKPOINT
	checkpoint-dir:string
context | - | COMMAND
context create | - | [OPTIONS] CONTEXT
	description:string docker:stringToString from:string
context export | - | [OPTIONS] CONTEXT [FILE|-]
context import | - | CONTEXT FILE|-
context inspect | - | [OPTIONS] [CONTEXT] [CONTEXT...]
	f/format:string
context ls | - | [OPTIONS]
	format:string q/quiet
context rm | - | CONTEXT [CONTEXT...]
	f/force
context show | - |
context update | - | [OPTIONS] CONTEXT
	description:string docker:stringToString
context use | - | CONTEXT
 | 0 0 | [OPTIONS] COMMAND [ARG...]
	+config:string=/root/.docker c/context:string +D/debug H/host:string +l/log-level:string=info tls
	tlscacert:string=/root/.docker/ca.pem tlscert:string=/root/.docker/cert.pem
	tlskey:string=/root/.docker/key.pem tlsverify
inspect | 1 -1 | [OPTIONS] NAME|ID [NAME|ID...]
	+f/format:string +s/size +type:string
login | 0 1 | [OPTIONS] [SERVER]
	+p/password:string +password-stdin +u/username:string
logout | 0 1 | [SERVER]
manifest | - | COMMAND
manifest annotate | 2 2 | [OPTIONS] MANIFEST_LIST MANIFEST
	+arch:string +os:string +os-features:stringSlice +os-version:string +variant:string
manifest create | 2 -1 | MANIFEST_LIST MANIFEST [MANIFEST...]
	+a/amend +insecure
manifest inspect | 1 2 | [OPTIONS] [MANIFEST_LIST] MANIFEST
	+insecure +v/verbose
manifest push | 1 1 | [OPTIONS] MANIFEST_LIST
	+insecure +p/purge
manifest rm | 1 -1 | MANIFEST_LIST [MANIFEST_LIST...]
search | 1 1 | [OPTIONS] TERM
	+f/filter:filter +format:string +limit:int=0 +no-trunc
system | - | COMMAND
system check | 0 0 | [OPTIONS]
	+format:string +images
system df | 0 0 | [OPTIONS]
	+format:string +v/verbose
system dial-stdio | - |
system events | 0 0 | [OPTIONS]
	+f/filter:filter +format:string +since:string +until:string
system info | 0 0 | [OPTIONS]
	+f/format:string
system prune | 0 0 | [OPTIONS]
	+a/all +filter:filter +f/force +volumes
version | 0 0 | [OPTIONS]
	+f/format:string
`;

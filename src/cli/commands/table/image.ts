export const imageCommands = `
image | - | COMMAND
image build | 1 1 | [OPTIONS] PATH | URL | -
	@build
image history | 1 1 | [OPTIONS] IMAGE
	+format:string +H/human=true +no-trunc +platform:string +q/quiet
image import | 1 -1 | [OPTIONS] file|URL|- [REPOSITORY[:TAG]]
	+c/change:list +m/message:string +platform:string
image inspect | 1 -1 | [OPTIONS] IMAGE [IMAGE...]
	+f/format:string +platform:string
image load | 0 0 | [OPTIONS]
	+i/input:string +platform:stringSlice +q/quiet
image ls | 0 1 | [OPTIONS] [REPOSITORY[:TAG]]
	+a/all +digests +f/filter:filter +format:string +no-trunc +q/quiet +tree
image prune | 0 0 | [OPTIONS]
	+a/all +filter:filter +f/force
image pull | 1 1 | [OPTIONS] NAME[:TAG|@DIGEST]
	+a/all-tags +platform:string +q/quiet +~disable-content-trust=true
image push | 1 1 | [OPTIONS] NAME[:TAG]
	+a/all-tags +platform:string +q/quiet +~disable-content-trust=true
image rm | 1 -1 | [OPTIONS] IMAGE [IMAGE...]
	+f/force +no-prune platform:stringSlice
image save | 1 -1 | [OPTIONS] IMAGE [IMAGE...]
	+o/output:string +platform:stringSlice
image tag | 2 2 | SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]
`;

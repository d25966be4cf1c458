/** What the arguments of each command are, for completion. The last kind stands for all further ones too. */

export type Kind =
	/** Containers, by what their state allows. */
	| 'container'
	| 'running'
	| 'startable'
	| 'pausable'
	| 'paused'
	| 'image'
	| 'repository'
	| 'network'
	| 'custom-network'
	/** A container that is on the network named before it. */
	| 'member'
	| 'volume'
	/** Any of these. */
	| 'object'
	/** A container's name with a colon, or a path of the host. */
	| 'container-path'
	| 'command'
	| 'shell'
	| 'file'
	| 'none';

export const argumentKinds: Record<string, readonly Kind[]> = {
	'container attach': ['running', 'none'],
	'container commit': ['container', 'repository', 'none'],
	'container cp': ['container-path', 'container-path', 'none'],
	'container create': ['image', 'file'],
	'container diff': ['container', 'none'],
	'container exec': ['running', 'file'],
	'container export': ['container', 'none'],
	'container inspect': ['container'],
	'container kill': ['running'],
	'container logs': ['container', 'none'],
	'container pause': ['pausable'],
	'container port': ['container', 'none'],
	'container rename': ['container', 'none'],
	'container restart': ['container'],
	'container rm': ['container'],
	'container run': ['image', 'file'],
	'container start': ['startable'],
	'container stats': ['running'],
	'container stop': ['running'],
	'container top': ['running', 'none'],
	'container unpause': ['paused'],
	'container update': ['container'],
	'container wait': ['running'],
	'debug plan': ['image', 'file'],
	'image history': ['image', 'none'],
	'image import': ['file', 'repository', 'none'],
	'image inspect': ['image'],
	'image ls': ['repository', 'none'],
	'image pull': ['image', 'none'],
	'image push': ['image', 'none'],
	'image rm': ['image'],
	'image save': ['image'],
	'image tag': ['image', 'repository', 'none'],
	'network connect': ['custom-network', 'container', 'none'],
	'network disconnect': ['custom-network', 'member', 'none'],
	'network inspect': ['network'],
	'network rm': ['custom-network'],
	'volume inspect': ['volume'],
	'volume rm': ['volume'],
	'volume update': ['volume', 'none'],
	'image build': ['file'],
	build: ['file'],
	'builder build': ['file'],
	'buildx build': ['file'],
	completion: ['shell', 'none'],
	help: ['command'],
	inspect: ['object'],
};

/**
 * Why something that docker has is refused for good. What is neither supported nor named here is not supported
 * yet. The keys are full names of commands, which stand for all below them.
 */
import type {CommandRows} from './rows.ts';

const swarm = 'it is a part of Swarm, and wherry runs containers on this host only';
const daemon = 'the engine runs inside this process, there is no daemon';
const builder = 'there is one builder, which is this process';
const bundle = 'it is for Docker Desktop';
const clusterVolume = 'cluster volumes are a part of Swarm';

const commandReasons: Record<string, string> = {
	swarm,
	node: swarm,
	service: swarm,
	stack: swarm,
	secret: swarm,
	config: swarm,
	plugin: `plugins extend a daemon; ${daemon}`,
	context: `a context says which daemon to use; ${daemon}`,
	checkpoint: 'checkpoints are an experiment of docker',
	'system dial-stdio': daemon,
	compose: 'wherry does not read compose files',
	bake: 'wherry does not read bake files',
	'buildx bake': 'wherry does not read bake files',
	'buildx create': builder,
	'buildx rm': builder,
	'buildx stop': builder,
	'buildx dial-stdio': builder,
	'buildx dap': 'builds have no debugger',
	'buildx debug': 'builds have no debugger',
	'buildx history export': bundle,
	'buildx history import': bundle,
	'buildx history inspect attachment': 'builds make no attestations',
	'buildx history open': bundle,
	'buildx history trace': 'builds have no traces',
	'buildx policy': 'builds have no policies',
};

/** By flag, or by `command --flag` where the name alone says too little. */
const flagReasons: Record<string, string> = {
	host: `it says where a daemon listens; ${daemon}`,
	context: `a context says which daemon to use; ${daemon}`,
	tls: `it protects the connection to a daemon; ${daemon}`,
	tlsverify: `it protects the connection to a daemon; ${daemon}`,
	tlscacert: `it protects the connection to a daemon; ${daemon}`,
	tlscert: `it protects the connection to a daemon; ${daemon}`,
	tlskey: `it protects the connection to a daemon; ${daemon}`,
	'use-api-socket': `there is no API socket; ${daemon}`,
	checkpoint: 'checkpoints are an experiment of docker',
	'checkpoint-dir': 'checkpoints are an experiment of docker',
	cluster: clusterVolume,
	'buildx build --policy': 'builds have no policies',
	'buildx history ls --local': 'builds don’t look which repository a folder is of',
	'volume create --availability': clusterVolume,
	'volume create --group': clusterVolume,
	'volume create --limit-bytes': clusterVolume,
	'volume create --required-bytes': clusterVolume,
	'volume create --scope': clusterVolume,
	'volume create --secret': clusterVolume,
	'volume create --sharing': clusterVolume,
	'volume create --topology-preferred': clusterVolume,
	'volume create --topology-required': clusterVolume,
	'volume create --type': clusterVolume,
	'volume update --availability': clusterVolume,
};

/** Why a command is refused for good; undefined when it only isn't there yet. */
export function commandReason(name: string): string | undefined {
	for (let prefix = name; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf(' ')))) {
		if (Object.hasOwn(commandReasons, prefix)) return commandReasons[prefix];
	}
	return undefined;
}

export function flagReason(name: string, flag: string): string | undefined {
	const specific = `${name} --${flag}`;
	if (Object.hasOwn(flagReasons, specific)) return flagReasons[specific];
	return Object.hasOwn(flagReasons, flag) ? flagReasons[flag] : undefined;
}

const notSupported = (what: string, reason: string | undefined): string =>
	reason === undefined ? `${what} is not supported yet` : `${what} is not supported: ${reason}`;

/** The error of a command that isn't there. */
export const refuseCommand = ({name, typed}: {name: string; typed: string}): string =>
	`wherry: ${notSupported(`'wherry ${typed}'`, commandReason(name))}`;

/** The error of a flag that isn't there. */
export const refuseFlag = ({name, typed}: {name: string; typed: string}, flag: string): string =>
	`wherry${typed === '' ? '' : ` ${typed}`}: ${notSupported(`--${flag}`, flagReason(name, flag))}`;

/** Whether a group has nothing that could be run. */
export const isEmptyGroup = (rows: CommandRows, name: string): boolean =>
	!Object.entries(rows).some(([below, row]) => row.args !== undefined && below.startsWith(`${name} `));

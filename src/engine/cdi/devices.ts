/** What a container asks of the Container Device Interface, and what it gets for it. */
import type {DeviceRequest} from '../api.ts';
import {WherryError} from '../errors.ts';
import {
	type ContainerEdits,
	cdiFolders,
	readSpecifications,
	type Specification,
	type Specifications,
} from './specification.ts';

/** Kinds that --gpus stands for, the usual one first. */
const gpuKinds: Record<string, string> = {
	nvidia: 'nvidia.com/gpu',
	amd: 'amd.com/gpu',
	intel: 'intel.com/gpu',
};

/** Go's way to print lists of lists. */
const printed = (lists: string[][] | null): string =>
	`[${(lists ?? []).map((list) => `[${list.join(' ')}]`).join(' ')}]`;

function places(folders: readonly string[], problems: readonly string[]): string {
	const where = `looked for in ${folders.join(' and ')}`;
	return problems.length > 0 ? `${where}; not readable: ${problems.join('; ')}` : where;
}

/** The device with this name, from the folder that counts most. Throws when two files there have it. */
function findDevice(
	{found}: Specifications,
	name: string,
): {specification: Specification; edits: ContainerEdits} | undefined {
	const [kind = '', device = ''] = name.split(/=(.*)/s);
	const holders = found.filter((each) => each.kind === kind && each.devices.has(device));
	const [first, second] = holders;
	if (!first) return undefined;
	const folder = (file: string): string => file.slice(0, file.lastIndexOf('/'));
	if (second && folder(first.file) === folder(second.file)) {
		throw new WherryError(
			'conflict',
			`CDI device injection failed: conflicting device ${JSON.stringify(name)} (specs ${JSON.stringify(first.file)}, ${JSON.stringify(second.file)})`,
			{object: name},
		);
	}
	return {specification: first, edits: first.devices.get(device)!};
}

/** The names that a request for GPUs stands for. */
function gpuNames(
	request: DeviceRequest,
	specifications: Specifications,
	folders: readonly string[],
): string[] {
	const wanted =
		request.Driver === '' ? Object.values(gpuKinds) : [gpuKinds[request.Driver] ?? request.Driver];
	const kind = wanted.find((each) =>
		specifications.found.some((specification) => specification.kind === each),
	);
	if (kind === undefined) {
		throw new WherryError(
			'unavailable',
			`could not select device driver ${JSON.stringify(request.Driver)} with capabilities: ${printed(request.Capabilities)}: there is no CDI specification of GPUs (${places(folders, specifications.problems)})`,
		);
	}
	if (request.DeviceIDs?.length) return request.DeviceIDs.map((id) => `${kind}=${id}`);
	const devices = specifications.found
		.filter((specification) => specification.kind === kind)
		.flatMap((specification) => [...specification.devices.keys()]);
	if (request.Count < 0) {
		return devices.includes('all') ? [`${kind}=all`] : devices.map((device) => `${kind}=${device}`);
	}
	const numbered = devices.filter((device) => /^\d+$/.test(device)).sort((a, b) => Number(a) - Number(b));
	if (numbered.length < request.Count) {
		throw new WherryError(
			'unavailable',
			`${request.Count} GPUs were asked for, but ${kind} has ${numbered.length} (${places(folders, specifications.problems)})`,
		);
	}
	return numbered.slice(0, request.Count).map((device) => `${kind}=${device}`);
}

/** The edits for all requests, those of a specification's own once and before its devices'. Reads the host's files. */
export function deviceEdits(requests: readonly DeviceRequest[], folders = cdiFolders()): ContainerEdits[] {
	const specifications = readSpecifications(folders);
	const names = requests.flatMap((request) =>
		request.Driver === 'cdi' ? (request.DeviceIDs ?? []) : gpuNames(request, specifications, folders),
	);
	const used = new Set<Specification>();
	const edits: ContainerEdits[] = [];
	const missing: string[] = [];
	for (const name of new Set(names)) {
		const device = findDevice(specifications, name);
		if (!device) {
			missing.push(name);
			continue;
		}
		if (!used.has(device.specification)) edits.push(device.specification.edits);
		used.add(device.specification);
		edits.push(device.edits);
	}
	if (missing.length > 0) {
		throw new WherryError(
			'not-found',
			`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')} (${places(folders, specifications.problems)})`,
			{object: missing[0]},
		);
	}
	return edits;
}

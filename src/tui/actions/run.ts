/** A new container: the form, and what it asks the engine for. */
import type {CreateOptions} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {patchContainers, setJob, setList} from '../store/reducers.ts';
import {type ActionContext, openDialog, remember, showError, showMessage} from './context.ts';
import {pullImage} from './images.ts';

export const BASE = 'wherry/base';

export interface RunRequest {
	image: string;
	name: string;
	command: string[];
	env: string[];
	binds: string[];
	terminal: boolean;
	remove: boolean;
	attach: boolean;
}

export function askRun(context: ActionContext, image: string): void {
	openDialog(context, {
		kind: 'form',
		title: 'Run a container',
		fields: [
			{id: 'image', label: 'Image', hint: 'alpine:3.20', value: textField(image)},
			{id: 'name', label: 'Name', hint: 'made up when empty', value: textField()},
			{id: 'command', label: 'Command', hint: 'the image’s own when empty', value: textField()},
			{id: 'env', label: 'Environment', hint: 'KEY=value KEY2=value', value: textField()},
			{id: 'binds', label: 'Volumes', hint: '/host:/inside name:/inside:ro', value: textField()},
			{id: 'terminal', label: 'Terminal (-it)', value: true},
			{id: 'attach', label: 'Attach now', value: false},
			{id: 'remove', label: 'Remove at its end (--rm)', value: false},
		],
		index: image === '' ? 0 : 1,
		submit: 'run',
		onSubmit: (values) => {
			const request = readRequest(values);
			if (typeof request === 'string') return request;
			void run(context, request);
			return undefined;
		},
	});
}

/** The first run's one key: a shell in the image that needs no network. */
export async function runBase(context: ActionContext): Promise<void> {
	const {store} = context;
	store.update((state) => setJob(state, BASE, 'making it from this machine’s files'));
	try {
		await context.engine.images.ensureBase();
	} catch (error) {
		showError(context, error);
		return;
	} finally {
		store.update((state) => setJob(state, BASE, undefined));
	}
	await run(context, {
		image: BASE,
		name: '',
		command: [],
		env: [],
		binds: [],
		terminal: true,
		remove: false,
		attach: false,
	});
}

/** What the form says, or why it can't be done. */
export function readRequest(values: Record<string, string | boolean>): RunRequest | string {
	const image = String(values.image).trim();
	if (image === '') return 'The image is empty.';
	const command = splitWords(String(values.command));
	const env = splitWords(String(values.env));
	const binds = splitWords(String(values.binds));
	if (!command || !env || !binds) return 'A quote is not closed.';
	const wrong = env.find((entry) => entry.startsWith('='));
	if (wrong !== undefined) return `${wrong}: a variable has no name.`;
	return {
		image,
		name: String(values.name).trim(),
		command,
		env,
		binds,
		terminal: values.terminal === true,
		remove: values.remove === true,
		attach: values.attach === true,
	};
}

/** As a shell splits words: quotes and backslashes, nothing else. Undefined when a quote stays open. */
export function splitWords(text: string): string[] | undefined {
	const words: string[] = [];
	let word: string | undefined;
	let quote = '';
	for (let index = 0; index < text.length; index++) {
		const character = text[index]!;
		if (quote === "'") {
			if (character === "'") quote = '';
			else word += character;
		} else if (character === '\\' && index + 1 < text.length) {
			const next = text[++index]!;
			word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
		} else if (quote === '"') {
			if (character === '"') quote = '';
			else word += character;
		} else if (character === '"' || character === "'") {
			quote = character;
			word ??= '';
		} else if (/\s/.test(character)) {
			if (word !== undefined) words.push(word);
			word = undefined;
		} else {
			word = (word ?? '') + character;
		}
	}
	if (quote !== '') return undefined;
	if (word !== undefined) words.push(word);
	return words;
}

export function createOptions(request: RunRequest): CreateOptions {
	const {image, name, command, env, binds, terminal, remove, attach} = request;
	return {
		image,
		...(name === '' ? {} : {name}),
		config: {
			Tty: terminal,
			OpenStdin: terminal,
			StdinOnce: false,
			AttachStdin: terminal && attach,
			AttachStdout: attach,
			AttachStderr: attach,
			...(command.length > 0 ? {Cmd: command} : {}),
			...(env.length > 0 ? {Env: env.flatMap(withValue)} : {}),
		},
		hostConfig: {AutoRemove: remove, ...(binds.length > 0 ? {Binds: binds} : {})},
	};
}

/** `KEY` alone takes our own value, and nothing where there is none, as docker's `-e KEY`. */
function withValue(entry: string): string[] {
	if (entry.includes('=')) return [entry];
	const value = process.env[entry];
	return value === undefined ? [] : [`${entry}=${value}`];
}

export function runCommand(request: RunRequest): string[] {
	const {image, name, command, env, binds, terminal, remove, attach} = request;
	return [
		'run',
		...(attach ? [] : ['-d']),
		...(terminal ? ['-it'] : []),
		...(remove ? ['--rm'] : []),
		...(name === '' ? [] : ['--name', name]),
		...env.flatMap((entry) => ['-e', entry]),
		...binds.flatMap((entry) => ['-v', entry]),
		image,
		...command,
	];
}

async function run(context: ActionContext, request: RunRequest): Promise<void> {
	const {store, engine} = context;
	remember(context, ...runCommand(request));
	const job = `run ${request.image}`;
	let id: string | undefined;
	store.update((state) => setJob(state, job, '…'));
	try {
		const created = await createPulling(context, request);
		if (!created) return;
		id = created.id;
		for (const warning of created.warnings) showMessage(context, {tone: 'info', text: `WARNING: ${warning}`});
		const made = id;
		const {terminal} = request;
		// Its row is read at once, so that it is there to be selected before its event comes.
		const rows = await engine.containers.list({all: true, filters: {id: [made]}});
		store.update((state) => setList(patchContainers(state, [made], rows), 'containers', {selected: made}));
		if (request.attach) {
			await context.sessions.open({
				kind: 'attach',
				container: made,
				name: request.name || made.slice(0, 12),
				tty: terminal,
				open: async (size) => {
					const session = await engine.containers.start(made, {
						attach: {stdin: terminal, stdout: true, stderr: true, ...size},
					});
					return session!;
				},
			});
		} else {
			await engine.containers.start(made);
		}
	} catch (error) {
		showError(context, error);
		// As docker's `run`: what can't be started stays, unless it was to be removed.
		if (id !== undefined && request.remove) await engine.containers.remove(id, {force: true}).catch(() => {});
	} finally {
		store.update((state) => setJob(state, job, undefined));
	}
}

/** An image that isn't here is pulled first. Undefined when that failed; the error has been shown. */
async function createPulling(
	context: ActionContext,
	request: RunRequest,
): Promise<{id: string; warnings: string[]} | undefined> {
	const {engine} = context;
	const options = createOptions(request);
	try {
		return await engine.containers.create(options);
	} catch (error) {
		if ((error as {code?: string}).code !== 'not-found' || !/no such image/i.test(String(error))) throw error;
		if (!(await pullImage(context, request.image))) return undefined;
		return engine.containers.create(options);
	}
}

import type {ManifestEntry} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printError, printLine} from '../output.ts';

/** docker's client does all of this itself, so nothing stands before its messages. */
const plainly =
	(action: CommandAction): CommandAction =>
	async (...args) => {
		try {
			return await action(...args);
		} catch (error) {
			throw error instanceof WherryError ? new CliError(error.message) : error;
		}
	};

const insecureOf = (flags: {bool(name: string): boolean}): {insecure: boolean} => ({
	insecure: flags.bool('insecure'),
});

/** docker's verbose form: the parsed manifest under the name of its kind. */
function verbose({Ref, Descriptor, Raw}: ManifestEntry): object {
	const bytes = Buffer.from(Raw, 'base64');
	const kind = Descriptor.mediaType.includes('.docker.') ? 'SchemaV2Manifest' : 'OCIManifest';
	return {Ref, Descriptor, ...(Raw === '' ? {} : {Raw, [kind]: JSON.parse(bytes.toString('utf8'))})};
}

const escaped = (json: string): string =>
	json.replace(
		/[\x7f-\x9f\u2028\u2029]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);

export const inspectManifest = plainly(async ({flags, args}, open) => {
	const engine = await open();
	const whole = flags.bool('verbose');
	const [first, second] = args as [string, string?];
	const found = await engine.manifests.inspect(second ?? first, {
		...insecureOf(flags),
		whole,
		...(second === undefined ? {} : {list: first}),
	});
	if ('entries' in found) {
		printLine(
			whole
				? escaped(JSON.stringify(found.entries.map(verbose), undefined, '\t'))
				: escaped(found.bytes.toString('utf8')),
		);
		return 0;
	}
	const document = whole ? verbose(found) : JSON.parse(Buffer.from(found.Raw, 'base64').toString('utf8'));
	printLine(escaped(JSON.stringify(document, undefined, '\t')));
	return 0;
});

export const createManifest = plainly(async ({flags, args}, open) => {
	const engine = await open();
	const [list, ...manifests] = args as [string, ...string[]];
	const options = {...insecureOf(flags), amend: flags.bool('amend')};
	printLine(`Created manifest list ${await engine.manifests.create(list, manifests, options)}`);
	return 0;
});

export const annotateManifest = plainly(async ({flags, args}, open) => {
	const engine = await open();
	await engine.manifests.annotate(args[0]!, args[1]!, {
		architecture: flags.string('arch'),
		os: flags.string('os'),
		'os.version': flags.string('os-version'),
		'os.features': flags.list('os-features'),
		variant: flags.string('variant'),
	});
	return 0;
});

export const pushManifest = plainly(async ({flags, args}, open) => {
	const engine = await open();
	const digest = await engine.manifests.push(args[0]!, {
		...insecureOf(flags),
		purge: flags.bool('purge'),
		onProgress: (event) => printLine(`Pushed ref ${event.ref} with digest: ${event.digest}`),
	});
	printLine(digest);
	return 0;
});

export const removeManifests: CommandAction = async ({args}, open) => {
	const engine = await open();
	let status = 0;
	for (const name of args) {
		try {
			await engine.manifests.remove(name);
		} catch (error) {
			if (!(error instanceof WherryError)) throw error;
			printError(error.message);
			status = 1;
		}
	}
	return status;
};

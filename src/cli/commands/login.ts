import {readFileSync} from 'node:fs';
import {isatty} from 'node:tty';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printError, printLine} from '../output.ts';

const hub = 'https://index.docker.io/v1/';

/** The server as docker names it in its messages. */
const shown = (server: string): string => server.replace(/^https?:\/\//, '').split('/')[0]!;

const withoutNewline = (text: string): string => text.replace(/\r?\n$/, '').replace(/\r$/, '');

export const login: CommandAction = async ({flags, args}, open) => {
	const server = args[0] ?? '';
	let username = flags.string('username');
	let password = flags.string('password');
	if (flags.changed('password')) {
		if (flags.bool('password-stdin'))
			throw new CliError('conflicting options: cannot specify both --password and --password-stdin');
		printError('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
	}
	if (flags.bool('password-stdin')) {
		if (username === '') {
			throw new CliError('the --password-stdin option requires --username to be set');
		}
		password = withoutNewline(readFileSync(0, 'utf8'));
		if (password === '') throw new CliError('Error: Password Required');
	}
	const {registries} = await open();
	const report = async (credentials: {username: string; password: string; identityToken?: string}) => {
		const {stored} = await registries.login(server, credentials);
		if (stored !== undefined) {
			printError(
				`\nWARNING! Your credentials are stored unencrypted in '${stored}'.\nConfigure a credential helper to remove this warning.\n`,
			);
		}
		printLine('Login Succeeded');
		return 0;
	};
	if (username === '' && password === '') {
		const known = await registries.credentials(server);
		if (known && known.username !== '' && known.password !== '') {
			printLine('Authenticating with existing credentials...');
			try {
				return await report(known);
			} catch (error) {
				if (!isatty(0)) throw error;
				printError(`Login did not succeed, error: ${(error as Error).message}`);
			}
		}
	}
	if (username === '' || password === '') {
		if (!isatty(0)) throw new CliError('Error: Cannot perform an interactive login from a non TTY device');
		const {promptLine} = await import('../terminal/prompt.ts');
		if (username === '') username = (await promptLine('Username: ')).trim();
		if (username === '') throw new CliError('Error: Non-null Username Required');
		if (password === '') {
			password = await promptLine('Password: ', {secret: true}).catch(() => {
				throw new CliError('', 130);
			});
		}
		if (password === '') throw new CliError('Error: Password Required');
	}
	return report({username, password});
};

export const logout: CommandAction = async ({args}, open) => {
	const server = args[0] ?? '';
	const name = server === '' ? hub : shown(server);
	const {registries} = await open();
	printLine(`Removing login credentials for ${name}`);
	await registries.logout(server);
	return 0;
};

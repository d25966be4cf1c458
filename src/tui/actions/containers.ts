/** What can be done to the selected container. Each has the command line that does the same. */
import type {ContainerSummary} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {containerName, isUp} from '../panes/containers.ts';
import type {Choice} from '../store/state.ts';
import type {SessionEnd} from '../terminal/session.ts';
import {sanitize, sanitizeLogLine} from '../text/sanitize.ts';
import {truncate} from '../text/width.ts';
import {type ActionContext, openDialog, remember, showError, showMessage, whileBusy} from './context.ts';

type ContainerAction = (context: ActionContext, row: ContainerSummary) => void | Promise<void>;

/** The best shell that the container has, without knowing which it has. */
const SHELL = ['sh', '-c', 'exec "$(command -v bash || command -v ash || echo sh)"'];

const SIGNALS: Choice[] = [
	{id: 'SIGKILL', label: 'KILL', key: 'K'},
	{id: 'SIGTERM', label: 'TERM', key: 't'},
	{id: 'SIGINT', label: 'INT', key: 'i'},
	{id: 'SIGHUP', label: 'HUP', key: 'h'},
];

const NO: Choice = {id: 'no', label: 'No', key: 'n'};

export const containerActions = {
	start: async (context, row) => {
		remember(context, 'start', containerName(row));
		await whileBusy(context, row, 'starting', () => context.engine.containers.start(row.Id));
	},

	stop: async (context, row) => {
		remember(context, 'stop', containerName(row));
		await whileBusy(context, row, 'stopping', () => context.engine.containers.stop(row.Id));
	},

	restart: async (context, row) => {
		remember(context, 'restart', containerName(row));
		await whileBusy(context, row, 'restarting', () => context.engine.containers.restart(row.Id));
	},

	pause: async (context, row) => {
		const paused = row.State === 'paused';
		remember(context, paused ? 'unpause' : 'pause', containerName(row));
		const {containers} = context.engine;
		await whileBusy(context, row, paused ? 'going on' : 'pausing', () =>
			paused ? containers.unpause(row.Id) : containers.pause(row.Id),
		);
	},

	kill: (context, row) => {
		const name = containerName(row);
		openDialog(context, {
			kind: 'confirm',
			title: 'Send a signal',
			lines: [`Which signal does ${name} get?`],
			choices: [NO, ...SIGNALS],
			index: 0,
			onChoice: (signal) => {
				if (signal === 'no') return;
				remember(context, 'kill', ...(signal === 'SIGKILL' ? [] : ['-s', signal]), name);
				void whileBusy(context, row, 'killing', () => context.engine.containers.kill(row.Id, signal));
			},
		});
	},

	remove: (context, row) => {
		const name = containerName(row);
		const force = isUp(row);
		const flags = force ? ['-f'] : [];
		openDialog(context, {
			kind: 'confirm',
			title: 'Remove container',
			lines: [
				`Remove ${name} (${row.Image})?`,
				force ? 'It is running: it will be killed.' : 'What it wrote will be lost.',
			],
			choices: [
				NO,
				{id: 'remove', label: force ? 'Kill and remove' : 'Remove', key: 'y'},
				{id: 'volumes', label: 'With its anonymous volumes', key: 'v'},
			],
			index: 0,
			onChoice: (choice) => {
				if (choice === 'no') return;
				const volumes = choice === 'volumes';
				remember(context, 'rm', ...flags, ...(volumes ? ['-v'] : []), name);
				void whileBusy(context, row, 'removing', () =>
					context.engine.containers.remove(row.Id, {force, volumes}),
				);
			},
		});
	},

	rename: (context, row) => {
		const name = containerName(row);
		openDialog(context, {
			kind: 'form',
			title: `Rename ${name}`,
			fields: [{id: 'name', label: 'New name', value: textField(name)}],
			index: 0,
			submit: 'rename',
			onSubmit: ({name: next}) => {
				const wanted = String(next).trim();
				if (wanted === '') return 'The name is empty.';
				remember(context, 'rename', name, wanted);
				context.engine.containers.rename(row.Id, wanted).catch((error) => showError(context, error));
				return undefined;
			},
		});
	},

	attach: async (context, row) => {
		const name = containerName(row);
		if (!isUp(row)) {
			showMessage(context, {
				tone: 'bad',
				text: 'You cannot attach to a stopped container, start it first (S).',
			});
			return;
		}
		if (row.State === 'paused') {
			showMessage(context, {
				tone: 'bad',
				text: 'You cannot attach to a paused container, unpause it first (p).',
			});
			return;
		}
		remember(context, 'attach', name);
		try {
			const {Config} = await context.engine.containers.inspect(row.Id);
			const end = await context.screen.fullScreen(
				(size) =>
					context.engine.containers.attach(row.Id, {
						stdin: Config.OpenStdin,
						stdout: true,
						stderr: true,
						...size,
					}),
				{tty: Config.Tty, banner: attachBanner(name), history: await lastLines(context, row.Id)},
			);
			reportEnd(context, name, end);
		} catch (error) {
			showError(context, error);
		}
	},

	exec: async (context, row) => {
		const name = containerName(row);
		if (row.State !== 'running') {
			showMessage(context, {tone: 'bad', text: `Error: container ${name} is not running`});
			return;
		}
		remember(context, 'exec', '-it', name, 'sh');
		try {
			const end = await context.screen.fullScreen(
				(size) =>
					context.engine.containers.exec(row.Id, {
						argv: SHELL,
						tty: true,
						stdin: true,
						stdout: true,
						stderr: true,
						env: [`TERM=${process.env.TERM || 'xterm'}`],
						...size,
					}),
				{tty: true, banner: `shell in ${sanitize(name)} · exit ends it · Ctrl+P Ctrl+Q leaves it running`},
			);
			if (end !== 'detached' && (end.code === 126 || end.code === 127)) {
				showMessage(context, {tone: 'bad', text: `No shell in ${name}: exit code ${end.code}`});
			}
		} catch (error) {
			showError(context, error);
		}
	},
} satisfies Record<string, ContainerAction>;

/** What it wrote last, as far as half a screen holds it. An unreadable log is no reason not to attach. */
async function lastLines({engine, store}: ActionContext, container: string): Promise<string[]> {
	const {columns, rows} = store.state.size;
	const lines: string[] = [];
	try {
		for await (const entries of engine.containers.logs(container, {tail: Math.floor(rows / 2)})) {
			for (const {line} of entries) lines.push(truncate(sanitizeLogLine(line), columns));
		}
	} catch {
		return [];
	}
	return lines;
}

export function attachBanner(name: string): string {
	return `ATTACHED ${sanitize(name)} · Ctrl+P Ctrl+Q comes back to the panes`;
}

export function reportEnd(context: ActionContext, name: string, end: SessionEnd): void {
	showMessage(
		context,
		end === 'detached'
			? {tone: 'good', text: `Left ${name}; it goes on.`}
			: {
					tone: end.code === 0 ? 'info' : 'bad',
					text: `${name} ended with exit code ${end.code}${end.oomKilled ? ' (out of memory)' : ''}.`,
				},
	);
}

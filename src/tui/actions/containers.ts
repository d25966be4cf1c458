/** What can be done to the selected container. Each has the command line that does the same. */
import {humanSize} from '../../cli/format/size.ts';
import type {ContainerSummary} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {containerName, isUp} from '../panes/containers.ts';
import {colourDepth} from '../render/colour-depth.ts';
import type {Choice} from '../store/state.ts';
import {sanitizeLogLine} from '../text/sanitize.ts';
import {truncate} from '../text/width.ts';
import {type ActionContext, forEachRow, openDialog, remember, showError, showMessage} from './context.ts';

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

/** `web`, or `3 containers`. */
const objects = (rows: readonly ContainerSummary[]): string =>
	rows.length === 1 ? containerName(rows[0]!) : `${rows.length} containers`;

const names = (rows: readonly ContainerSummary[]): string[] => rows.map(containerName);

/** What is done to one container or to all that are marked. */
export const containersActions = {
	start: async (context, rows) => {
		remember(context, 'start', ...names(rows));
		await forEachRow(context, rows, 'starting', ({Id}) => context.engine.containers.start(Id));
	},

	stop: async (context, rows) => {
		remember(context, 'stop', ...names(rows));
		await forEachRow(context, rows, 'stopping', ({Id}) => context.engine.containers.stop(Id));
	},

	restart: async (context, rows) => {
		remember(context, 'restart', ...names(rows));
		await forEachRow(context, rows, 'restarting', ({Id}) => context.engine.containers.restart(Id));
	},

	pause: async (context, rows) => {
		const paused = rows.every(({State}) => State === 'paused');
		remember(context, paused ? 'unpause' : 'pause', ...names(rows));
		const {containers} = context.engine;
		await forEachRow(context, rows, paused ? 'going on' : 'pausing', ({Id}) =>
			paused ? containers.unpause(Id) : containers.pause(Id),
		);
	},

	kill: (context, rows) => {
		openDialog(context, {
			kind: 'confirm',
			title: 'Send a signal',
			lines: [`Which signal ${rows.length === 1 ? 'does' : 'do'} ${objects(rows)} get?`],
			choices: [NO, ...SIGNALS],
			index: 0,
			onChoice: (signal) => {
				if (signal === 'no') return;
				remember(context, 'kill', ...(signal === 'SIGKILL' ? [] : ['-s', signal]), ...names(rows));
				void forEachRow(context, rows, 'killing', ({Id}) => context.engine.containers.kill(Id, signal));
			},
		});
	},

	remove: (context, rows) => {
		const force = rows.some(isUp);
		const flags = force ? ['-f'] : [];
		const [first] = rows;
		openDialog(context, {
			kind: 'confirm',
			title: rows.length === 1 ? 'Remove container' : `Remove ${rows.length} containers`,
			lines:
				rows.length === 1
					? [
							`Remove ${containerName(first!)} (${first!.Image})?`,
							force
								? 'It is running: it will be killed, and what it wrote lost.'
								: 'What it wrote will be lost.',
						]
					: [
							'Remove these?',
							...rows
								.slice(0, 8)
								.map((row) => `  ${containerName(row)} (${row.Image})${isUp(row) ? ', running' : ''}`),
							...(rows.length > 8 ? [`  and ${rows.length - 8} more`] : []),
							force ? 'Those that run will be killed.' : 'What they wrote will be lost.',
						],
			choices: [
				NO,
				{id: 'remove', label: force ? 'Kill and remove' : 'Remove', key: 'y'},
				{id: 'volumes', label: 'With anonymous volumes', key: 'v'},
			],
			index: 0,
			onChoice: (choice) => {
				if (choice === 'no') return;
				const volumes = choice === 'volumes';
				remember(context, 'rm', ...flags, ...(volumes ? ['-v'] : []), ...names(rows));
				void forEachRow(context, rows, 'removing', ({Id}) =>
					context.engine.containers.remove(Id, {force, volumes}),
				);
			},
		});
	},
} satisfies Record<
	string,
	(context: ActionContext, rows: readonly ContainerSummary[]) => void | Promise<void>
>;

/** What is done to the selected one alone. */
export const containerActions = {
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
		const open = context.sessions.attached(row.Id);
		if (open) return context.sessions.enter(open.id);
		try {
			await context.sessions.hold(async () => {
				const {Config} = await context.engine.containers.inspect(row.Id);
				await context.sessions.open({
					kind: 'attach',
					container: row.Id,
					name,
					tty: Config.Tty,
					open: (size) =>
						context.engine.containers.attach(row.Id, {
							stdin: Config.OpenStdin,
							stdout: true,
							stderr: true,
							...size,
						}),
					history: await lastLines(context, row.Id),
				});
			});
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
			await context.sessions.open({
				kind: 'exec',
				container: row.Id,
				name,
				tty: true,
				open: (size) =>
					context.engine.containers.exec(row.Id, {
						argv: SHELL,
						tty: true,
						stdin: true,
						stdout: true,
						stderr: true,
						env: terminalVariables(),
						...size,
					}),
			});
		} catch (error) {
			showError(context, error);
		}
	},
} satisfies Record<string, ContainerAction>;

/** What it wrote last, as far as half a screen holds it. An unreadable log is no reason not to attach. */
export async function lastLines(
	{engine, store}: Pick<ActionContext, 'engine' | 'store'>,
	container: string,
): Promise<string[]> {
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

/** What programs find in their environment of the terminal that they have here. */
function terminalVariables(): string[] {
	return ['TERM=xterm-256color', ...(colourDepth() === 'true' ? ['COLORTERM=truecolor'] : [])];
}

export function pruneContainers(context: ActionContext): void {
	const stopped = [...context.store.state.containers.values()].filter((row) => !isUp(row));
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove containers that do not run',
		lines:
			stopped.length === 0
				? ['All containers run.']
				: [
						`${stopped.length} of ${context.store.state.containers.size} do not run:`,
						...stopped.slice(0, 8).map((row) => `  ${containerName(row)} (${row.Image})`),
						...(stopped.length > 8 ? [`  and ${stopped.length - 8} more`] : []),
						'What they wrote will be lost.',
					],
		choices: [NO, {id: 'remove', label: 'Remove', key: 'y'}],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'container', 'prune', '-f');
			context.engine.containers
				.prune()
				.then(({ContainersDeleted, SpaceReclaimed}) =>
					showMessage(context, {
						tone: 'good',
						text: `Removed ${ContainersDeleted.length}, ${humanSize(SpaceReclaimed)} freed.`,
					}),
				)
				.catch((error) => showError(context, error));
		},
	});
}

/** Events to commands: what has the focus decides what a key means. No drawing here, no terminal. */

import {containerActions} from './actions/containers.ts';
import {type ActionContext, openDialog, showError, showMessage} from './actions/context.ts';
import {askPull, removeImage, tagImage} from './actions/images.ts';
import {
	askConnect,
	askCreateNetwork,
	askDisconnect,
	disconnectMember,
	pruneNetworks,
	removeNetwork,
	showNetwork,
} from './actions/networks.ts';
import {askRun, runBase} from './actions/run.ts';
import type {InputEvent, KeyEvent, PasteEvent} from './input/event.ts';
import {editText, textField} from './input/text-field.ts';
import {buildKeymap, type CommandId, type Context, commandFor, helpLines} from './keymap.ts';
import {inside, layout, paneOrder} from './layout.ts';
import {anyPane, selectedContainer, selectedImage, selectedMember, selectedNetwork} from './panes/index.ts';
import {matches, visibleRows} from './panes/pane.ts';
import {
	detailPane,
	focusPane,
	isDetail,
	moveSelection,
	scrollLogs,
	setList,
	setLogs,
} from './store/reducers.ts';
import type {
	ConfirmDialog,
	Dialog,
	FormDialog,
	ListPaneId,
	PaneId,
	PickDialog,
	PickItem,
	State,
} from './store/state.ts';

type Command = (context: ActionContext) => void | Promise<void>;

/** Cells that one key scrolls the log to the side. */
const SIDE_STEP = 8;
/** Rows that one turn of the mouse's wheel moves. */
const WHEEL = 3;

const KEYMAP = buildKeymap();

const onContainer =
	(action: keyof typeof containerActions): Command =>
	(context) => {
		const row = selectedContainer(context.store.state);
		if (row) return containerActions[action](context, row);
		showMessage(context, {tone: 'info', text: 'No container is selected.'});
	};

const onImage =
	(action: (context: ActionContext, row: NonNullable<ReturnType<typeof selectedImage>>) => void): Command =>
	(context) => {
		const row = selectedImage(context.store.state);
		if (row) return action(context, row);
		showMessage(context, {tone: 'info', text: 'No image is selected.'});
	};

const onNetwork =
	(action: (context: ActionContext, row: NonNullable<ReturnType<typeof selectedNetwork>>) => void): Command =>
	(context) => {
		const row = selectedNetwork(context.store.state);
		if (row) return action(context, row);
		showMessage(context, {tone: 'info', text: 'No network is selected.'});
	};

function disconnectSelected(context: ActionContext): void {
	const {state} = context.store;
	const network = selectedNetwork(state);
	const member = selectedMember(state);
	if (network && member) disconnectMember(context, network, member);
	else showMessage(context, {tone: 'info', text: 'No container is selected.'});
}

/** To the row of a network's member among the containers, also when a filter or a switch has hidden it. */
function goToContainer({store}: ActionContext): void {
	store.update((state) => {
		const member = selectedMember(state);
		if (!member) return state;
		const {Id} = member.container;
		const there = focusPane(setList(state, 'containers', {selected: Id}), 'containers');
		if (selectedContainer(there)?.Id === Id) return there;
		return {...setList(there, 'containers', {filter: ''}), hideStopped: false};
	});
}

const focus =
	(pane: PaneId): Command =>
	({store}) =>
		store.update((state) => focusPane(state, pane));

const nextPane =
	(step: number): Command =>
	({store}) =>
		store.update((state) => {
			const order = paneOrder(state);
			const at = order.indexOf(state.focus) + step;
			return focusPane(state, order[(at + order.length) % order.length]!);
		});

/** Rows that the pane shows at once: its column titles take one. */
function pageHeight(state: State, pane: PaneId): number {
	const rect = layout(state).panes[pane];
	return rect ? Math.max(1, inside(rect).height - (pane === 'logs' ? 0 : 1)) : 1;
}

const focusedList = (state: State): ListPaneId => (state.focus === 'logs' ? state.lastList : state.focus);

const moveList =
	(delta: (page: number) => number): Command =>
	({store}) =>
		store.update((state) => {
			const id = focusedList(state);
			const pane = anyPane(id);
			const keys = visibleRows(pane, state).map(pane.key);
			return moveSelection(state, id, keys, delta(pageHeight(state, id)));
		});

const moveLogs =
	(delta: (page: number) => number): Command =>
	({store}) =>
		store.update((state) => {
			const page = pageHeight(state, 'logs');
			return scrollLogs(state, delta(page), page);
		});

function sortByNext({store}: ActionContext): void {
	store.update((state) => {
		const id = focusedList(state);
		const names = anyPane(id)
			.columns.filter((column) => column.order)
			.map((column) => column.name);
		const next = names[(names.indexOf(state.lists[id].sort) + 1) % names.length]!;
		return setList(state, id, {sort: next, reverse: false});
	});
}

function back({store}: ActionContext): void {
	store.update((state) => {
		if (state.message) return {...state, message: undefined};
		if (state.focus !== 'logs' && state.lists[state.focus].filter !== '') {
			return setList(state, state.focus, {filter: ''});
		}
		if (state.zoomed) return {...state, zoomed: false};
		return isDetail(state.focus) ? focusPane(state, state.lastList) : state;
	});
}

/** Changes the dialog, if it is of this kind. */
const changeDialog =
	<Kind extends Dialog['kind']>(
		kind: Kind,
		change: (dialog: Extract<Dialog, {kind: Kind}>, state: State) => Extract<Dialog, {kind: Kind}>,
	): Command =>
	({store}) =>
		store.update((state) =>
			state.dialog?.kind === kind
				? {...state, dialog: change(state.dialog as Extract<Dialog, {kind: Kind}>, state)}
				: state,
		);

const scrollText = (delta: number): Command =>
	changeDialog('text', (dialog, state) => {
		const last = Math.max(0, dialog.lines.length - dialogHeight(state));
		return {...dialog, top: Math.max(0, Math.min(last, dialog.top + delta))};
	});

/** Items whose label or note has what is typed. */
export function pickMatches({items, filter}: PickDialog): readonly PickItem[] {
	return items.filter(({label, note}) => matches(`${label} ${note}`, filter.value));
}

const movePick = (delta: (page: number) => number): Command =>
	changeDialog('pick', (dialog, state) => {
		const last = Math.max(0, pickMatches(dialog).length - 1);
		const index = Math.max(0, Math.min(last, dialog.index + delta(dialogHeight(state) - 1)));
		return {...dialog, index};
	});

function takePick(context: ActionContext): void {
	const {dialog} = context.store.state;
	if (dialog?.kind !== 'pick') return;
	const item = pickMatches(dialog)[dialog.index];
	if (!item) return;
	// Closed first: the next dialog may follow.
	openDialog(context, undefined);
	dialog.onPick(item.id);
}

/** Lines of a long dialog that fit: its border, its title's line and a margin are not among them. */
export function dialogHeight({size}: State): number {
	return Math.max(1, size.rows - 6);
}

const moveConfirm = (step: number): Command =>
	changeDialog('confirm', (dialog) => {
		const count = dialog.choices.length;
		return {...dialog, index: (dialog.index + step + count) % count};
	});

function answer(context: ActionContext, dialog: ConfirmDialog, choice: string): void {
	openDialog(context, undefined);
	dialog.onChoice(choice);
}

const moveForm = (step: number): Command =>
	changeDialog('form', (dialog) => {
		const count = dialog.fields.length;
		return {...dialog, index: (dialog.index + step + count) % count};
	});

function submitForm(context: ActionContext): void {
	const {dialog} = context.store.state;
	if (dialog?.kind !== 'form') return;
	const values = Object.fromEntries(
		dialog.fields.map(({id, value}) => [id, typeof value === 'boolean' ? value : value.value]),
	);
	// Closed first: what the form does may open the next dialog.
	openDialog(context, undefined);
	const error = dialog.onSubmit(values);
	if (error !== undefined) openDialog(context, {...dialog, error});
}

/** Work in the background ends with us, so it is asked about; containers go on whatever happens. */
function quit(context: ActionContext): void {
	const {jobs} = context.store.state;
	if (jobs.size === 0) {
		context.screen.quit();
		return;
	}
	openDialog(context, {
		kind: 'confirm',
		title: 'Quit',
		lines: ['This is not finished yet:', ...[...jobs].map(([name, progress]) => `  ${name} ${progress}`)],
		choices: [
			{id: 'no', label: 'Stay', key: 'n'},
			{id: 'quit', label: 'Quit', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'quit') context.screen.quit();
		},
	});
}

const setFilter = (filter: string | undefined): Command => {
	return ({store}) =>
		store.update((state) => {
			if (!state.filtering) return state;
			const {pane, field} = state.filtering;
			return {...setList(state, pane, {filter: filter ?? field.value}), filtering: undefined};
		});
};

const COMMANDS: Record<CommandId, Command> = {
	'container.attach': onContainer('attach'),
	'container.exec': onContainer('exec'),
	'container.logs': focus('logs'),
	'container.start': onContainer('start'),
	'container.stop': onContainer('stop'),
	'container.restart': onContainer('restart'),
	'container.pause': onContainer('pause'),
	'container.kill': onContainer('kill'),
	'container.remove': onContainer('remove'),
	'container.rename': onContainer('rename'),
	'container.run': (context) => askRun(context, ''),
	'container.toggleStopped': ({store}) =>
		store.update((state) => ({...state, hideStopped: !state.hideStopped})),
	'image.run': (context) => {
		const row = selectedImage(context.store.state);
		askRun(context, row ? (row.tag === '<none>' ? row.image.Id : `${row.repository}:${row.tag}`) : '');
	},
	'image.pull': askPull,
	'image.tag': onImage(tagImage),
	'image.remove': onImage(removeImage),
	'network.members': focus('members'),
	'network.create': askCreateNetwork,
	'network.connect': onNetwork(askConnect),
	'network.disconnect': onNetwork(askDisconnect),
	'network.inspect': onNetwork(showNetwork),
	'network.remove': onNetwork(removeNetwork),
	'network.prune': pruneNetworks,
	'member.container': goToContainer,
	'member.connect': onNetwork(askConnect),
	'member.disconnect': disconnectSelected,
	'member.network': onNetwork(showNetwork),
	'logs.follow': ({store}) =>
		store.update((state) =>
			state.logs.follow ? scrollLogs(state, -1, pageHeight(state, 'logs')) : setLogs(state, {follow: true}),
		),
	'logs.wrap': ({store}) => store.update((state) => setLogs(state, {wrap: !state.logs.wrap, left: 0})),
	'logs.timestamps': ({store}) =>
		store.update((state) => setLogs(state, {timestamps: !state.logs.timestamps})),
	'logs.clear': ({logs}) => logs.clear(),
	'logs.down': moveLogs(() => 1),
	'logs.up': moveLogs(() => -1),
	'logs.halfDown': moveLogs((page) => Math.ceil(page / 2)),
	'logs.halfUp': moveLogs((page) => -Math.ceil(page / 2)),
	'logs.pageDown': moveLogs((page) => page),
	'logs.pageUp': moveLogs((page) => -page),
	'logs.first': moveLogs(() => Number.NEGATIVE_INFINITY),
	'logs.last': ({store}) => store.update((state) => setLogs(state, {follow: true})),
	'logs.right': ({store}) =>
		store.update((state) => (state.logs.wrap ? state : setLogs(state, {left: state.logs.left + SIDE_STEP}))),
	'logs.left': ({store}) =>
		store.update((state) =>
			state.logs.left > 0
				? setLogs(state, {left: Math.max(0, state.logs.left - SIDE_STEP)})
				: focusPane(state, state.lastList),
		),
	'list.down': moveList(() => 1),
	'list.up': moveList(() => -1),
	'list.halfDown': moveList((page) => Math.ceil(page / 2)),
	'list.halfUp': moveList((page) => -Math.ceil(page / 2)),
	'list.pageDown': moveList((page) => page),
	'list.pageUp': moveList((page) => -page),
	'list.first': moveList(() => Number.NEGATIVE_INFINITY),
	'list.last': moveList(() => Number.POSITIVE_INFINITY),
	'list.filter': ({store}) =>
		store.update((state) => {
			const pane = focusedList(state);
			return {...state, filtering: {pane, field: textField(state.lists[pane].filter)}};
		}),
	'list.sort': sortByNext,
	'list.reverse': ({store}) =>
		store.update((state) => {
			const id = focusedList(state);
			return setList(state, id, {reverse: !state.lists[id].reverse});
		}),
	'app.base': runBase,
	'pane.containers': focus('containers'),
	'pane.images': focus('images'),
	'pane.networks': focus('networks'),
	'pane.detail': ({store}) => store.update((state) => focusPane(state, detailPane(state))),
	'pane.next': nextPane(1),
	'pane.previous': nextPane(-1),
	'pane.zoom': ({store}) => store.update((state) => ({...state, zoomed: !state.zoomed})),
	'app.back': back,
	'app.help': (context) =>
		openDialog(context, {
			kind: 'text',
			title: 'Keys',
			lines: helpLines(context.store.state.focus),
			top: 0,
		}),
	'app.redraw': ({screen}) => screen.redraw(),
	'app.suspend': ({screen}) => screen.suspend(),
	'app.quit': quit,
	'confirm.next': moveConfirm(1),
	'confirm.previous': moveConfirm(-1),
	'confirm.pick': (context) => {
		const {dialog} = context.store.state;
		if (dialog?.kind === 'confirm') answer(context, dialog, dialog.choices[dialog.index]!.id);
	},
	'confirm.no': (context) => {
		const {dialog} = context.store.state;
		if (dialog?.kind === 'confirm') answer(context, dialog, 'no');
	},
	'form.next': moveForm(1),
	'form.previous': moveForm(-1),
	'form.submit': submitForm,
	'form.cancel': (context) => openDialog(context, undefined),
	'pick.down': movePick(() => 1),
	'pick.up': movePick(() => -1),
	'pick.pageDown': movePick((page) => page),
	'pick.pageUp': movePick((page) => -page),
	'pick.take': takePick,
	'pick.cancel': (context) => openDialog(context, undefined),
	'text.down': scrollText(1),
	'text.up': scrollText(-1),
	'text.pageDown': scrollText(10),
	'text.pageUp': scrollText(-10),
	'text.close': (context) => openDialog(context, undefined),
	'filter.keep': setFilter(undefined),
	'filter.clear': setFilter(''),
};

/** What keys are for at this moment. */
export function currentContext(state: State): Context {
	if (state.dialog) return state.dialog.kind;
	if (state.filtering) return 'filter';
	return state.focus;
}

export class Controller {
	readonly #context: ActionContext;

	constructor(context: ActionContext) {
		this.#context = context;
	}

	handle(event: InputEvent): void {
		if (event.type === 'mouse') this.#wheel(event.action);
		if (event.type === 'key' || event.type === 'paste') this.#type(event);
	}

	#type(event: KeyEvent | PasteEvent): void {
		const {store} = this.#context;
		const {state} = store;
		const place = currentContext(state);
		const choices = state.dialog?.kind === 'confirm' ? state.dialog.choices : [];
		const direct = event.type === 'key' ? choices.find((choice) => choice.key === event.key) : undefined;
		const command = event.type === 'key' ? commandFor(KEYMAP, place, event.key) : undefined;
		// A message has been read when the next key comes.
		if (state.message && command !== 'app.back') store.update((now) => ({...now, message: undefined}));
		if (direct) answer(this.#context, state.dialog as ConfirmDialog, direct.id);
		else if (command) this.#run(command);
		else if (state.dialog?.kind === 'form') this.#editForm(state.dialog, event);
		else if (state.dialog?.kind === 'pick') this.#narrow(state.dialog, event);
		else if (state.filtering) {
			const {pane, field} = state.filtering;
			const next = editText(field, event);
			if (next) store.update((now) => ({...now, filtering: {pane, field: next}}));
		}
	}

	#run(command: CommandId): void {
		const done = COMMANDS[command](this.#context);
		if (done) done.catch((error) => showError(this.#context, error));
	}

	#editForm(dialog: FormDialog, event: InputEvent): void {
		const field = dialog.fields[dialog.index]!;
		let value = field.value;
		if (typeof value === 'boolean') {
			if (event.type !== 'key' || !['space', 'left', 'right'].includes(event.key)) return;
			value = !value;
		} else {
			const next = editText(value, event);
			if (!next) return;
			value = next;
		}
		const fields = dialog.fields.map((one, index) => (index === dialog.index ? {...one, value} : one));
		this.#context.store.update((state) => ({...state, dialog: {...dialog, fields, error: undefined}}));
	}

	#narrow(dialog: PickDialog, event: InputEvent): void {
		const filter = editText(dialog.filter, event);
		if (filter) this.#context.store.update((state) => ({...state, dialog: {...dialog, filter, index: 0}}));
	}

	#wheel(action: string): void {
		const {state} = this.#context.store;
		if (state.dialog || (action !== 'wheel-up' && action !== 'wheel-down')) return;
		const step = action === 'wheel-up' ? -WHEEL : WHEEL;
		void (state.focus === 'logs' ? moveLogs(() => step) : moveList(() => step))(this.#context);
	}
}

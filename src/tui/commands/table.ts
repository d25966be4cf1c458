/** Every command of the key table, as what it does. */
import type {ContainerSummary} from '../../engine/api.ts';
import {
	askBuild,
	cancelBuild,
	endBuilds,
	foldStep,
	forgetBuild,
	pruneBuilds,
	runBuilt,
} from '../actions/builds.ts';
import {showConfig} from '../actions/config.ts';
import {containerActions, containersActions, pruneContainers} from '../actions/containers.ts';
import {type ActionContext, openDialog, showError, showMessage} from '../actions/context.ts';
import {copyCommand, copyLogs, copyRow, copyTerminal} from '../actions/copy.ts';
import {customCommand, runCustom, showCustom} from '../actions/custom.ts';
import {showDisk} from '../actions/disk.ts';
import {showExposure} from '../actions/exposure.ts';
import {askPull, askPush, pruneImages, removeImages, tagImage} from '../actions/images.ts';
import {askSince, saveLogs} from '../actions/logs.ts';
import {
	askConnect,
	askCreateNetwork,
	askDisconnect,
	disconnectMember,
	pruneNetworks,
	removeNetwork,
	showNetwork,
} from '../actions/networks.ts';
import {openPalette} from '../actions/palette.ts';
import {askRun, runBase} from '../actions/run.ts';
import {cancelTransfer, showJobs} from '../actions/transfer.ts';
import {askCreateVolume, pruneVolumes, removeVolumes} from '../actions/volumes.ts';
import type {CommandId} from '../keymap.ts';
import {helpLines} from '../keys.ts';
import {
	chosenRows,
	selectedContainer,
	selectedImage,
	selectedMember,
	selectedNetwork,
	selectedUser,
} from '../panes/index.ts';
import {isDetail} from '../store/details.ts';
import {detailPane, focusPane, scrollLogs, setList, setLogs} from '../store/reducers.ts';
import type {State} from '../store/state.ts';
import {activeTab} from '../terminal/sessions.ts';
import {foldRow, nextFilesView, readRow} from './details.ts';
import {
	answer,
	type Command,
	cancelPick,
	findField,
	moveConfirm,
	moveForm,
	movePick,
	pageForm,
	scrollText,
	submitForm,
	takePick,
} from './dialogs.ts';
import {clearMarks, markAll, markRow, withMarks} from './marks.ts';
import {
	findNext,
	focus,
	focusedList,
	moveList,
	moveLogs,
	neighbour,
	nextPane,
	nextTab,
	pageHeight,
	SIDE_STEP,
	setFilter,
	sortByNext,
	startFilter,
	startSearch,
} from './movement.ts';
import {
	closeSession,
	findInTerminal,
	scrollSession,
	searchTerminal,
	showTerminals,
	stepSession,
	typeInto,
	zoomSession,
} from './sessions.ts';

const onContainer =
	(action: keyof typeof containerActions): Command =>
	(context) => {
		const row = selectedContainer(context.store.state);
		if (row) return containerActions[action](context, row);
		showMessage(context, {tone: 'info', text: 'No container is selected.'});
	};

const onContainers =
	(action: keyof typeof containersActions): Command =>
	(context) => {
		const rows = chosenRows(context.store.state, 'containers');
		if (rows.length > 0) return containersActions[action](context, rows);
		showMessage(context, {tone: 'info', text: 'No container is selected.'});
	};

const onImages =
	(action: typeof removeImages): Command =>
	(context) => {
		const rows = chosenRows(context.store.state, 'images');
		if (rows.length > 0) return action(context, rows);
		showMessage(context, {tone: 'info', text: 'No image is selected.'});
	};

const onVolumes =
	(action: typeof removeVolumes): Command =>
	(context) => {
		const rows = chosenRows(context.store.state, 'volumes');
		if (rows.length > 0) return action(context, rows);
		showMessage(context, {tone: 'info', text: 'No volume is selected.'});
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

/** To the row of a container among the others, also when a filter or a switch has hidden it. */
const goToContainer =
	(which: (state: State) => {container: ContainerSummary} | undefined): Command =>
	({store}) =>
		store.update((state) => {
			const found = which(state);
			if (!found) return state;
			const {Id} = found.container;
			const there = focusPane(setList(state, 'containers', {selected: Id}), 'containers');
			if (selectedContainer(there)?.Id === Id) return there;
			return {...setList(there, 'containers', {filter: ''}), hideStopped: false};
		});

function back({store}: ActionContext): void {
	store.update((state) => {
		if (state.message) return {...state, message: undefined};
		const {focus: pane} = state;
		if (pane !== 'logs' && pane !== 'stats' && pane !== 'term' && state.lists[pane].filter !== '') {
			return setList(state, pane, {filter: ''});
		}
		if (pane === 'logs' && state.logs.search !== '')
			return setLogs(state, {search: '', only: false, found: undefined});
		const screen = pane === 'term' ? activeTab(state)?.screen : undefined;
		if (screen && screen.search.text !== '') {
			screen.searchFor('');
			return state;
		}
		if (!isDetail(pane) && state.marks[pane].size > 0) return withMarks(state, pane, []);
		if (state.zoomed) return {...state, zoomed: false};
		return isDetail(state.focus) ? focusPane(state, state.lastList) : state;
	});
}

/** Work in the background ends with us, so it is asked about; containers go on whatever happens. */
function quit(context: ActionContext): void {
	const {jobs, sessions} = context.store.state;
	const shells = sessions.tabs.filter(({kind, ended}) => kind === 'exec' && ended === undefined);
	if (jobs.size === 0 && shells.length === 0) {
		context.screen.quit();
		return;
	}
	openDialog(context, {
		kind: 'confirm',
		title: 'Quit',
		lines: [
			...(jobs.size > 0 ? ['This is not finished yet:'] : []),
			...[...jobs].map(([name, progress]) => `  ${name} ${progress}`),
			...(shells.length > 0 ? ['These shells go on, but nobody gets back to them:'] : []),
			...shells.map(({name}) => `  in ${name}`),
		],
		choices: [
			{id: 'no', label: 'Stay', key: 'n'},
			{id: 'quit', label: 'Quit', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'quit') void Promise.resolve(endBuilds()).then(() => context.screen.quit());
		},
	});
}

export const COMMANDS: Record<CommandId, Command> = {
	'container.attach': onContainer('attach'),
	'container.exec': onContainer('exec'),
	'container.logs': focus('logs'),
	'container.start': onContainers('start'),
	'container.stop': onContainers('stop'),
	'container.restart': onContainers('restart'),
	'container.pause': onContainers('pause'),
	'container.kill': onContainers('kill'),
	'container.remove': onContainers('remove'),
	'container.rename': onContainer('rename'),
	'container.run': (context) => askRun(context, ''),
	'container.toggleStopped': ({store}) =>
		store.update((state) => ({...state, hideStopped: !state.hideStopped})),
	'image.run': (context) => {
		const row = selectedImage(context.store.state);
		askRun(context, row ? (row.tag === '<none>' ? row.image.Id : `${row.repository}:${row.tag}`) : '');
	},
	'image.pull': askPull,
	'image.push': onImage(askPush),
	'image.tag': onImage(tagImage),
	'image.remove': onImages(removeImages),
	'image.prune': pruneImages,
	'container.prune': pruneContainers,
	'network.members': focus('members'),
	'network.create': askCreateNetwork,
	'network.connect': onNetwork(askConnect),
	'network.disconnect': onNetwork(askDisconnect),
	'network.inspect': onNetwork(showNetwork),
	'network.remove': onNetwork(removeNetwork),
	'network.prune': pruneNetworks,
	'member.container': goToContainer(selectedMember),
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
	'logs.since': askSince,
	'logs.colours': ({store}) => store.update((state) => setLogs(state, {colours: !state.logs.colours})),
	'logs.search': startSearch(false),
	'logs.only': startSearch(true),
	'logs.next': findNext(1),
	'logs.previous': findNext(-1),
	'logs.json': ({store}) => store.update((state) => setLogs(state, {json: !state.logs.json})),
	'logs.save': saveLogs,
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
	'term.type': typeInto,
	'term.next': stepSession(1),
	'term.previous': stepSession(-1),
	'term.close': closeSession,
	'term.copy': copyTerminal,
	'term.search': searchTerminal,
	'term.findNext': findInTerminal(1),
	'term.findPrevious': findInTerminal(-1),
	'term.down': scrollSession(() => 1),
	'term.up': scrollSession(() => -1),
	'term.pageDown': scrollSession((page) => page),
	'term.pageUp': scrollSession((page) => -page),
	'term.first': scrollSession(() => Number.NEGATIVE_INFINITY),
	'term.last': scrollSession(() => Number.POSITIVE_INFINITY),
	'session.zoom': zoomSession,
	'session.pageUp': scrollSession((page) => -page),
	'session.pageDown': scrollSession((page) => page),
	'session.search': searchTerminal,
	'session.next': stepSession(1),
	'session.previous': stepSession(-1),
	'list.down': moveList(() => 1),
	'list.up': moveList(() => -1),
	'list.halfDown': moveList((page) => Math.ceil(page / 2)),
	'list.halfUp': moveList((page) => -Math.ceil(page / 2)),
	'list.pageDown': moveList((page) => page),
	'list.pageUp': moveList((page) => -page),
	'list.first': moveList(() => Number.NEGATIVE_INFINITY),
	'list.last': moveList(() => Number.POSITIVE_INFINITY),
	'list.filter': startFilter,
	'list.copy': copyRow,
	'logs.copy': copyLogs,
	'app.copyCommand': copyCommand,
	'list.sort': sortByNext,
	'list.reverse': ({store}) =>
		store.update((state) => {
			const id = focusedList(state);
			return setList(state, id, {reverse: !state.lists[id].reverse});
		}),
	'list.mark': markRow,
	'list.markAll': markAll,
	'list.unmark': clearMarks,
	'container.stats': focus('stats'),
	'container.top': focus('top'),
	'container.files': focus('files'),
	'container.env': focus('env'),
	'container.ports': focus('ports'),
	'container.inspect': focus('inspect'),
	'container.usage': ({store}) =>
		store.update((state) => ({...state, usage: {...state.usage, listed: !state.usage.listed}})),
	'image.layers': focus('layers'),
	'image.files': focus('layerFiles'),
	'layer.files': ({store}) =>
		store.update((state) => focusPane({...state, filesView: 'changes'}, 'layerFiles')),
	'layer.command': readRow,
	'layers.view': nextFilesView,
	'image.users': focus('users'),
	'image.inspect': focus('inspect'),
	'volume.users': focus('users'),
	'volume.create': askCreateVolume,
	'volume.inspect': focus('inspect'),
	'volume.remove': onVolumes(removeVolumes),
	'volume.prune': pruneVolumes,
	'event.inspect': focus('inspect'),
	'user.container': goToContainer(selectedUser),
	'build.start': askBuild,
	'build.steps': focus('steps'),
	'build.cancel': cancelBuild,
	'build.run': runBuilt,
	'build.forget': forgetBuild,
	'build.cache': focus('buildCache'),
	'build.prune': pruneBuilds,
	'step.fold': foldStep,
	'step.cancel': cancelBuild,
	'step.read': readRow,
	'buildCache.prune': pruneBuilds,
	'pane.builds': focus('builds'),
	'detail.read': readRow,
	'detail.refresh': ({details}) => details.refresh(),
	'inspect.fold': foldRow,
	'app.base': runBase,
	'pane.containers': focus('containers'),
	'pane.images': focus('images'),
	'pane.networks': focus('networks'),
	'pane.volumes': focus('volumes'),
	'pane.events': focus('events'),
	'pane.term': showTerminals,
	'tab.next': nextTab(1),
	'tab.previous': nextTab(-1),
	'pane.detail': ({store}) => store.update((state) => focusPane(state, detailPane(state))),
	'pane.right': neighbour(1),
	'pane.left': neighbour(-1),
	'pane.next': nextPane(1),
	'pane.previous': nextPane(-1),
	'pane.zoom': ({store}) => store.update((state) => ({...state, zoomed: !state.zoomed})),
	'app.back': back,
	'app.palette': (context) => openPalette(context, (command) => runCommand(context, command)),
	'app.help': (context) =>
		openDialog(context, {
			kind: 'text',
			title: 'Keys',
			lines: helpLines(context.store.state.focus),
			top: 0,
		}),
	'app.jobs': showJobs,
	'app.custom': showCustom,
	'app.config': showConfig,
	'app.mouse': (context) => {
		const mouse = !context.store.state.mouse;
		context.store.update((state) => ({...state, mouse}));
		context.screen.mouse(mouse);
		showMessage(context, {
			tone: 'info',
			text: mouse ? 'The mouse is the panes’; Shift selects text.' : 'The mouse is the terminal’s.',
		});
	},
	'app.disk': showDisk,
	'app.exposure': (context) => showExposure(context),
	'progress.close': (context) => openDialog(context, undefined),
	'progress.cancel': cancelTransfer,
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
	'form.pageDown': pageForm(10),
	'form.pageUp': pageForm(-10),
	'form.find': findField,
	'form.submit': submitForm,
	'form.cancel': (context) => openDialog(context, undefined),
	'pick.down': movePick(() => 1),
	'pick.up': movePick(() => -1),
	'pick.pageDown': movePick((page) => page),
	'pick.pageUp': movePick((page) => -page),
	'pick.take': takePick,
	'pick.cancel': cancelPick,
	'text.down': scrollText(1),
	'text.up': scrollText(-1),
	'text.pageDown': scrollText(10),
	'text.pageUp': scrollText(-10),
	'text.close': (context) => openDialog(context, undefined),
	'filter.keep': setFilter(undefined),
	'filter.clear': setFilter(''),
};

/** A command of the table, or one of the user's own; what goes wrong is shown. */
export function runCommand(context: ActionContext, command: string): void {
	const custom = customCommand(command);
	const done = custom ? runCustom(context, custom) : COMMANDS[command as CommandId](context);
	if (done) done.catch((error: unknown) => showError(context, error));
}

/** What is on the screen, as one immutable value. Only the log's lines live beside it (log-buffer.ts). */
import type {
	BuildCacheRecord,
	BuildRecordStep,
	ContainerProcesses,
	ContainerSummary,
	EngineEvent,
	FileChange,
	ImageLayers,
	ImageSummary,
	NetworkRecord,
	VolumeSummary,
} from '../../engine/api.ts';
import type {TextField} from '../input/text-field.ts';
import type {TermSession} from '../terminal/term-session.ts';
import type {LogBuffer} from './log-buffer.ts';
import type {UsageHistory} from './usage-history.ts';

/** Panes with rows. A new one gets a name here, a value in panes/, and a place in layout.ts. */
export type MainListId = 'containers' | 'images' | 'networks' | 'volumes' | 'events' | 'builds';
/** What a main list's row has inside, as tabs of one pane (details.ts): a container's log, a network's members. */
export type DetailPaneId =
	| 'logs'
	| 'stats'
	| 'term'
	| 'top'
	| 'files'
	| 'env'
	| 'ports'
	| 'inspect'
	| 'members'
	| 'users'
	| 'layers'
	| 'layerFiles'
	| 'steps'
	| 'buildCache';
export type PaneId = MainListId | DetailPaneId;
export type ListPaneId = Exclude<PaneId, 'logs' | 'stats' | 'term'>;

/** Reads that only the pane which shows them pays for. */
export interface DetailData {
	inspect: Readonly<Record<string, unknown>>;
	processes: ContainerProcesses;
	changes: readonly FileChange[];
	layers: ImageLayers;
	buildCache: readonly BuildCacheRecord[];
}
export type SourceId = keyof DetailData;

export interface Detail<Data> {
	/** Whose it is: a list's name and the row's id. */
	subject: string;
	/** What was read last; absent until then, or when that failed. */
	data?: Data | undefined;
	error?: string | undefined;
}

/** A container's use of the machine, sampled while somebody looks. */
export interface UsageState {
	histories: ReadonlyMap<string, UsageHistory>;
	/** Changes with each sample. */
	version: number;
	/** Whether the list of containers shows it, too. */
	listed: boolean;
}

/** What is listed of an image's files: what the selected layer does, or of all layers what is large, or hidden. */
export type FilesView = 'changes' | 'biggest' | 'waste';

/** A step as the record of its build says, but with times in seconds, as all here. */
export interface BuildStep extends BuildRecordStep {
	/** Whether the last line has no end yet. */
	open: boolean;
}

export interface BuildRow {
	id: string;
	/** Empty for an image without a name. */
	tag: string;
	folder: string;
	/** `broken`: its process has ended without a word. */
	state: 'running' | 'done' | 'failed' | 'cancelled' | 'broken';
	/** Seconds since the epoch. */
	started: number;
	ended?: number;
	steps: readonly BuildStep[];
	error?: string;
	/** Its id. */
	image?: string;
	/** Of the process that builds, or has built, where that isn't this session. */
	pid?: number;
}

export interface ListState {
	/** The selected row's key; undefined selects the first. */
	selected?: string | undefined;
	/** The selected row's place when it was last seen: its neighbour takes over when it goes. */
	index: number;
	filter: string;
	/** A column's name, and whether it is turned round. */
	sort: string;
	reverse: boolean;
}

export interface LogState {
	/** Whose lines these are: the selected container, or those that are marked. */
	sources: readonly string[];
	buffer: LogBuffer;
	/** Changes whenever the buffer has. */
	version: number;
	follow: boolean;
	/** The first line on the screen, by number, while it doesn't follow. */
	top: number;
	/** Cells scrolled to the right. */
	left: number;
	wrap: boolean;
	timestamps: boolean;
	/** Colours that programs gave to their lines are shown. */
	colours: boolean;
	/** Seconds of the past that are read; undefined is the last lines, whenever they were written. */
	since?: number | undefined;
	/** Lines of JSON as people read them. */
	json: boolean;
	/** What is marked, and looked for with n and N; empty is nothing. */
	search: string;
	/** Only lines that match are shown. */
	only: boolean;
	/** The line that was found last. */
	found?: number | undefined;
	/** `ended`: the container isn't running, nothing more will come. */
	phase: 'idle' | 'reading' | 'ended';
	/** Times that the reader fell behind a flood and jumped to its end. */
	skips: number;
}

/** `attach` is with a container's own process, `exec` with one more inside. */
export type SessionKind = 'attach' | 'exec';

/** A session with a container, and the terminal that it has here; the terminal lives beside the state. */
export interface SessionTab {
	id: number;
	kind: SessionKind;
	/** The container's id. */
	container: string;
	/** Its name, sanitised. */
	name: string;
	screen: TermSession;
	/** How it ended; undefined while it lives. */
	ended: string | undefined;
}

export interface SessionsState {
	tabs: readonly SessionTab[];
	/** The tab that is shown. */
	active?: number | undefined;
	/** How many are being opened: what is typed meanwhile is for them. */
	opening: number;
	/** Whether the pane was made large for it alone, and goes back when it is left. */
	zoomed: boolean;
	/** The keys that go back to the panes, as people write them. */
	detachKeys: string;
}

/** A layer on its way. */
export interface ProgressRow {
	id: string;
	/** docker's word for where it is. */
	state: string;
	/** Bytes; 0 when not known. */
	current: number;
	total: number;
}

/** Work that moves layers. */
export interface Job {
	title: string;
	rows: readonly ProgressRow[];
	cancel(): void;
}

export interface Choice {
	id: string;
	label: string;
	/** Picks it at once; shown in the label. */
	key?: string;
}

export interface ConfirmDialog {
	kind: 'confirm';
	title: string;
	lines: string[];
	choices: Choice[];
	/** The choice under the cursor. */
	index: number;
	/** The command that answers; its target is fixed when the question is asked. */
	onChoice: (choice: string) => void;
}

export interface FormField {
	id: string;
	label: string;
	hint?: string;
	value: TextField | boolean;
}

export interface FormDialog {
	kind: 'form';
	title: string;
	fields: FormField[];
	index: number;
	/** Why it can't be sent. */
	error?: string | undefined;
	submit: string;
	/** A message is shown in the form and keeps it open. */
	onSubmit: (values: Record<string, string | boolean>) => string | undefined;
}

export interface PickItem {
	id: string;
	label: string;
	/** Behind the label, muted. */
	note: string;
}

/** One of many; what is typed narrows them. */
export interface PickDialog {
	kind: 'pick';
	title: string;
	items: readonly PickItem[];
	filter: TextField;
	/** The row under the cursor, among those that match. */
	index: number;
	submit: string;
	onPick: (id: string) => void;
	/** The dialog that comes back when nothing is picked. */
	behind?: Dialog;
}

export interface TextLine {
	/** The first column: a key, a field's name. */
	name: string;
	text: string;
	heading?: boolean;
}

/** Something to read. */
export interface TextDialog {
	kind: 'text';
	title: string;
	lines: readonly TextLine[];
	/** The first line that is shown. */
	top: number;
}

/** A job's layers with their bars, as they are now. */
export interface ProgressDialog {
	kind: 'progress';
	title: string;
	/** Its name in `progress`. */
	job: string;
}

export type Dialog = ConfirmDialog | FormDialog | PickDialog | TextDialog | ProgressDialog;

/** The machine's numbers in the upper line. */
export interface HostState {
	/** Percent of all CPUs together. */
	cpu: number;
	/** Bytes. */
	memory: number;
	memoryTotal: number;
	/** Of the last minute, as the kernel writes it. */
	load: string;
}

export interface Split {
	columns: number;
	rows: number;
}

export interface Message {
	tone: 'info' | 'good' | 'bad';
	text: string;
	/** Of several, the newest is shown. */
	at: number;
}

export interface State {
	size: {columns: number; rows: number};
	/** `loading` until the first full state. */
	phase: 'loading' | 'ready';
	containers: ReadonlyMap<string, ContainerSummary>;
	images: readonly ImageSummary[];
	networks: readonly NetworkRecord[];
	volumes: readonly VolumeSummary[];
	/** Those of this session and the last ones before it, the newest first. */
	builds: readonly BuildRow[];
	/** The build whose steps were chosen among last. */
	stepsOf: string | undefined;
	/** The last ones, the newest first. */
	events: readonly EngineEvent[];
	details: {readonly [Id in SourceId]?: Detail<DetailData[Id]>};
	usage: UsageState;
	/** Paths of `inspect` that are folded. */
	folded: ReadonlySet<string>;
	filesView: FilesView;
	/** Absent until it has been measured. */
	host?: HostState | undefined;
	/** What is being done to a container, a network or a volume, by id: `stopping`. */
	busy: ReadonlyMap<string, string>;
	/** Work in the background, by name: `pull alpine` to `3/5 layers`. */
	jobs: ReadonlyMap<string, string>;
	/** The layers of those that move some, by the same names. */
	progress: ReadonlyMap<string, Job>;
	focus: PaneId;
	/** The list that is shown where there's room for one, and whose row the detail pane is about. */
	lastList: MainListId;
	/** The tab of the pane of details that each list was last looked at with. */
	tabs: Readonly<Record<MainListId, DetailPaneId>>;
	zoomed: boolean;
	/** Percent that the lists have: of the width, or of the height where lists are above. */
	split: Split;
	/** Whether clicks and the wheel are ours, or the terminal's own. */
	mouse: boolean;
	sessions: SessionsState;
	/** What is typed is for the session, while its pane has the focus. */
	typing: boolean;
	hideStopped: boolean;
	lists: Record<ListPaneId, ListState>;
	/** Rows that commands are for together, by their keys. */
	marks: Readonly<Record<MainListId, ReadonlySet<string>>>;
	/** The pane whose filter is being typed. */
	filtering?:
		| {
				pane: ListPaneId | 'logs' | 'term';
				field: TextField;
				/** The keys go back to the session when it is given up. */
				typed?: true;
		  }
		| undefined;
	logs: LogState;
	dialog?: Dialog | undefined;
	message?: Message | undefined;
	/** The last action as a command line, without the prompt. */
	command?: string | undefined;
	/** Full screen belongs to a session: nothing is drawn. */
	attached: boolean;
	/** Seconds since the epoch, moved on by the slow clock: relative times are counted to it. */
	now: number;
}

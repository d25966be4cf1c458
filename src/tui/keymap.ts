/**
 * Every command of the terminal UI with its keys, where it applies and what it says. The bindings, the help
 * overlay and the hints at the bottom are all made from this table.
 */
/**
 * Where keys mean something, from the innermost out: a dialog hides the panes; a pane comes before what all
 * rows of details or all that can be marked share, that before what all lists share, and that before what holds everywhere.
 */
export type Context =
	| 'containers'
	| 'images'
	| 'networks'
	| 'volumes'
	| 'events'
	| 'builds'
	| 'steps'
	| 'buildCache'
	| 'members'
	| 'users'
	| 'top'
	| 'files'
	| 'env'
	| 'ports'
	| 'inspect'
	| 'layers'
	| 'layerFiles'
	| 'logs'
	| 'stats'
	| 'term'
	| 'session'
	| 'detail'
	| 'marks'
	| 'list'
	| 'global'
	| 'confirm'
	| 'form'
	| 'pick'
	| 'text'
	| 'progress'
	| 'filter';

export interface KeyBinding {
	command: string;
	context: Context;
	keys: readonly string[];
	/** For the help overlay: what it does. */
	help: string;
	/** For the bottom line: a word. */
	hint?: string;
	/** It makes sense without a row, too. */
	rowless?: true;
	/** Says that it takes a key away from an outer context on purpose. */
	overrides?: true;
}

export const KEYMAP = [
	// Containers
	{
		command: 'container.attach',
		context: 'containers',
		keys: ['a'],
		help: 'attach; Ctrl+P Ctrl+Q comes back',
		hint: 'attach',
	},
	{command: 'container.exec', context: 'containers', keys: ['e'], help: 'open a shell inside', hint: 'shell'},
	{
		command: 'container.logs',
		context: 'containers',
		keys: ['l', 'enter'],
		help: 'go to its logs, or to those of all marked ones together',
		hint: 'logs',
	},
	{command: 'container.start', context: 'containers', keys: ['S'], help: 'start'},
	{command: 'container.stop', context: 'containers', keys: ['s'], help: 'stop', hint: 'stop'},
	{command: 'container.restart', context: 'containers', keys: ['r'], help: 'restart', hint: 'restart'},
	{command: 'container.pause', context: 'containers', keys: ['p'], help: 'pause or go on'},
	{command: 'container.kill', context: 'containers', keys: ['K'], help: 'send a signal…'},
	{
		command: 'container.remove',
		context: 'containers',
		keys: ['d', 'delete'],
		help: 'remove…',
		hint: 'remove',
	},
	{command: 'container.prune', context: 'containers', keys: ['D'], help: 'remove all that do not run…'},
	{command: 'container.rename', context: 'containers', keys: ['R'], help: 'rename…'},
	{
		command: 'container.run',
		context: 'containers',
		keys: ['A'],
		help: 'run a new container…',
		hint: 'run',
		rowless: true,
	},
	{
		command: 'container.stats',
		context: 'containers',
		keys: ['u'],
		help: 'graphs of what it uses',
		hint: 'stats',
	},
	{command: 'container.top', context: 'containers', keys: ['t'], help: 'its processes', hint: 'top'},
	{
		command: 'container.files',
		context: 'containers',
		keys: ['f'],
		help: 'files that it has changed',
		hint: 'files',
	},
	{command: 'container.env', context: 'containers', keys: ['v'], help: 'its environment variables'},
	{
		command: 'container.ports',
		context: 'containers',
		keys: ['P'],
		help: 'its ports, and from where they are reached',
	},
	{command: 'container.inspect', context: 'containers', keys: ['i'], help: 'all about it', hint: 'inspect'},
	{command: 'container.usage', context: 'containers', keys: ['%'], help: 'show or hide what each uses'},
	{command: 'container.toggleStopped', context: 'containers', keys: ['E'], help: 'hide or show stopped ones'},
	// Images
	{
		command: 'image.layers',
		context: 'images',
		keys: ['enter', 'l'],
		help: 'its layers, and what they do',
		hint: 'layers',
	},
	{command: 'image.files', context: 'images', keys: ['f'], help: 'the files of a layer'},
	{command: 'image.run', context: 'images', keys: ['A'], help: 'run a container from it…', hint: 'run'},
	{command: 'image.pull', context: 'images', keys: ['p'], help: 'pull…', hint: 'pull', rowless: true},
	{command: 'image.push', context: 'images', keys: ['P'], help: 'push…'},
	{command: 'image.tag', context: 'images', keys: ['t'], help: 'tag…'},
	{command: 'image.remove', context: 'images', keys: ['d', 'delete'], help: 'remove…', hint: 'remove'},
	{command: 'image.users', context: 'images', keys: ['u'], help: 'containers that use it', hint: 'users'},
	{command: 'image.inspect', context: 'images', keys: ['i'], help: 'all about it', hint: 'inspect'},
	{command: 'image.prune', context: 'images', keys: ['D'], help: 'remove all that nobody uses…'},
	// Networks
	{
		command: 'network.members',
		context: 'networks',
		keys: ['enter'],
		help: 'go to its containers',
		hint: 'members',
	},
	{
		command: 'network.create',
		context: 'networks',
		keys: ['A'],
		help: 'create…',
		hint: 'create',
		rowless: true,
	},
	{
		command: 'network.connect',
		context: 'networks',
		keys: ['C'],
		help: 'connect a container…',
		hint: 'connect',
	},
	{
		command: 'network.disconnect',
		context: 'networks',
		keys: ['U'],
		help: 'disconnect a container…',
		hint: 'disconnect',
	},
	{command: 'network.inspect', context: 'networks', keys: ['i'], help: 'all about it', hint: 'inspect'},
	{command: 'network.remove', context: 'networks', keys: ['d', 'delete'], help: 'remove…', hint: 'remove'},
	{command: 'network.prune', context: 'networks', keys: ['D'], help: 'remove all that nobody uses…'},
	// Volumes
	{
		command: 'volume.users',
		context: 'volumes',
		keys: ['enter', 'u'],
		help: 'containers that use it',
		hint: 'users',
	},
	{command: 'volume.create', context: 'volumes', keys: ['A'], help: 'create…', hint: 'create', rowless: true},
	{command: 'volume.inspect', context: 'volumes', keys: ['i'], help: 'all about it', hint: 'inspect'},
	{command: 'volume.remove', context: 'volumes', keys: ['d', 'delete'], help: 'remove…', hint: 'remove'},
	{
		command: 'volume.prune',
		context: 'volumes',
		keys: ['D'],
		help: 'remove all that nobody uses…',
		hint: 'prune',
		rowless: true,
	},
	// Events
	{command: 'event.inspect', context: 'events', keys: ['enter', 'i'], help: 'all about it', hint: 'inspect'},
	// Builds
	{command: 'build.steps', context: 'builds', keys: ['enter'], help: 'go to its steps', hint: 'steps'},
	{
		command: 'build.start',
		context: 'builds',
		keys: ['A'],
		help: 'build an image from a folder…',
		hint: 'build',
		rowless: true,
	},
	{command: 'build.cancel', context: 'builds', keys: ['x'], help: 'give it up', hint: 'give up'},
	{command: 'build.run', context: 'builds', keys: ['r'], help: 'run a container from it…', hint: 'run'},
	{command: 'build.forget', context: 'builds', keys: ['d', 'delete'], help: 'take it off the list'},
	{
		command: 'build.cache',
		context: 'builds',
		keys: ['u'],
		help: 'what builds have kept',
		hint: 'cache',
		rowless: true,
	},
	{
		command: 'build.prune',
		context: 'builds',
		keys: ['D'],
		help: 'remove what builds have kept…',
		hint: 'prune',
		rowless: true,
	},
	{
		command: 'step.fold',
		context: 'steps',
		keys: ['enter'],
		help: 'fold its output, or open it',
		hint: 'fold',
		overrides: true,
	},
	{command: 'step.cancel', context: 'steps', keys: ['x'], help: 'give the build up', hint: 'give up'},
	{command: 'step.read', context: 'steps', keys: ['i'], help: 'read a long line whole'},
	{command: 'buildCache.prune', context: 'buildCache', keys: ['D'], help: 'remove it…', hint: 'prune'},
	// Who uses an image or a volume
	{
		command: 'user.container',
		context: 'users',
		keys: ['enter'],
		help: 'go to the container',
		hint: 'container',
	},
	// Rows of details
	{
		command: 'inspect.fold',
		context: 'inspect',
		keys: ['enter'],
		help: 'fold, or read a long value whole',
		hint: 'fold',
		overrides: true,
	},
	{command: 'detail.read', context: 'detail', keys: ['enter'], help: 'read a long row whole', hint: 'read'},
	{command: 'detail.refresh', context: 'detail', keys: ['ctrl-r'], help: 'read it again', hint: 'refresh'},
	// Layers of an image
	{
		command: 'layer.files',
		context: 'layers',
		keys: ['enter'],
		help: 'the files that it brings, changes and removes',
		hint: 'files',
		overrides: true,
	},
	{
		command: 'layers.view',
		context: 'layerFiles',
		keys: ['v'],
		help: 'those of the layer, the biggest, the hidden ones',
		hint: 'view',
		rowless: true,
	},
	{command: 'layer.command', context: 'layers', keys: ['i'], help: 'the command that made it, whole'},
	// Members of a network
	{
		command: 'member.container',
		context: 'members',
		keys: ['enter'],
		help: 'go to the container',
		hint: 'container',
	},
	{
		command: 'member.connect',
		context: 'members',
		keys: ['C'],
		help: 'connect another container…',
		hint: 'connect',
		rowless: true,
	},
	{
		command: 'member.disconnect',
		context: 'members',
		keys: ['U', 'd', 'delete'],
		help: 'disconnect it…',
		hint: 'disconnect',
	},
	{
		command: 'member.network',
		context: 'members',
		keys: ['i'],
		help: 'all about the network',
		hint: 'inspect',
		rowless: true,
	},
	// Logs
	{command: 'logs.follow', context: 'logs', keys: ['f', 'p'], help: 'follow, or stand still', hint: 'follow'},
	{command: 'logs.wrap', context: 'logs', keys: ['w'], help: 'wrap long lines', hint: 'wrap'},
	{command: 'logs.timestamps', context: 'logs', keys: ['t'], help: 'show times', hint: 'times'},
	{command: 'logs.since', context: 'logs', keys: ['s'], help: 'lines since when…'},
	{command: 'logs.colours', context: 'logs', keys: ['C'], help: 'colours of programs, or plain text'},
	{
		command: 'logs.search',
		context: 'logs',
		keys: ['/'],
		help: 'search; re: before a regular expression',
		hint: 'search',
	},
	{command: 'logs.next', context: 'logs', keys: ['n'], help: 'to the next match'},
	{command: 'logs.previous', context: 'logs', keys: ['N'], help: 'to the match before'},
	{command: 'logs.only', context: 'logs', keys: ['&'], help: 'show only lines that match', hint: 'only'},
	{
		command: 'logs.json',
		context: 'logs',
		keys: ['J'],
		help: 'lines of JSON as people read them',
		hint: 'json',
	},
	{command: 'logs.save', context: 'logs', keys: ['ctrl-s'], help: 'save to a file…', hint: 'save'},
	{
		command: 'logs.copy',
		context: 'logs',
		keys: ['y'],
		help: 'copy the found line, or those in sight (OSC 52)',
	},
	{command: 'logs.clear', context: 'logs', keys: ['Z'], help: 'clear the pane'},
	{command: 'logs.down', context: 'logs', keys: ['j', 'down'], help: 'a line down'},
	{command: 'logs.up', context: 'logs', keys: ['k', 'up'], help: 'a line up'},
	{command: 'logs.halfDown', context: 'logs', keys: ['ctrl-d'], help: 'half a page down'},
	{command: 'logs.halfUp', context: 'logs', keys: ['ctrl-u'], help: 'half a page up'},
	{command: 'logs.pageDown', context: 'logs', keys: ['pagedown', 'space'], help: 'a page down'},
	{command: 'logs.pageUp', context: 'logs', keys: ['pageup'], help: 'a page up'},
	{command: 'logs.first', context: 'logs', keys: ['g', 'home'], help: 'to the first line'},
	{command: 'logs.last', context: 'logs', keys: ['G', 'end'], help: 'to the end, and follow'},
	{command: 'logs.right', context: 'logs', keys: ['right'], help: 'scroll right', overrides: true},
	{
		command: 'logs.left',
		context: 'logs',
		keys: ['left'],
		help: 'scroll left, then to the lists',
		overrides: true,
	},
	// Terminals, while the panes have the keys
	{command: 'term.type', context: 'term', keys: ['enter', 'i', 'a'], help: 'type into it', hint: 'type'},
	{
		command: 'term.next',
		context: 'term',
		keys: ['>', 'ctrl-pagedown'],
		help: 'the next terminal',
		hint: 'next',
	},
	{command: 'term.previous', context: 'term', keys: ['<', 'ctrl-pageup'], help: 'the terminal before'},
	{
		command: 'term.close',
		context: 'term',
		keys: ['x', 'd', 'delete'],
		help: 'close it; what runs inside goes on',
		hint: 'close',
	},
	{
		command: 'term.search',
		context: 'term',
		keys: ['/'],
		help: 'search in it and in what has scrolled away; re: before a regular expression',
		hint: 'search',
	},
	{command: 'term.findNext', context: 'term', keys: ['n'], help: 'to the next match'},
	{command: 'term.findPrevious', context: 'term', keys: ['N'], help: 'to the match before'},
	{command: 'term.copy', context: 'term', keys: ['y'], help: 'copy what is seen of it (OSC 52)'},
	{command: 'term.down', context: 'term', keys: ['j', 'down'], help: 'a line down'},
	{command: 'term.up', context: 'term', keys: ['k', 'up'], help: 'a line up'},
	{command: 'term.pageDown', context: 'term', keys: ['pagedown', 'ctrl-d'], help: 'a page down'},
	{command: 'term.pageUp', context: 'term', keys: ['pageup', 'ctrl-u'], help: 'a page up'},
	{command: 'term.first', context: 'term', keys: ['g', 'home'], help: 'as far back as it goes'},
	{command: 'term.last', context: 'term', keys: ['G', 'end'], help: 'to the end'},
	// Terminals, while they have the keys: nearly all are the program's
	{
		command: 'session.zoom',
		context: 'session',
		keys: ['f11'],
		help: 'full screen, and back',
		hint: 'full screen',
	},
	{
		command: 'session.pageUp',
		context: 'session',
		keys: ['shift-pageup'],
		help: 'scroll back a page',
		hint: 'scroll',
	},
	{
		command: 'session.search',
		context: 'session',
		keys: ['f12'],
		help: 'search in it and in what has scrolled away',
		hint: 'search',
	},
	{command: 'session.pageDown', context: 'session', keys: ['shift-pagedown'], help: 'scroll on a page'},
	{
		command: 'session.next',
		context: 'session',
		keys: ['ctrl-pagedown'],
		help: 'the next terminal',
		hint: 'next',
	},
	{command: 'session.previous', context: 'session', keys: ['ctrl-pageup'], help: 'the terminal before'},
	// Lists
	{command: 'list.down', context: 'list', keys: ['j', 'down'], help: 'a row down'},
	{command: 'list.up', context: 'list', keys: ['k', 'up'], help: 'a row up'},
	{command: 'list.halfDown', context: 'list', keys: ['ctrl-d'], help: 'half a page down'},
	{command: 'list.halfUp', context: 'list', keys: ['ctrl-u'], help: 'half a page up'},
	{command: 'list.pageDown', context: 'list', keys: ['pagedown'], help: 'a page down'},
	{command: 'list.pageUp', context: 'list', keys: ['pageup'], help: 'a page up'},
	{command: 'list.first', context: 'list', keys: ['g', 'home'], help: 'to the first row'},
	{command: 'list.last', context: 'list', keys: ['G', 'end'], help: 'to the last row'},
	{command: 'list.filter', context: 'list', keys: ['/'], help: 'filter; !text leaves out', hint: 'filter'},
	{command: 'list.copy', context: 'list', keys: ['y'], help: 'copy its id or name (OSC 52)'},
	{command: 'list.sort', context: 'list', keys: ['o'], help: 'sort by the next column'},
	{command: 'list.reverse', context: 'list', keys: ['O'], help: 'turn the order round'},
	{
		command: 'list.mark',
		context: 'marks',
		keys: ['space'],
		help: 'mark: commands are then for all marked ones',
		hint: 'mark',
	},
	{command: 'list.markAll', context: 'marks', keys: ['*'], help: 'mark all'},
	{command: 'list.unmark', context: 'marks', keys: ['\\'], help: 'mark none'},
	// Everywhere
	{
		command: 'app.base',
		context: 'global',
		keys: ['B'],
		help: 'run wherry/base, made from this machine’s files',
	},
	{command: 'pane.containers', context: 'global', keys: ['1'], help: 'containers'},
	{command: 'pane.images', context: 'global', keys: ['2'], help: 'images'},
	{command: 'pane.networks', context: 'global', keys: ['3'], help: 'networks'},
	{command: 'pane.volumes', context: 'global', keys: ['4'], help: 'volumes'},
	{command: 'pane.events', context: 'global', keys: ['5'], help: 'events'},
	{command: 'pane.builds', context: 'global', keys: ['6'], help: 'builds'},
	{
		command: 'pane.detail',
		context: 'global',
		keys: ['0'],
		help: 'more of the selected row: logs, members, …',
	},
	{command: 'pane.term', context: 'global', keys: ['.'], help: 'back into the terminal that was open last'},
	{command: 'tab.next', context: 'global', keys: [']'], help: 'next tab of what there is more', hint: 'tab'},
	{command: 'tab.previous', context: 'global', keys: ['['], help: 'previous tab'},
	{command: 'pane.next', context: 'global', keys: ['tab'], help: 'next pane'},
	{command: 'pane.previous', context: 'global', keys: ['shift-tab'], help: 'previous pane'},
	{command: 'pane.right', context: 'global', keys: ['right'], help: 'the pane to the right'},
	{command: 'pane.left', context: 'global', keys: ['left'], help: 'the pane to the left'},
	{command: 'pane.zoom', context: 'global', keys: ['z'], help: 'full screen for this pane, and back'},
	{command: 'app.back', context: 'global', keys: ['esc'], help: 'close, clear the filter, leave full screen'},
	{
		command: 'app.palette',
		context: 'global',
		keys: [':', 'ctrl-k'],
		help: 'find any command and run it',
		hint: 'commands',
	},
	{command: 'app.jobs', context: 'global', keys: ['b'], help: 'what is pulled or pushed behind'},
	{
		command: 'app.disk',
		context: 'global',
		keys: ['W'],
		help: 'what takes space, and what a prune would free',
	},
	{
		command: 'app.exposure',
		context: 'global',
		keys: ['X'],
		help: 'which ports are reached from where',
	},
	{command: 'app.copyCommand', context: 'global', keys: ['Y'], help: 'copy the last command line (OSC 52)'},
	{command: 'app.custom', context: 'global', keys: ['c'], help: 'your own commands…'},
	{command: 'app.mouse', context: 'global', keys: ['M'], help: 'mouse for the panes, or for the terminal'},
	{
		command: 'app.config',
		context: 'global',
		keys: [','],
		help: 'your configuration: where it is, and what is wrong in it',
	},
	{command: 'app.help', context: 'global', keys: ['?', 'f1'], help: 'this help', hint: 'help'},
	{command: 'app.redraw', context: 'global', keys: ['ctrl-l'], help: 'draw the screen again'},
	{command: 'app.suspend', context: 'global', keys: ['ctrl-z'], help: 'back to the shell; fg returns'},
	{
		command: 'app.quit',
		context: 'global',
		keys: ['q', 'ctrl-c'],
		help: 'quit; containers go on',
		hint: 'quit',
	},
	// Dialogs
	{command: 'confirm.next', context: 'confirm', keys: ['tab', 'right', 'down', 'j'], help: 'next answer'},
	{
		command: 'confirm.previous',
		context: 'confirm',
		keys: ['shift-tab', 'left', 'up', 'k'],
		help: 'previous answer',
	},
	{command: 'confirm.pick', context: 'confirm', keys: ['enter', 'space'], help: 'this answer'},
	{command: 'confirm.no', context: 'confirm', keys: ['esc', 'n', 'q', 'ctrl-c'], help: 'no'},
	{command: 'form.next', context: 'form', keys: ['tab', 'down'], help: 'next field'},
	{command: 'form.previous', context: 'form', keys: ['shift-tab', 'up'], help: 'previous field'},
	{command: 'form.pageDown', context: 'form', keys: ['pagedown'], help: 'some fields down'},
	{command: 'form.pageUp', context: 'form', keys: ['pageup'], help: 'some fields up'},
	{command: 'form.find', context: 'form', keys: ['ctrl-g'], help: 'find a field'},
	{command: 'form.submit', context: 'form', keys: ['enter'], help: 'do it'},
	{command: 'form.cancel', context: 'form', keys: ['esc', 'ctrl-c'], help: 'close'},
	{command: 'text.down', context: 'text', keys: ['j', 'down'], help: 'down'},
	{command: 'text.up', context: 'text', keys: ['k', 'up'], help: 'up'},
	{command: 'text.pageDown', context: 'text', keys: ['pagedown', 'space', 'ctrl-d'], help: 'a page down'},
	{command: 'text.pageUp', context: 'text', keys: ['pageup', 'ctrl-u'], help: 'a page up'},
	{command: 'text.close', context: 'text', keys: ['esc', '?', 'f1', 'q', 'enter', 'ctrl-c'], help: 'close'},
	{command: 'pick.down', context: 'pick', keys: ['down', 'tab', 'ctrl-n'], help: 'down'},
	{command: 'pick.up', context: 'pick', keys: ['up', 'shift-tab', 'ctrl-p'], help: 'up'},
	{command: 'pick.pageDown', context: 'pick', keys: ['pagedown'], help: 'a page down'},
	{command: 'pick.pageUp', context: 'pick', keys: ['pageup'], help: 'a page up'},
	{command: 'pick.take', context: 'pick', keys: ['enter'], help: 'this one'},
	{command: 'pick.cancel', context: 'pick', keys: ['esc', 'ctrl-c'], help: 'close'},
	{command: 'progress.close', context: 'progress', keys: ['esc', 'enter', 'q'], help: 'goes on behind'},
	{command: 'progress.cancel', context: 'progress', keys: ['x', 'ctrl-c'], help: 'give it up'},
	{
		command: 'filter.keep',
		context: 'filter',
		keys: ['enter', 'down', 'tab'],
		help: 'keep the filter',
		hint: 'keep',
	},
	{command: 'filter.clear', context: 'filter', keys: ['esc', 'ctrl-c'], help: 'no filter', hint: 'no filter'},
] as const satisfies readonly KeyBinding[];

export type CommandId = (typeof KEYMAP)[number]['command'];

/** Titles of the help's sections, in its order. */
export const SECTIONS: readonly {context: Context; title: string}[] = [
	{context: 'containers', title: 'Containers'},
	{context: 'images', title: 'Images'},
	{context: 'networks', title: 'Networks'},
	{context: 'volumes', title: 'Volumes'},
	{context: 'events', title: 'Events'},
	{context: 'builds', title: 'Builds'},
	{context: 'steps', title: 'Steps of a build'},
	{context: 'buildCache', title: 'Cache of builds'},
	{context: 'members', title: 'Members of a network'},
	{context: 'users', title: 'Users of an image or a volume'},
	{context: 'inspect', title: 'Inspect'},
	{context: 'layers', title: 'Layers of an image'},
	{context: 'layerFiles', title: 'Files of a layer'},
	{context: 'detail', title: 'Top, files, env, ports, inspect'},
	{context: 'logs', title: 'Logs'},
	{context: 'term', title: 'Terminals'},
	{context: 'session', title: 'Terminals, while you type in one'},
	{context: 'list', title: 'Lists'},
	{context: 'marks', title: 'Marks'},
	{context: 'global', title: 'Everywhere'},
];

/** The contexts that an outer key can be taken from. */
export const OUTER: Record<Context, readonly Context[]> = {
	containers: ['marks', 'list', 'global'],
	images: ['marks', 'list', 'global'],
	networks: ['list', 'global'],
	volumes: ['marks', 'list', 'global'],
	events: ['list', 'global'],
	builds: ['list', 'global'],
	steps: ['detail', 'list', 'global'],
	buildCache: ['detail', 'list', 'global'],
	members: ['list', 'global'],
	users: ['list', 'global'],
	top: ['detail', 'list', 'global'],
	files: ['detail', 'list', 'global'],
	env: ['detail', 'list', 'global'],
	ports: ['detail', 'list', 'global'],
	inspect: ['detail', 'list', 'global'],
	layers: ['detail', 'list', 'global'],
	layerFiles: ['detail', 'list', 'global'],
	stats: ['list', 'global'],
	term: ['global'],
	session: [],
	detail: ['list', 'global'],
	marks: ['list', 'global'],
	logs: ['global'],
	list: ['global'],
	global: [],
	confirm: [],
	form: [],
	pick: [],
	text: [],
	progress: [],
	filter: [],
};

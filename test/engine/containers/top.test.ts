import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import test from 'ava';
import {PsError} from '../../../src/engine/containers/ps/options.ts';
import {psHost} from '../../../src/engine/containers/ps/process.ts';
import {parsePsArguments} from '../../../src/engine/containers/ps/request.ts';
import {runDetached, type TestEngine, testEngine, until} from '../../setup/engine.ts';

const host = psHost();

const refused: [line: string, message: string][] = [
	['-o foo', 'unknown user-defined format specifier "foo"'],
	['nosuch', 'unknown user-defined format specifier "such"'],
	['-Q', 'unsupported SysV option'],
	['z', 'unsupported option (BSD syntax)'],
	['-- -ef', 'garbage option'],
	['-ef ', 'garbage option'],
	['-u no-such-user', 'user name does not exist'],
	['-G no-such-group', 'group name does not exist'],
	['-p x', 'process ID list syntax error'],
	['-p 0', 'process ID out of range'],
	['-p', 'list of process IDs must follow -p'],
	['-p 1,', 'improper list'],
	['-o pid,,cmd', 'improper format list'],
	['-o pid:0', 'column widths must be unsigned decimal numbers'],
	['--sort nothing', 'unknown sort specifier'],
	['k pid --sort pid', 'multiple sort options'],
	['-y', 'modifier -y without format -l makes no sense'],
	['-o pid -j', 'can not use output modifiers with user-defined output'],
	['u -o pid', 'conflicting format options'],
	['ul', 'conflicting format options'],
	['-eLT', "thread flags conflict; can't use both -L and -T"],
	['f -L', 'thread display conflicts with forest display'],
	['--nonsense', 'unknown gnu long option'],
	['--forest=x', 'option --forest does not take an argument'],
	['h --no-headers', 'only one heading option may be specified'],
];

test('what ps would refuse is refused in its words', (t) => {
	for (const [line, message] of refused) {
		const error = t.throws(() => parsePsArguments(line.split(' '), host), {instanceOf: PsError}, line);
		t.is(error?.message, message, line);
	}
});

const headings: [line: string, columns: string][] = [
	['-ef', 'UID PID PPID C STIME TTY TIME CMD'],
	['aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
	['-aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
	['-e', 'PID TTY TIME CMD'],
	['ax', 'PID TTY STAT TIME COMMAND'],
	['-eLf', 'UID PID PPID LWP C NLWP STIME TTY TIME CMD'],
	['-Fly', 'S UID PID PPID C PRI NI RSS SZ WCHAN PSR STIME TTY TIME CMD'],
	['-o pid,user=WHO -o comm', 'PID WHO COMMAND'],
	['axopid,args', 'PID COMMAND'],
	['--format=pid,%cpu,rss', 'PID %CPU RSS'],
	['-O comm', 'PID COMMAND S TTY TIME COMMAND'],
	['-jc', 'PID PGID SID CLS PRI TTY TIME CMD'],
	['--context', 'PID CONTEXT COMMAND'],
];

test('each style of options gives its columns', (t) => {
	for (const [line, columns] of headings) {
		const request = parsePsArguments(line.split(' '), host);
		t.is(request.columns.map(({heading}) => heading).join(' '), columns, line);
	}
});

let own: TestEngine;
let id: string;

test.before(async () => {
	own = await testEngine();
	id = await runDetached(own.engine, ['sh', '-c', 'sleep 1000 & exec sleep 2000']);
	await until('both sleep', async () => {
		const {Processes} = await own.engine.containers.top(id, ['-o', 'pid,args']);
		return Processes.map(([, command]) => command).join() === 'sleep 2000,sleep 1000';
	});
});

test.after.always(() => own.close());

/** Columns whose values are the same a moment later, for the container's processes alone. */
const compared = [
	...[
		'-o pid,user,comm,args',
		'-eo pid,ppid,pgid,sid,tty,stat,ni,pri,nlwp,class,f,sz',
		'j',
		'-j',
		'-l',
		'-M',
	],
	...['-o pid,user:20,args:5,comm', '-o pid,size,drs,trs,exe', '-o pid,pending,blocked,ignored,caught,lwp'],
	...['-o pid,supgid,oomadj,netns,utsns', '-o pid,lstart,cmd', '-T', '-eLo pid,lwp,comm', 'X', 'axo pid,rss'],
];
/** What ps can't do together with a list of processes: there are others than the container's. */
const filtered = ['-C sleep', '-A --sort=-pid -o pid,args', '-p 1', '-ejH'];

test('top shows what ps shows of the same processes', async (t) => {
	if (!existsSync('/usr/bin/ps')) return t.pass('there is no ps to compare with');
	const words = (text: string): string => text.trim().replace(/\s+/g, ' ');
	const pids = (await own.engine.containers.top(id, ['-o', 'pid'])).Processes.map(([pid]) => pid!);
	t.is(pids.length, 2);
	for (const line of [...compared, ...filtered]) {
		const options = line.split(' ');
		const list = filtered.includes(line) ? [] : [`-q${pids.join(',')}`];
		const read = async () => {
			const [heading = '', ...rows] = execFileSync('ps', [...options, ...list], {encoding: 'utf8'}).split(
				'\n',
			);
			const found = await own.engine.containers.top(id, options);
			const at = found.Titles.indexOf('PID');
			return {
				found: [found.Titles, ...found.Processes].map((row) => row.join(' ')),
				shown: [heading, ...rows.filter((row) => pids.includes(words(row).split(' ')[at]!))].map(words),
			};
		};
		let both = await read();
		// Between the two the processor's share of a young process or its state may have become another.
		for (let again = 0; again < 20 && both.found.join() !== both.shown.join(); again++) both = await read();
		t.deepEqual(both.found, both.shown, line);
	}
});

test('docker finds processes by the column PID and says so', async (t) => {
	for (const line of ['-o comm', '-o pid=', '-o pid=X,cmd', '-ef --no-headers', '-V']) {
		await t.throwsAsync(
			own.engine.containers.top(id, line.split(' ')),
			{message: "Couldn't find PID field in ps output"},
			line,
		);
	}
	await t.throwsAsync(own.engine.containers.top(id, ['-o', 'nothing']), {
		message: 'ps: error: unknown user-defined format specifier "nothing"',
	});
});

test('where ps finds nothing on the whole host it fails, where it finds only others there are no rows', async (t) => {
	for (const line of ['-C no-such-command', '-o pid,args -C no-such-command', '-q 99999999']) {
		await t.throwsAsync(own.engine.containers.top(id, line.split(' ')), {message: 'ps: exit status 1'}, line);
	}
	t.deepEqual((await own.engine.containers.top(id, ['-p', '1'])).Processes, []);
});

test('in a forest children stand below their parents', async (t) => {
	const {Processes} = await own.engine.containers.top(id, ['f', '-o', 'pid,args']);
	t.deepEqual(
		Processes.map(([, command]) => command),
		['sleep 2000', '\\_ sleep 1000'],
	);
});

test('only a container that runs has processes', async (t) => {
	const {id: made} = await own.engine.containers.create({image: 'wherry/base', config: {Cmd: ['true']}});
	await t.throwsAsync(own.engine.containers.top(made), {
		code: 'conflict',
		message: `container ${made} is not running`,
	});
	await t.throwsAsync(own.engine.containers.top('nothing'), {message: 'No such container: nothing'});
});

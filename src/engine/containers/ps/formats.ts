/** The columns of ps(1): what each is called and says of a process. Pure but for the process's own reading. */
import {type Process, type PsHost, shown} from './process.ts';

export interface PsFormat {
	readonly heading: string;
	/** Text is cut there, unless it is the last column. */
	readonly width: number;
	readonly text: boolean;
	readonly value: (process: Process, host: PsHost) => string;
}

const number = (heading: string, value: (process: Process, host: PsHost) => number | string): PsFormat => ({
	heading,
	width: 0,
	text: false,
	value: (process, host) => String(value(process, host)),
});

const text = (
	heading: string,
	width: number,
	value: (process: Process, host: PsHost) => string,
): PsFormat => ({heading, width, text: true, value: (process, host) => value(process, host) || '-'});

const two = (value: number): string => String(value).padStart(2, '0');

/** `[days-]hours:minutes:seconds`. */
function dayTime(seconds: number): string {
	const days = Math.trunc(seconds / 86_400);
	const clock = [Math.trunc(seconds / 3600) % 24, Math.trunc(seconds / 60) % 60, seconds % 60]
		.map(two)
		.join(':');
	return days > 0 ? `${days}-${clock}` : clock;
}

/** `[[days-]hours:]minutes:seconds`. */
function elapsedTime(seconds: number): string {
	return seconds >= 3600 ? dayTime(seconds) : `${two(Math.trunc(seconds / 60))}:${two(seconds % 60)}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The clock today, the date this year, the year before. */
function startTime(process: Process, host: PsHost): string {
	const [at, now] = [new Date(process.started(host) * 1000), new Date(host.now * 1000)];
	if (at.getFullYear() !== now.getFullYear()) return String(at.getFullYear());
	return at.toDateString() === now.toDateString()
		? `${two(at.getHours())}:${two(at.getMinutes())}`
		: `${months[at.getMonth()]}${two(at.getDate())}`;
}

/** The clock within a day, the date before. */
function startWithin(process: Process, host: PsHost, seconds: boolean): string {
	const started = process.started(host);
	const at = new Date(started * 1000);
	if (host.now - started >= 86_400) return `${months[at.getMonth()]} ${two(at.getDate())}`;
	return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;
}

function longStart(process: Process, host: PsHost): string {
	const at = new Date(process.started(host) * 1000);
	const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
	return `${days[at.getDay()]} ${months[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock} ${at.getFullYear()}`;
}

/** A tenth of a percent. */
function cpuTenths(process: Process, host: PsHost): number {
	const seconds = process.elapsed(host);
	return seconds > 0 ? Math.trunc((process.cpuTime() * 1000) / seconds) : 0;
}

const percent = (tenths: number): string =>
	tenths > 999 ? String(Math.trunc(tenths / 10)) : `${Math.trunc(tenths / 10)}.${tenths % 10}`;

/** Of /proc/PID/status; a thread of the kernel's has no memory. */
const kibibytes = (process: Process, key: string): number => Number.parseInt(process.status(key), 10) || 0;

const memoryTenths = (process: Process, {memory}: PsHost): number =>
	Math.min(999, Math.trunc((kibibytes(process, 'VmRSS') * 1024 * 1000) / memory));

/** Numbers of devices as Documentation/admin-guide/devices.txt has them. */
function terminal(process: Process): string {
	const device = process.stat('tty');
	if (device === 0) return '?';
	const major = (device >> 8) & 0xfff;
	const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
	if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
	if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
	if (major === 5 && minor === 1) return 'console';
	if (major === 229) return `hvc${minor}`;
	return `${major},${minor}`;
}

/** The state and what else there is to it, as BSD's STAT. */
function longState(process: Process): string {
	const nice = process.stat('nice');
	return [
		process.state,
		nice < 0 ? '<' : nice > 0 ? 'N' : '',
		kibibytes(process, 'VmLck') > 0 ? 'L' : '',
		process.stat('session') === process.pid ? 's' : '',
		process.role === 'process' && process.stat('threads') > 1 ? 'l' : '',
		process.stat('pgrp') === process.stat('tpgid') ? '+' : '',
	].join('');
}

/** One that is too long for its column ends with `+`. */
const userName = (id: number, {users}: PsHost): string => {
	const name = users.get(id) ?? String(id);
	return name.length > 8 ? `${name.slice(0, 7)}+` : name;
};
const groupName = (id: number, {groups}: PsHost): string => {
	const name = groups.get(id) ?? String(id);
	return name.length > 8 ? `${name.slice(0, 7)}+` : name;
};

const user = (heading: string, which: 0 | 1 | 2 | 3): PsFormat =>
	text(heading, 8, (process, host) => userName(process.id('Uid', which), host));
const group = (heading: string, which: 0 | 1 | 2 | 3): PsFormat =>
	text(heading, 8, (process, host) => groupName(process.id('Gid', which), host));
const uid = (heading: string, which: 0 | 1 | 2 | 3) => number(heading, (process) => process.id('Uid', which));
const gid = (heading: string, which: 0 | 1 | 2 | 3) => number(heading, (process) => process.id('Gid', which));

/** Bytes. */
const codeSize = (process: Process): number => process.stat('endcode') - process.stat('startcode');

const policies = ['TS', 'FF', 'RR', 'B', 'ISO', 'IDL', 'DLN'];
const isFair = (process: Process): boolean => [0, 3, 5].includes(process.stat('policy'));

function namespace(heading: string, file: string) {
	return number(heading, (process) => /\[(\d+)\]/.exec(process.link(`ns/${file}`))?.[1] ?? '-');
}

const ofFile =
	(file: string, key: string) =>
	(process: Process): string =>
		new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(process.file(file))?.[1] ?? '-';

const signals = (heading: string, key: string) => number(heading, (process) => process.status(key) || '-');
const stat = (heading: string, field: Parameters<Process['stat']>[0]) =>
	number(heading, (process) => process.stat(field));
const hexadecimal = (heading: string, field: Parameters<Process['stat']>[0]) =>
	number(heading, (process) => process.hex(field));
const nothing = (heading: string) => number(heading, () => '-');

const command = (heading: string): PsFormat =>
	text(heading, 27, (process) => process.branch + process.command);
const commandName = (heading: string, width = 15): PsFormat =>
	text(heading, width, (process) => {
		const defunct = process.state === 'Z' ? ' <defunct>' : '';
		return `${process.branch}${process.name}${defunct}`;
	});
const cgroups = (process: Process): string =>
	process
		.file('cgroup')
		.trim()
		.split('\n')
		.map((line) => shown(line))
		.join(',');
const label = (heading: string): PsFormat =>
	text(heading, 31, (process) => shown(process.file('attr/current').replace(/[\0\n]+$/, '')));

const table: Record<string, PsFormat> = {
	alarm: nothing('ALARM'),
	ag_id: number('AGID', (process) => /autogroup-(\d+)/.exec(process.file('autogroup'))?.[1] ?? '-'),
	ag_nice: number('AGNI', (process) => /nice (-?\d+)/.exec(process.file('autogroup'))?.[1] ?? '-'),
	args: command('COMMAND'),
	blocked: signals('BLOCKED', 'SigBlk'),
	bsdstart: text('START', 6, (process, host) => startWithin(process, host, false)),
	bsdtime: number('TIME', (process) => {
		const seconds = process.cpuTime();
		return `${Math.trunc(seconds / 60)}:${two(seconds % 60)}`;
	}),
	c: number('C', (process, host) => Math.min(99, Math.trunc(cpuTenths(process, host) / 10))),
	caught: signals('CAUGHT', 'SigCgt'),
	cgroup: text('CGROUP', 27, cgroups),
	cgroupns: namespace('CGROUPNS', 'cgroup'),
	class: number('CLS', (process) => policies[process.stat('policy')] ?? '?'),
	cmd: command('CMD'),
	comm: commandName('COMMAND'),
	cp: number('CP', cpuTenths),
	cpuid: stat('CPUID', 'processor'),
	cuc: number('%CUC', (process, host) => percent(cpuTenths(process, host))),
	drs: number('DRS', (process) => Math.trunc((process.stat('vsize') - codeSize(process)) / 1024)),
	egid: gid('EGID', 1),
	egroup: group('EGROUP', 1),
	eip: hexadecimal('EIP', 'eip'),
	esp: hexadecimal('ESP', 'esp'),
	etime: number('ELAPSED', (process, host) => elapsedTime(process.elapsed(host))),
	etimes: number('ELAPSED', (process, host) => process.elapsed(host)),
	euid: uid('EUID', 1),
	euser: user('EUSER', 1),
	exe: text('EXE', 27, (process) => shown(process.link('exe'))),
	f: number('F', (process) => ((process.stat('flags') >> 6) & 7).toString(8)),
	fgid: gid('FGID', 3),
	fgroup: group('FGROUP', 3),
	fname: commandName('COMMAND', 8),
	fuid: uid('FUID', 3),
	fuser: user('FUSER', 3),
	ignored: signals('IGNORED', 'SigIgn'),
	ipcns: namespace('IPCNS', 'ipc'),
	label: label('LABEL'),
	lstart: text('STARTED', 24, longStart),
	luid: number('LUID', (process) => {
		const id = process.file('loginuid');
		return id === '' || id === '4294967295' ? '-' : id;
	}),
	lwp: number('LWP', (process) => process.tid),
	maj_flt: stat('MAJFL', 'majflt'),
	min_flt: stat('MINFL', 'minflt'),
	mntns: namespace('MNTNS', 'mnt'),
	netns: namespace('NETNS', 'net'),
	ni: number('NI', (process) => (isFair(process) ? process.stat('nice') : '-')),
	nlwp: stat('NLWP', 'threads'),
	oom: number('OOM', (process) => process.file('oom_score').trim() || '-'),
	oomadj: number('OOMADJ', (process) => process.file('oom_score_adj').trim() || '-'),
	opri: number('PRI', (process) => process.stat('priority') + 60),
	pcpu: number('%CPU', (process, host) => percent(cpuTenths(process, host))),
	pending: signals('PENDING', 'ShdPnd'),
	pgid: stat('PGID', 'pgrp'),
	pid: number('PID', (process) => process.pid),
	pidns: namespace('PIDNS', 'pid'),
	pmem: number('%MEM', (process, host) => percent(memoryTenths(process, host))),
	ppid: stat('PPID', 'ppid'),
	pri: number('PRI', (process) => 39 - process.stat('priority')),
	pri_api: number('API', (process) => -1 - process.stat('priority')),
	pri_bar: number('BAR', (process) => process.stat('priority') + 1),
	pri_baz: number('BAZ', (process) => process.stat('priority') + 100),
	pri_foo: number('FOO', (process) => process.stat('priority') - 20),
	priority: stat('PRI', 'priority'),
	psr: stat('PSR', 'processor'),
	pss: number('PSS', ofFile('smaps_rollup', 'Pss')),
	rbytes: number('RBYTES', ofFile('io', 'read_bytes')),
	rchars: number('RCHARS', ofFile('io', 'rchar')),
	rgid: gid('RGID', 0),
	rgroup: group('RGROUP', 0),
	rops: number('ROPS', ofFile('io', 'syscr')),
	rss: number('RSS', (process) => kibibytes(process, 'VmRSS')),
	rtprio: number('RTPRIO', (process) => (isFair(process) ? '-' : process.stat('rtpriority'))),
	ruid: uid('RUID', 0),
	ruser: user('RUSER', 0),
	s: number('S', (process) => process.state),
	sched: stat('SCH', 'policy'),
	sid: stat('SID', 'session'),
	size: number('SIZE', (process) => kibibytes(process, 'VmData') + kibibytes(process, 'VmStk')),
	stackp: hexadecimal('STACKP', 'startstack'),
	start: text('STARTED', 8, (process, host) => startWithin(process, host, true)),
	start_time: text('START', 5, startTime),
	stat: number('STAT', longState),
	stime: text('STIME', 5, startTime),
	supgid: text('SUPGID', 20, (process) => process.status('Groups').trim().replaceAll(' ', ',')),
	supgrp: text('SUPGRP', 40, (process, {groups}) =>
		process
			.status('Groups')
			.trim()
			.split(' ')
			.map((id) => groups.get(Number(id)) ?? id)
			.join(','),
	),
	svgid: gid('SVGID', 2),
	svgroup: group('SVGROUP', 2),
	svuid: uid('SVUID', 2),
	svuser: user('SVUSER', 2),
	sz: number('SZ', (process) => Math.trunc(kibibytes(process, 'VmSize') / 4)),
	time: number('TIME', (process) => dayTime(process.cpuTime())),
	timens: namespace('TIMENS', 'time'),
	times: number('TIME', (process) => process.cpuTime()),
	tmout: nothing('TMOUT'),
	tname: text('TTY', 8, terminal),
	tpgid: stat('TPGID', 'tpgid'),
	trs: number('TRS', (process) => Math.trunc(codeSize(process) / 1024)),
	tsig: signals('PENDING', 'SigPnd'),
	tt: text('TT', 8, terminal),
	ucmd: commandName('CMD'),
	uid: uid('UID', 1),
	uid_hack: user('UID', 1),
	user: user('USER', 1),
	userns: namespace('USERNS', 'user'),
	uss: number('USS', (process) => {
		const [clean, dirty] = ['Private_Clean', 'Private_Dirty'].map((key) =>
			Number(ofFile('smaps_rollup', key)(process)),
		);
		return Number.isNaN(clean! + dirty!) ? '-' : clean! + dirty!;
	}),
	utsns: namespace('UTSNS', 'uts'),
	vsz: number('VSZ', (process) => kibibytes(process, 'VmSize')),
	wbytes: number('WBYTES', ofFile('io', 'write_bytes')),
	wcbytes: number('WCBYTES', ofFile('io', 'cancelled_write_bytes')),
	wchan: text('WCHAN', 6, (process) => shown(process.file('wchan').replace(/^0$/, ''))),
	wchars: number('WCHARS', ofFile('io', 'wchar')),
	wops: number('WOPS', ofFile('io', 'syscw')),
};

/** Second names, most with a heading of their own. */
const aliases: Record<string, string | readonly [name: string, heading: string]> = {
	'%cpu': 'pcpu',
	'%mem': 'pmem',
	addr: ['nothing', 'ADDR'],
	addr_1: ['nothing', 'ADDR'],
	atime: 'time',
	cgname: ['cgroup', 'CGNAME'],
	cls: 'class',
	command: 'args',
	context: ['label', 'CONTEXT'],
	cputime: 'time',
	cputimes: 'times',
	cuu: ['cuc', '%CUU'],
	dsiz: ['drs', 'DSIZ'],
	flag: 'f',
	flags: 'f',
	fsgid: ['fgid', 'FSGID'],
	fsgroup: ['fgroup', 'FSGROUP'],
	fsuid: ['fuid', 'FSUID'],
	fsuser: ['fuser', 'FSUSER'],
	gid: ['egid', 'GID'],
	group: ['egroup', 'GROUP'],
	intpri: 'opri',
	lastcpu: ['psr', 'C'],
	lim: ['nothing', 'LIM'],
	longtname: 'tname',
	lsession: ['nothing', 'SESSION'],
	lxc: ['nothing', 'LXC'],
	m_drs: 'drs',
	m_size: 'size',
	m_trs: 'trs',
	machine: ['nothing', 'MACHINE'],
	majflt: ['maj_flt', 'MAJFLT'],
	minflt: ['min_flt', 'MINFLT'],
	nice: 'ni',
	numa: ['nothing', 'NUMA'],
	ouid: ['nothing', 'OWNER'],
	pagein: ['maj_flt', 'PAGEIN'],
	pgrp: ['pgid', 'PGRP'],
	policy: ['class', 'POL'],
	rssize: 'rss',
	rsz: ['rss', 'RSZ'],
	seat: ['nothing', 'SEAT'],
	sess: ['sid', 'SESS'],
	session: ['sid', 'SESS'],
	sgi_p: ['psr', 'P'],
	sgi_rss: 'rss',
	sgid: ['svgid', 'SGID'],
	sgroup: ['svgroup', 'SGROUP'],
	sig: 'pending',
	sig_block: 'blocked',
	sig_catch: ['caught', 'CATCHED'],
	sig_ignore: 'ignored',
	sig_pend: ['pending', 'SIGNAL'],
	sigcatch: 'caught',
	sigignore: 'ignored',
	sigmask: 'blocked',
	slice: ['nothing', 'SLICE'],
	spid: ['lwp', 'SPID'],
	start_stack: 'stackp',
	state: 's',
	suid: ['svuid', 'SUID'],
	suser: ['svuser', 'SUSER'],
	tgid: ['pid', 'TGID'],
	thcount: ['nlwp', 'THCNT'],
	tid: ['lwp', 'TID'],
	trss: ['trs', 'TRSS'],
	tsiz: ['trs', 'TSIZ'],
	tty: 'tt',
	tty4: ['tt', 'TTY'],
	tty8: ['tt', 'TTY'],
	ucomm: ['comm', 'COMMAND'],
	uname: 'user',
	unit: ['nothing', 'UNIT'],
	util: 'c',
	uunit: ['nothing', 'UUNIT'],
	vsize: ['vsz', 'VSZ'],
	wname: 'wchan',
	zone: ['nothing', 'ZONE'],
};

/** Several columns by one name. */
export const formatGroups: Record<string, string> = {
	j_bsd: 'ppid,pid,pgid,sid,tname,tpgid,stat,uid,bsdtime,args',
	l_bsd: 'f,uid,pid,ppid,priority,ni,vsz,rss,wchan,stat,tname,bsdtime,args',
	s_bsd: 'uid,pid,pending,blocked,ignored,caught,stat,tname,bsdtime,args',
	u_bsd: 'user,pid,pcpu,pmem,vsz,rss,tname,stat,start_time,bsdtime,args',
	v_bsd: 'pid,tname,stat,bsdtime,maj_flt,trs,drs,rss,pmem,args',
	x_linux: 'pid,stackp,esp,eip,tmout,alarm,stat,tname,bsdtime,args',
	context: 'pid,context,args',
};

export function findFormat(name: string): PsFormat | undefined {
	if (Object.hasOwn(table, name)) return table[name];
	const alias = Object.hasOwn(aliases, name) ? aliases[name]! : undefined;
	if (alias === undefined) return undefined;
	if (typeof alias === 'string') return table[alias];
	const [target, heading] = alias;
	return target === 'nothing' ? nothing(heading) : {...table[target]!, heading};
}

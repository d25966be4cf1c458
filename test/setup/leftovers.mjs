/** What a run of the tests may leave on a machine by mistake: looked at before and after. */
import {readdirSync, readFileSync} from 'node:fs';

function list(path) {
	try {
		return readdirSync(path);
	} catch {
		return [];
	}
}

function read(path) {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

/** Every trace, as text lines. */
export function traces() {
	const found = new Set();
	for (const line of read('/proc/self/mountinfo').split('\n')) {
		if (line.includes('wherry')) found.add(`mount ${line.split(' ')[4]}`);
	}
	for (const hierarchy of ['', ...list('/sys/fs/cgroup')]) {
		for (const name of list(`/sys/fs/cgroup/${hierarchy}/wherry`)) {
			// The monitors' shared group stays, as its parent does; files of the group are no groups.
			if (/^[0-9a-f]{64}$/.test(name)) found.add(`cgroup ${hierarchy}/wherry/${name}`);
		}
	}
	for (const pid of list('/proc')) {
		if (!/^\d+$/.test(pid)) continue;
		if (read(`/proc/${pid}/comm`).startsWith('wherry-'))
			found.add(`process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
	}
	for (const name of list('/sys/class/net')) if (/^(wh|wy)/.test(name)) found.add(`interface ${name}`);
	for (const name of list('/tmp')) if (/^wherry/.test(name)) found.add(`folder /tmp/${name}`);
	return found;
}

/** What `after` has and `before` had not. */
export function difference(before, after) {
	return [...after].filter((trace) => !before.has(trace));
}

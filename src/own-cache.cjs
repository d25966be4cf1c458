'use strict';
// What the boot file does when a face's code cache is missing or made by another Node, and when a build makes
// the caches: apart from it, because nearly no command comes here.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

/** A file that root alone can have written, else undefined. */
function readOwned(file) {
	let fd;
	try {
		fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
		const stat = fs.fstatSync(fd);
		const folder = fs.lstatSync(path.dirname(file));
		const mine = (s) => s.uid === process.geteuid() && (s.mode & 0o022) === 0;
		return stat.isFile() && folder.isDirectory() && mine(stat) && mine(folder)
			? fs.readFileSync(fd)
			: undefined;
	} catch {
		return undefined;
	} finally {
		if (fd !== undefined) fs.closeSync(fd);
	}
}

function store(folder, mode, name, script) {
	try {
		fs.mkdirSync(folder, {recursive: true, mode: mode === 0o600 ? 0o700 : 0o755});
		const file = path.join(folder, name);
		fs.writeFileSync(`${file}.${process.pid}`, script.createCachedData(), {mode, flag: 'wx'});
		fs.renameSync(`${file}.${process.pid}`, file);
	} catch {
		// Only speed is lost.
	}
}

/** Caches of other builds, which nobody reads any more. */
function removeOld(own, build) {
	try {
		for (const name of fs.readdirSync(own)) {
			if (!name.includes(`-${build}-`)) fs.unlinkSync(path.join(own, name));
		}
	} catch {
		// They are in nobody's way.
	}
}

/** The script of a face, by the cache in WHERRY_ROOT when that fits; a build compiles without any. */
exports.compile = ({own, fileOf, warm, pending}, face, code, filename) => {
	if (warm) {
		// Networks can't be rehearsed in a build: all of the functions are compiled beforehand.
		const eager = face === 'network' || face === 'bridge';
		if (eager) require('node:v8').setFlagsFromString('--no-lazy');
		const script = new vm.Script(code, {filename});
		if (eager) require('node:v8').setFlagsFromString('--lazy');
		pending.push([face, script]);
		return script;
	}
	const cachedData = readOwned(path.join(own, fileOf(face)));
	// By one character longer: V8 would hand out what it has just compiled of the same text, whatever the cache.
	const script = new vm.Script(`${code}\n`, {filename, cachedData});
	if (cachedData === undefined || script.cachedDataRejected) pending.push([face, script]);
	return script;
};

/** Nothing is made in a root that doesn't exist yet: a command that reads makes no folders. */
exports.keep = ({build, own, fileOf, pending}) => {
	if (!fs.existsSync(path.dirname(path.dirname(own)))) return;
	for (const [face, script] of pending) store(own, 0o600, fileOf(face), script);
	removeOld(own, build);
};

/** The caches of a build. */
exports.ship = ({shipped, fileOf, pending}) => {
	for (const [face, script] of pending) store(shipped, 0o644, fileOf(face), script);
};

/** AppArmor and quotas of projects, which the machine of the tests may not have. */
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import type {Engine} from '../../src/engine/api.ts';
import type {Guest} from './guest.ts';

const profiles = (): string => readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8');

async function checkApparmor({engine, check, equal, create, run, text}: Guest): Promise<void> {
	const {containers} = engine;
	const current = 'cat /proc/self/attr/current';

	await check('a container has the default profile of AppArmor, which is loaded with it', async () => {
		equal((await run(current)).output, 'wherry-default (enforce)');
		equal(profiles().includes('wherry-default (enforce)'), true);
		equal(((await engine.info()).SecurityOptions as string[]).includes('name=apparmor'), true);
	});
	await check('a privileged container and one that asks for it have none', async () => {
		equal((await run(current, {Privileged: true})).output, 'unconfined');
		equal((await run(current, {SecurityOpt: ['apparmor=unconfined']})).output, 'unconfined');
	});
	await check('exec has the profile of its container, and inspect tells it', async () => {
		const id = await create('sleep 1000');
		await containers.start(id);
		const session = await containers.exec(id, {argv: ['cat', '/proc/self/attr/current'], stdout: true});
		equal(await text(session.stdout), 'wherry-default (enforce)\n');
		equal((await containers.inspect(id)).AppArmorProfile, 'wherry-default');
		await containers.remove(id, {force: true});
	});
	await check('a profile that is not there is an error of the start', async () => {
		const id = await create('true', {SecurityOpt: ['apparmor=no-such-profile']});
		const message = await containers.start(id).then(
			() => 'it started',
			(error: Error) => error.message,
		);
		await containers.remove(id, {force: true});
		if (!/no-such-profile/.test(message)) throw new Error(message);
	});
	await check('the profile forbids what capabilities and paths would allow', async () => {
		// All capabilities, no filter of system calls, nothing masked: only the profile is left.
		const bare = {
			CapAdd: ['ALL'],
			SecurityOpt: ['seccomp=unconfined', 'systempaths=unconfined'],
		};
		const script = `mount -t tmpfs x /run 2>&1; echo x 2>&1 >/proc/sysrq-trigger
(echo 1 > /proc/sys/kernel/panic) 2>&1; (echo 1 >/proc/sys/kernel/shmmni) && echo own; echo file > /tmp/x && cat /tmp/x`;
		const {output} = await run(script, bare);
		const refused = output.split('\n').filter((line) => /denied|not permitted/i.test(line));
		if (refused.length !== 3 || !/^own\nfile/m.test(output)) throw new Error(output);
		const {output: free} = await run('mount -t tmpfs x /run && echo mounted', {
			...bare,
			SecurityOpt: [...bare.SecurityOpt, 'apparmor=unconfined'],
		});
		equal(free, 'mounted');
	});
	await check('processes of a container can be signalled by their host and by each other', async () => {
		equal((await run('sleep 1000 & kill $! && wait $! 2>/dev/null; echo $?')).output, '143');
		const id = await create('sleep 1000');
		await containers.start(id);
		await containers.stop(id, {timeout: 0});
		equal((await containers.inspect(id)).State.Status, 'exited');
		await containers.remove(id);
	});
}

async function checkQuotas(openEngine: (paths: object) => Engine, {check, equal}: Guest): Promise<void> {
	const mounted = spawnSync('mount', ['-t', 'ext4', '-o', 'prjquota', '/dev/vdb', '/mnt']);
	await check(
		'what a container writes can be limited where the file system has quotas of projects',
		async () => {
			equal(String(mounted.stderr), '');
			const own = openEngine({root: '/mnt/root', run: '/run/wherry-quota'});
			await own.images.ensureBase();
			const written = async (StorageOpt: Record<string, string>): Promise<number> => {
				const {id} = await own.containers.create({
					image: 'wherry/base',
					config: {Cmd: ['sh', '-c', 'dd if=/dev/zero of=/x bs=1M count=20 2>/dev/null; wc -c </x']},
					hostConfig: {NetworkMode: 'none', StorageOpt},
				});
				const session = await own.containers.start(id, {attach: {stdout: true}});
				let output = '';
				for await (const chunk of session!.stdout) output += String(chunk);
				await session!.exit;
				await own.containers.remove(id);
				return Number(output);
			};
			const limited = await written({size: '10m'});
			if (!(limited > 8 << 20 && limited <= 10 << 20)) throw new Error(`${limited} bytes were written`);
			equal(await written({size: '30m'}), 20 << 20);
			equal(await written({}), 20 << 20);
			await own.close();
		},
	);
}

export async function checkSecurity(openEngine: (paths: object) => Engine, guest: Guest): Promise<void> {
	await checkApparmor(guest);
	await checkQuotas(openEngine, guest);
}

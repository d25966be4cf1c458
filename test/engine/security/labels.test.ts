import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {HostConfig} from '../../../src/engine/api.ts';
import {
	apparmorProblem,
	defaultProfile,
	profileText,
	wantedProfile,
} from '../../../src/engine/security/apparmor.ts';
import {parseSecurityOptions} from '../../../src/engine/security/options.ts';
import {labelOf, relabel} from '../../../src/engine/security/relabel.ts';
import {
	categoriesOf,
	containerLabels,
	freeCategories,
	hostContexts,
	parseContexts,
} from '../../../src/engine/security/selinux.ts';
import {native} from '../../../src/kernel/native.ts';

const contexts = {process: 'system_u:system_r:container_t:s0', file: 'system_u:object_r:container_file_t:s0'};
const labels = (...options: string[]) => containerLabels(options, contexts, () => 'c1,c2');

test("a container's labels are the policy's with a pair of categories of its own", (t) => {
	t.deepEqual(labels(), {
		process: 'system_u:system_r:container_t:s0:c1,c2',
		mount: 'system_u:object_r:container_file_t:s0:c1,c2',
	});
});

test('options of labels change what they name', (t) => {
	t.deepEqual(labels('type:spc_t', 'user:u', 'role:r', 'filetype:usr_t'), {
		process: 'u:r:spc_t:s0:c1,c2',
		mount: 'system_u:object_r:usr_t:s0:c1,c2',
	});
	t.deepEqual(labels('level:s0:c100,c200'), {
		process: 'system_u:system_r:container_t:s0:c100,c200',
		mount: 'system_u:object_r:container_file_t:s0:c100,c200',
	});
	t.deepEqual(labels('disable', 'type:x'), {
		process: '',
		mount: 'system_u:object_r:container_file_t:s0:c1022,c1023',
	});
	t.deepEqual(labels('nested'), labels());
});

test('labels that would mean something else than they say are refused', (t) => {
	for (const option of [
		'',
		'disabled',
		'kind:x',
		'type',
		'type:',
		'type:a b',
		'type:a,rw',
		'level:s0"',
		':x',
	]) {
		t.throws(() => labels(option), {message: /^bad label option /}, option);
	}
});

test("the policy's file says what the labels are, a host without it has the usual ones", (t) => {
	t.deepEqual(
		parseContexts(
			'# x\nprocess = "a:b:c_t:s0"\n file=d:e:f_t:s0 # y\nro_file="x"\nsandbox_kvm_process = "no:no:no:s0"\n',
		),
		{process: 'a:b:c_t:s0', file: 'd:e:f_t:s0'},
	);
	t.deepEqual(parseContexts(''), contexts);
	t.regex(hostContexts().process, /^[^:]+:[^:]+:[^:]+:/);
});

test('no two containers share categories', (t) => {
	const numbers = [0, 0.5, 0.5, 0, 0.1, 0.1, 0.2, 0.001];
	const random = (): number => numbers.shift()!;
	// The first pair is taken, the same in the other order too, the next is one category twice.
	t.is(freeCategories(new Set(['c0,c512']), random), 'c1,c204');
	t.throws(() => freeCategories(new Set(), () => 0.5), {code: 'exhausted'});
	t.is(categoriesOf('a:b:c:s0:c1,c204'), 'c1,c204');
	t.is(categoriesOf('a:b:c:s0'), undefined);
});

const host = (SecurityOpt: string[] | null, Privileged = false): HostConfig =>
	({SecurityOpt, Privileged}) as HostConfig;

test('the profile of AppArmor is ours, the named one, or none for a privileged container', (t) => {
	t.is(wantedProfile(host(null)), defaultProfile);
	t.is(wantedProfile(host(['apparmor=other'])), 'other');
	t.is(wantedProfile(host(['apparmor:unconfined'])), 'unconfined');
	t.is(wantedProfile(host([], true)), 'unconfined');
	t.is(wantedProfile(host(['apparmor=own'], true)), 'own');
	t.is(wantedProfile(host(['apparmor='])), defaultProfile);
	t.regex(
		profileText,
		/^profile wherry-default flags=\(attach_disconnected,mediate_deleted\) \{\n[^}]*deny mount,/s,
	);
	t.is(apparmorProblem({enabled: false, parser: undefined, loaded: false}), undefined);
	t.is(apparmorProblem({enabled: true, parser: '/x', loaded: false}), undefined);
	t.regex(apparmorProblem({enabled: true, parser: undefined, loaded: false})!, /no apparmor_parser/);
});

test('security options are read in every form of docker', (t) => {
	const parse = (...options: string[]) => parseSecurityOptions(options);
	t.true(parse('no-new-privileges').noNewPrivileges);
	t.true(parse('no-new-privileges:true').noNewPrivileges);
	t.true(parse('no-new-privileges=1').noNewPrivileges);
	t.false(parse('no-new-privileges=true', 'no-new-privileges=false').noNewPrivileges);
	t.is(parse('seccomp=unconfined').seccomp, 'unconfined');
	t.is(parse('seccomp:unconfined').seccomp, 'unconfined');
	t.is(parse('seccomp={"a": "b=c"}').seccomp, '{"a": "b=c"}');
	t.deepEqual(parse('label=type:x', 'label:disable', 'disable').labels, ['type:x', 'disable', 'disable']);
	t.false(parse('systempaths=unconfined').systemPaths);
	for (const [option, number] of [
		['nothing', 1],
		['no-new-privileges=maybe', 2],
		['systempaths=confined', 2],
		['selinux=x', 2],
		['__proto__=x', 2],
	] as const) {
		t.throws(() => parse(option), {message: `invalid --security-opt ${number}: ${JSON.stringify(option)}`});
	}
});

test('mounts say whether their files get the label of all containers, of this one, or keep theirs', (t) => {
	const label = 'a:b:c:s0:c1,c2';
	const of = (Mode: string, Type = 'bind') => labelOf({Type, Mode, Source: '/x'}, label);
	t.is(of('ro,Z'), label);
	t.is(of('z', 'volume'), 'a:b:c:s0');
	t.is(of('ro'), undefined);
	t.is(of('z', 'tmpfs'), undefined);
});

test('files get a label, folders with all in them, links not what they lead to', async (t) => {
	const folder = mkdtempSync(join(import.meta.dirname, '.labels-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	mkdirSync(join(folder, 'in/deep'), {recursive: true});
	for (const name of ['in/file', 'in/deep/file', 'out']) writeFileSync(join(folder, name), '');
	symlinkSync('../out', join(folder, 'in/link'));
	const label = (name: string) => native.getXattr(join(folder, name), 'security.selinux')?.toString();
	await relabel(join(folder, 'in'), 'a:b:c:s0');
	const all = ['in', 'in/file', 'in/deep', 'in/deep/file'];
	t.deepEqual(all.map(label), new Array(4).fill('a:b:c:s0\0'));
	t.is(label('out'), undefined);
	await relabel(join(folder, 'in/file'), 'x:y:z');
	t.is(label('in/file'), 'x:y:z\0');
	for (const path of ['/', '/etc', '/usr']) {
		await t.throwsAsync(relabel(path, 'x'), {message: `SELinux relabeling of ${path} is not allowed`});
	}
	await t.throwsAsync(relabel(join(folder, 'none'), 'x'), {code: 'ENOENT'});
});

import {mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type NameService, namesOp} from '../../src/engine/networks/endpoint.ts';
import {request} from '../../src/runtime/monitor-protocol.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import {ask, code, dnsType, encodeName, exchange, query, readAnswer} from './dns-wire.ts';
import {Container} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

interface Setup {
	host: NetworkNamespace;
	box: Container;
	inside: NetworkNamespace;
	/** Writes files of the zone `net`. */
	zone(file: string, text: string): void;
	zoneFolder: string;
}

/** A container with a name server for two zones. */
async function serve(t: ExecutionContext, names: Partial<NameService> = {}): Promise<Setup> {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {argv: ['/bin/sleep', '1000'], host});
	const zones = ['own', 'net'].map((name) => join(box.folder, name));
	box.options.network = [namesOp({zones, upstreams: [], internal: false, ...names})];
	box.writePlan();
	const [, zoneFolder = ''] = zones;
	mkdirSync(zoneFolder);
	const zone = (file: string, text: string) => {
		writeFileSync(join(box.folder, 'new'), text);
		renameSync(join(box.folder, 'new'), join(zoneFolder, file));
	};
	await box.start();
	return {host, box, inside: new NetworkNamespace(t, box.state().pid), zone, zoneFolder};
}

const addresses = (answer: {records: {data: string}[]} | undefined): string[] =>
	answer!.records.map(({data}) => data);

test('names of a zone are answered with their addresses, and addresses with their first name', async (t) => {
	const {box, inside, zone} = await serve(t);
	zone(
		'web',
		'web.net 172.18.0.2\nweb 172.18.0.2\nw-1 172.18.0.2\nweb.net fd00::2\nweb fd00::2\nw-1 fd00::2\n',
	);
	zone('db', 'db.net 172.18.0.3\ndb 172.18.0.3\n');
	zone('.half', 'half 172.18.0.9\n');
	mkdirSync(join(box.folder, 'own'));
	writeFileSync(join(box.folder, 'own/links'), 'store @db\nloop @loop\na @b\nb @a\nlost @nobody\n');
	const reverse6 = `2.${'0.'.repeat(29)}d.f.ip6.arpa`;
	const [web, web6, upper, mx, db6, any, ptr, ptrUpper, ptr6, ptrA, store, ...unknown] = await ask(inside, [
		query('web'),
		query('w-1', dnsType.aaaa),
		query('WeB.NET'),
		query('web', dnsType.mx),
		query('db', dnsType.aaaa),
		query('web', dnsType.any),
		query('2.0.18.172.in-addr.arpa', dnsType.ptr),
		query('3.0.18.172.IN-ADDR.ARPA', dnsType.ptr),
		query(reverse6, dnsType.ptr),
		query('2.0.18.172.in-addr.arpa', dnsType.a),
		query('store'),
		query('half'),
		query('loop'),
		query('a'),
		query('lost'),
		query('', dnsType.ns),
		query('4.0.18.172.in-addr.arpa', dnsType.ptr),
		query('web', dnsType.a, {klass: 3}),
		query('web.db'),
	]);
	t.like(web, {id: 0x1234, code: code.ok, truncated: false, recursion: true, name: 'web', edns: false});
	t.deepEqual(web!.records, [{name: 'web', type: dnsType.a, ttl: 600, data: '172.18.0.2'}]);
	t.deepEqual(addresses(web6), ['fd00:0000:0000:0000:0000:0000:0000:0002']);
	t.is(upper!.name, 'WeB.NET');
	t.deepEqual(addresses(upper), ['172.18.0.2']);
	// A name that is there, but nothing of that kind.
	t.like(mx, {code: code.ok, records: []});
	t.like(db6, {code: code.ok, records: []});
	t.is(addresses(any).length, 2);
	t.deepEqual(addresses(ptr), ['web.net']);
	t.deepEqual(addresses(ptrUpper), ['db.net']);
	t.deepEqual(addresses(ptr6), ['web.net']);
	t.like(ptrA, {code: code.ok, records: []});
	t.deepEqual(addresses(store), ['172.18.0.3']);
	// There is nobody to ask for the rest.
	t.deepEqual(
		unknown.map((answer) => answer!.code),
		Array.from({length: 8}, () => code.failure),
	);
	await box.stop(0);
});

test('a changed zone is seen by the next question', async (t) => {
	const {inside, zone, zoneFolder, box} = await serve(t);
	for (let round = 0; round < 5; round++) {
		zone('web', `web 172.18.0.${round}\n`);
		if (round === 3) unlinkSync(join(zoneFolder, 'db'));
		else zone('db', `db${round} 172.18.1.${round}\n`);
		const [web, db] = await ask(inside, [query('web'), query(`db${round}`)]);
		t.deepEqual(addresses(web), [`172.18.0.${round}`]);
		t.is(db!.code, round === 3 ? code.failure : code.ok);
	}
	rmSync(zoneFolder, {recursive: true});
	t.is((await ask(inside, [query('web')]))[0]!.code, code.failure);
	await box.stop(0);
});

test('several addresses of a name take turns, and those that do not fit are asked for by TCP', async (t) => {
	const {inside, zone, box} = await serve(t);
	for (let index = 0; index < 3; index++) zone(`c${index}`, `web 172.18.0.${index}\n`);
	for (let index = 0; index < 60; index++) zone(`m${index}`, `many 172.18.1.${index}\n`);
	const firsts = new Set<string>();
	for (const answer of await ask(inside, Array(12).fill(query('web')))) {
		t.is(answer!.records.length, 3);
		firsts.add(addresses(answer)[0]!);
	}
	t.is(firsts.size, 3);
	const [cut, whole] = await ask(inside, [query('many'), query('many', dnsType.a, {edns: 4096})]);
	t.true(cut!.truncated);
	t.true(cut!.length <= 512);
	t.like(whole, {truncated: false, edns: true});
	t.is(whole!.records.length, 60);
	const [byTcp] = await ask(inside, [query('many')], {tcp: true});
	t.is(byTcp!.truncated, false);
	t.is(new Set(addresses(byTcp)).size, 60);
	await box.stop(0);
});

/** Answers by name at an address of the host; tells what it was asked by UDP and TCP when it gets a line. */
const resolver = (host: NetworkNamespace, address: string) =>
	host.server(
		`
import {createSocket} from 'node:dgram';
import {createServer} from 'node:net';
const [address] = process.argv.slice(1);
const seen = [];
const read = (message) => {
	const labels = [];
	let at = 12;
	while (message[at]) {
		labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
		at += 1 + message[at];
	}
	return {name: labels.join('.'), end: at + 5};
};
const reply = (message, code, records = 0, bits = 0) => {
	const {end} = read(message);
	const record = Buffer.from('c00c00010001000000050004c0000209', 'hex');
	const out = Buffer.concat([message.subarray(0, end), ...Array(records).fill(record)]);
	out.writeUInt16BE(0x8180 | bits | code, 2);
	out.writeUInt16BE(records, 6);
	out.writeUInt16BE(0, 10);
	return out;
};
function answers(message, tcp) {
	const {name} = read(message);
	seen.push((tcp ? 'tcp ' : 'udp ') + name);
	const kind = name.split('.')[0].toLowerCase();
	if (kind === 'silent') return [];
	if (kind === 'refused') return [reply(message, 5)];
	if (kind === 'missing') return [reply(message, 3)];
	if (kind === 'big') return tcp ? [reply(message, 0, 200)] : [reply(message, 0, 0, 0x200)];
	if (kind === 'flood') return [reply(message, 0, 100)];
	if (kind === 'edns') return [reply(message, message.readUInt16BE(10) === 1 ? 0 : 1, 1)];
	if (kind === 'liar') {
		const otherId = reply(message, 0, 2);
		otherId.writeUInt16BE(otherId.readUInt16BE(0) ^ 1);
		const otherName = reply(message, 0, 2);
		otherName[13] ^= 1;
		const otherType = reply(message, 0, 2);
		otherType[read(message).end - 3] ^= 2;
		const question = Buffer.from(message);
		return [otherId, otherName, otherType, question, Buffer.from(message.subarray(0, 12)), Buffer.alloc(3),
			reply(message, 0, 1)];
	}
	return [reply(message, 0, 1)];
}
const udp = createSocket('udp4');
udp.on('message', (message, from) => {
	for (const one of answers(message, false)) udp.send(one, from.port, from.address);
});
const tcp = createServer((socket) => {
	let got = Buffer.alloc(0);
	socket.on('error', () => {});
	socket.on('data', (data) => {
		got = Buffer.concat([got, data]);
		while (got.length >= 2 && got.length >= 2 + got.readUInt16BE()) {
			const end = 2 + got.readUInt16BE();
			for (const one of answers(got.subarray(2, end), true)) {
				const head = Buffer.alloc(2);
				head.writeUInt16BE(one.length);
				// In pieces.
				socket.write(head.subarray(0, 1));
				socket.write(Buffer.concat([head.subarray(1), one]));
			}
			got = got.subarray(end);
		}
	});
});
udp.bind(53, address, () => tcp.listen(53, address, () => console.log('ready')));
process.stdin.on('data', () => console.log(JSON.stringify(seen)));`,
		address,
	);

async function questions(server: Awaited<ReturnType<typeof resolver>>): Promise<string[]> {
	const answer = new Promise<string>((resolve) => server.child.stdout!.once('data', resolve));
	server.child.stdin!.write('\n');
	return JSON.parse(await answer) as string[];
}

test('other names are asked of the resolvers of the host, by the way that the client asks', async (t) => {
	const {host, inside, zone, box} = await serve(t, {upstreams: ['127.0.0.53']});
	zone('web', 'web 172.18.0.2\n');
	const server = await resolver(host, '127.0.0.53');
	const [known, outside, single, missing, refused, big, flood, edns, liar] = await ask(inside, [
		query('web'),
		query('www.example.org'),
		query('single'),
		query('missing.example.org'),
		query('refused.example.org'),
		query('big.example.org'),
		query('flood.example.org'),
		query('edns.example.org', dnsType.a, {edns: 1232}),
		query('LiaR.example.org'),
	]);
	t.deepEqual(addresses(known), ['172.18.0.2']);
	for (const answer of [outside, single, edns, liar]) {
		t.like(answer, {id: 0x1234, code: code.ok});
		t.deepEqual(addresses(answer), ['192.0.2.9']);
	}
	t.is(missing!.code, code.noName);
	t.is(refused!.code, code.refused);
	t.like(big, {truncated: true, records: []});
	// A resolver that sends more than the client can take.
	t.like(flood, {truncated: true, records: [], name: 'flood.example.org'});
	const [bigTcp, missingTcp, refusedTcp, webTcp] = await ask(
		inside,
		[query('big.example.org'), query('missing.'.repeat(2).slice(0, -1)), query('refused.tcp'), query('web')],
		{tcp: true},
	);
	t.is(bigTcp!.records.length, 200);
	t.is(missingTcp!.code, code.noName);
	t.is(refusedTcp!.code, code.refused);
	t.deepEqual(addresses(webTcp), ['172.18.0.2']);
	const seen = await questions(server);
	t.false(seen.some((name) => name.endsWith(' web')));
	t.deepEqual(seen.filter((name) => name.startsWith('tcp')).sort(), [
		'tcp big.example.org',
		'tcp missing.missing',
		'tcp refused.tcp',
	]);
	await box.stop(0);
});

test('a resolver that is silent, gone or unwilling is followed by the next', async (t) => {
	// Nobody is at .51; what .52 says is no answer.
	const {host, inside, box} = await serve(t, {upstreams: ['127.0.0.51', '127.0.0.52', '127.0.0.53']});
	const [second, third] = [await resolver(host, '127.0.0.52'), await resolver(host, '127.0.0.53')];
	const questionsOfAll = [
		query('www.example.org'),
		query('refused.example.org'),
		query('silent.example.org'),
	];
	const ways = [ask(inside, questionsOfAll), ask(inside, questionsOfAll, {tcp: true})];
	for (const [www, refused, silent] of await Promise.all(ways)) {
		t.deepEqual(addresses(www), ['192.0.2.9']);
		t.is(refused!.code, code.refused);
		t.is(silent!.code, code.failure);
	}
	const both = ['refused.example.org', 'silent.example.org'];
	const by = (names: string[]) => ['tcp', 'udp'].flatMap((way) => names.map((name) => `${way} ${name}`));
	t.deepEqual((await questions(second)).sort(), by([...both, 'www.example.org']));
	t.deepEqual((await questions(third)).sort(), by(both));
	await box.stop(0);
});

test('an internal network asks nobody, and resolvers change while the container runs', async (t) => {
	const {host, inside, box, zone} = await serve(t, {upstreams: ['127.0.0.53'], internal: true});
	const server = await resolver(host, '127.0.0.53');
	zone('web', 'web 172.18.0.2\n');
	const [web, outside, ptr] = await ask(inside, [
		query('web'),
		query('www.example.org'),
		query('1.2.0.192.in-addr.arpa', dnsType.ptr),
	]);
	t.deepEqual(addresses(web), ['172.18.0.2']);
	t.is(outside!.code, code.noName);
	t.is(ptr!.code, code.noName);
	t.deepEqual(await questions(server), []);
	const change = (names: NameService) => box.ask(request.names, encodePlan({network: [namesOp(names)]}));
	t.deepEqual(await (await change({zones: [], upstreams: ['127.0.0.53'], internal: false})).ok, {});
	const [webThen, outsideThen] = await ask(inside, [query('web'), query('www.example.org')]);
	t.deepEqual(addresses(webThen), ['192.0.2.9']);
	t.deepEqual(addresses(outsideThen), ['192.0.2.9']);
	await t.throwsAsync((await change({zones: [], upstreams: ['no address'], internal: false})).ok, {
		message: /resolver no address: invalid argument/,
	});
	await t.throwsAsync(
		(await box.ask(request.names, encodePlan({network: [{op: 'removeFile', path: '/x'}]}))).ok,
		{message: /one operation serveNames/},
	);
	t.deepEqual(addresses((await ask(inside, [query('web')]))[0]), ['192.0.2.9']);
	await box.stop(0);
});

test('a name server starts for a container that runs, and the container may serve port 53 itself', async (t) => {
	const host = new NetworkNamespace(t);
	const box = new Container(t, {
		argv: ['/bin/sleep', '1000'],
		host,
		network: [{op: 'mkdirHost', path: '/tmp', mode: 0o755}],
	});
	await box.start();
	const inside = new NetworkNamespace(t, box.state().pid);
	const own = await resolver(inside, '0.0.0.0');
	const zones = [join(box.folder, 'zone')];
	mkdirSync(zones[0]!);
	writeFileSync(join(zones[0]!, 'web'), 'web 172.18.0.2\n');
	const start = await box.ask(
		request.names,
		encodePlan({network: [namesOp({zones, upstreams: [], internal: false})]}),
	);
	t.deepEqual(await start.ok, {});
	t.deepEqual(addresses((await ask(inside, [query('web')]))[0]), ['172.18.0.2']);
	t.deepEqual(addresses((await ask(inside, [query('web')], {server: '127.0.0.1'}))[0]), ['192.0.2.9']);
	t.deepEqual(await questions(own), ['udp web']);
	await box.stop(0);
});

test('what is no question gets no answer or an error, and the server goes on', async (t) => {
	const {host, inside, zone, box} = await serve(t, {upstreams: ['127.0.0.53']});
	await resolver(host, '127.0.0.53');
	zone('web', 'web 172.18.0.2\n');
	const good = query('web');
	const changed = (at: number, ...bytes: number[]) => {
		const out = Buffer.from(good);
		out.set(bytes, at);
		return out;
	};
	const withQuestion = (...name: number[]) =>
		Buffer.concat([good.subarray(0, 12), Buffer.from(name), Buffer.of(0, 1, 0, 1)]);
	const noAnswer = [Buffer.alloc(0), good.subarray(0, 11), changed(2, 0x81), Buffer.alloc(1501)];
	t.deepEqual(await exchange(inside, noAnswer, {wait: 300}), [undefined, undefined, undefined, undefined]);
	const wrong = [
		good.subarray(0, 12),
		good.subarray(0, 15),
		good.subarray(0, good.length - 1),
		changed(4, 0, 2),
		changed(4, 0, 0),
		changed(6, 0, 1),
		changed(8, 0, 1),
		changed(10, 0, 1),
		changed(10, 0xff, 0xff),
		// Points to itself, points beyond, a label that is too long, a name that is too long.
		withQuestion(0xc0, 12),
		withQuestion(0xff, 0xff),
		withQuestion(64, ...Array(64).fill(97), 0),
		withQuestion(
			...Array(4)
				.fill([63, ...Array(63).fill(97)])
				.flat(),
			0,
		),
		Buffer.concat([changed(10, 0, 1), Buffer.from('c00c0029ffff00000000ffff', 'hex')]),
		// EDNS twice.
		Buffer.concat([changed(10, 0, 2), Buffer.from('0000290400000000000000002904000000000000000', 'hex')]),
	];
	for (const answer of await ask(inside, wrong)) t.like(answer, {code: code.format, name: '', records: []});
	t.is((await ask(inside, [changed(2, 0x29)]))[0]!.code, code.notImplemented);
	// A label with a dot inside is another name than it seems; it is nobody's here.
	const dotted = Buffer.concat([
		good.subarray(0, 12),
		Buffer.of(3),
		Buffer.from('w.b'),
		Buffer.of(0, 0, 1, 0, 1),
	]);
	t.is((await ask(inside, [dotted]))[0]!.records[0]!.data, '192.0.2.9');
	const tcpWrong = await exchange(inside, [Buffer.alloc(0), good.subarray(0, 5), Buffer.alloc(5000)], {
		tcp: true,
	});
	t.deepEqual(tcpWrong, [undefined, undefined, undefined]);
	t.deepEqual(addresses((await ask(inside, [good]))[0]), ['172.18.0.2']);
	await box.stop(0);
});

test('random messages, changed questions and a flood of them leave the server working', async (t) => {
	const {host, inside, zone, box} = await serve(t, {upstreams: ['127.0.0.52', '127.0.0.53']});
	// Answers every question with noise.
	await host.server(`
import {createSocket} from 'node:dgram';
let seed = 1;
const next = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
const udp = createSocket('udp4').on('message', (message, from) => {
	for (let round = 0; round < 4; round++) {
		const out = Buffer.alloc(next() % 600);
		message.copy(out);
		for (let count = next() % 8; count > 0 && out.length > 2; count--) out[2 + next() % (out.length - 2)] = next();
		udp.send(out, from.port, from.address);
	}
});
udp.bind(53, '127.0.0.52', () => console.log('ready'));`);
	await resolver(host, '127.0.0.53');
	zone('web', 'web 172.18.0.2\n');
	await inside.node(`
import {createSocket} from 'node:dgram';
import {connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
let seed = 7;
const next = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
const base = ['${query('web').toString('hex')}', '${query('www.example.org', 28, {edns: 900}).toString('hex')}',
	'${query('2.0.18.172.in-addr.arpa', 12).toString('hex')}'].map((hex) => Buffer.from(hex, 'hex'));
const message = () => {
	const out = Buffer.concat([base[next() % 3], Buffer.alloc(next() % 3 ? 0 : next() % 40)]);
	for (let count = next() % 5; count > 0; count--) out[next() % out.length] = next();
	return out.subarray(0, next() % 4 ? out.length : next() % out.length);
};
const udp = createSocket('udp4');
for (let round = 0; round < 60; round++) {
	for (let count = 0; count < 100; count++) udp.send(message(), 53, '127.0.0.11');
	await sleep(2);
}
// Connections that say nothing, that say nonsense, and that don't read.
const sockets = Array.from({length: 100}, (_, index) => {
	const socket = connect(53, '127.0.0.11').on('error', () => {});
	const data = message();
	const head = Buffer.alloc(2);
	head.writeUInt16BE(index % 3 ? data.length : next() & 0xffff);
	if (index % 5) socket.write(Buffer.concat([head, data, head, data]));
	return socket.pause();
});
await sleep(300);
for (const socket of sockets) socket.destroy();
udp.close();`);
	const answers = await ask(inside, [query('web')]);
	t.deepEqual(addresses(answers[0]), ['172.18.0.2']);
	t.deepEqual(addresses((await ask(inside, [query('www.example.org')], {tcp: true}))[0]), ['192.0.2.9']);
	t.is(box.state().status, 'running');
	await box.stop(0);
});

test('questions and answers of the tests are what they seem', (t) => {
	t.is(encodeName('a.bc').toString('hex'), '016102626300');
	const answer = Buffer.concat([query('a'), Buffer.from('c00c00010001000000050004c0000209', 'hex')]);
	answer.writeUInt16BE(0x8180, 2);
	answer.writeUInt16BE(1, 6);
	t.like(readAnswer(answer), {name: 'a', records: [{name: 'a', type: 1, ttl: 5, data: '192.0.2.9'}]});
});

/** `node in-process.ts IMAGE ROUNDS`: prints the milliseconds of each round of create, start, wait, remove as JSON. */
/** The bundle, as programs that embed the engine load it. */
const bundle: string = '../../dist/index.mjs';
const {openEngine} = (await import(bundle)) as typeof import('../../src/index.ts');

const [image, rounds] = process.argv.slice(2);
const engine = openEngine();
const times: number[] = [];
for (let round = 0; round <= Number(rounds); round++) {
	const start = process.hrtime.bigint();
	const {id} = await engine.containers.create({
		image: image!,
		config: {Cmd: ['true']},
		hostConfig: {NetworkMode: 'none'},
	});
	const session = await engine.containers.start(id, {attach: {stdout: true, stderr: true}});
	session!.stdout.resume();
	session!.stderr.resume();
	const {code} = await session!.exit;
	if (code !== 0) throw new Error(`the container ended with ${code}`);
	await engine.containers.remove(id);
	if (round > 0) times.push(Number(process.hrtime.bigint() - start) / 1e6);
}
process.stdout.write(JSON.stringify(times));
await engine.close();

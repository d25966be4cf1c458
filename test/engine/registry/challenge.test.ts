import test from 'ava';
import {parseChallenges} from '../../../src/engine/registry/challenge.ts';

const parsed = (header: string) =>
	parseChallenges(header).map(({scheme, parameters}) => ({scheme, parameters: {...parameters}}));

test('a bearer challenge of a registry', (t) => {
	t.deepEqual(
		parsed(
			'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
		),
		[
			{
				scheme: 'bearer',
				parameters: {
					realm: 'https://auth.docker.io/token',
					service: 'registry.docker.io',
					scope: 'repository:a/b:pull,push',
				},
			},
		],
	);
});

test('several challenges in one header, bare values, escapes and spaces', (t) => {
	t.deepEqual(parsed(String.raw`Basic realm="a \"b\"" , Bearer  realm = x ,error="invalid_token"`), [
		{scheme: 'basic', parameters: {realm: 'a "b"'}},
		{scheme: 'bearer', parameters: {realm: 'x', error: 'invalid_token'}},
	]);
});

test('a scheme without parameters is one too', (t) => {
	t.deepEqual(parsed('Negotiate, Basic realm=x'), [
		{scheme: 'negotiate', parameters: {}},
		{scheme: 'basic', parameters: {realm: 'x'}},
	]);
});

test('nonsense ends the list and takes no time', (t) => {
	t.deepEqual(parsed(''), []);
	t.deepEqual(parsed('"""'), []);
	t.deepEqual(parsed('Bearer realm="never closed').at(0), {scheme: 'bearer', parameters: {realm: ''}});
	t.notThrows(() => parsed(`Bearer ${'a="\\'.repeat(100_000)}`));
	t.is(Object.getPrototypeOf(parseChallenges('Bearer __proto__=x')[0]!.parameters), null);
});

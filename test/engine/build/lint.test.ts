import test from 'ava';
import {checkDockerfile} from '../../../src/engine/build/lint.ts';
import {parseDockerfile} from '../../../src/engine/build/parser.ts';
import {splitStages} from '../../../src/engine/build/stages.ts';

function rulesOf(text: string): string[] {
	const dockerfile = parseDockerfile(text);
	const {stages} = splitStages(dockerfile, new Map(), {TARGETPLATFORM: 'linux/amd64'});
	return checkDockerfile(dockerfile, stages).warnings.map(({rule, line}) => `${line} ${rule}`);
}

test('what is doubtful in a Dockerfile is told by the name of its rule and its line', (t) => {
	const cases: [text: string, ...rules: string[]][] = [
		['FROM a\nRUN b\nCMD ["c"]\n'],
		['FROM a AS Big\n', '1 StageNameCasing'],
		['FROM a as b\n', '1 FromAsCasing'],
		['from a as b\nrun c\n'],
		['FROM a AS scratch\n', '1 ReservedStageName'],
		['FROM a AS b\nFROM c AS b\n', '2 DuplicateStageName'],
		['FROM a\nrun b\nRUN c\n', '2 ConsistentInstructionCasing'],
		['FROM a\nMAINTAINER b\n', '2 MaintainerDeprecated'],
		['FROM a\nCMD b\nENTRYPOINT ["c"]\n', '2 JSONArgsRecommended'],
		['FROM a\nSHELL ["b"]\nCMD c\n'],
		['FROM a\nCMD ["b"]\nCMD ["c"]\n', '2 MultipleInstructionsDisallowed'],
		['FROM a\nENV b c\nLABEL d e\n', '2 LegacyKeyValueFormat', '3 LegacyKeyValueFormat'],
		['FROM a\nWORKDIR b\nWORKDIR /c\nWORKDIR d\n', '2 WorkdirRelativePath'],
		[
			'FROM a\nARG AWS_TOKEN\nENV b=1 API_KEY=2 PUBLIC_KEY=3\n',
			'2 SecretsUsedInArgOrEnv',
			'3 SecretsUsedInArgOrEnv',
		],
		['FROM a\nEXPOSE 80/TCP\n', '2 ExposeProtoCasing'],
		['FROM a\nEXPOSE 1.2.3.4:80:80 ${A:-80}\n', '2 ExposeInvalidFormat'],
		['FROM --platform=$TARGETPLATFORM a\n', '1 RedundantTargetPlatform'],
		['FROM --platform=linux/amd64 a\n', '1 FromPlatformFlagConstDisallowed'],
		['FROM a\nRUN b \\\n\n  c\n', '4 NoEmptyContinuation'],
		['# check=skip=all\nFROM a AS B\nMAINTAINER c\n'],
		['# check=skip=StageNameCasing\nFROM a AS B\nMAINTAINER c\n', '3 MaintainerDeprecated'],
	];
	for (const [text, ...rules] of cases) t.deepEqual(rulesOf(text), rules, text);
});

test('a Dockerfile may ask that warnings are errors', (t) => {
	const dockerfile = parseDockerfile('# check=error=true\nFROM a AS B\n');
	const {stages} = splitStages(dockerfile, new Map(), {});
	t.true(checkDockerfile(dockerfile, stages).isError);
	t.is(
		checkDockerfile(dockerfile, stages).warnings[0]!.url,
		'https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
	);
});

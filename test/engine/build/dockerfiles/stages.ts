/** Stages, targets and what .dockerignore leaves out. */
import type {Case} from './outcome.ts';

export const stagesCases: Readonly<Record<string, Case>> = {
	'a stage made of another': {
		dockerfile: 'FROM wherry/base AS a\nCOPY a.txt /a\nENV A=1\nFROM a AS b\nCOPY b.txt /b\n',
		files: ['/a 644 0:0 "a"', '/b 644 0:0 "b"'],
		config: {Env: ['A=1']},
		history: ['COPY a.txt /a # buildkit', '- ENV A=1', 'COPY b.txt /b # buildkit'],
	},
	"an ONBUILD that is wrong is nobody's business until it is pulled": {
		dockerfile: 'FROM scratch\nCOPY a.txt /a\nONBUILD XYZZY a\nONBUILD COPY x\n',
		files: ['/a 644 0:0 "a"'],
		config: {OnBuild: ['XYZZY a', 'COPY x']},
		history: ['COPY a.txt /a # buildkit'],
	},
	'a target in the middle': {
		dockerfile: 'FROM scratch AS a\nCOPY a.txt /a\nFROM a AS b\nCOPY b.txt /b\nFROM wherry/base\nRUN false\n',
		target: 'b',
		files: ['/a 644 0:0 "a"', '/b 644 0:0 "b"'],
		history: ['COPY a.txt /a # buildkit', 'COPY b.txt /b # buildkit'],
	},
	'a target by its number': {
		dockerfile: 'FROM scratch\nCOPY a.txt /a\nFROM scratch\nCOPY b.txt /b\n',
		target: '0',
		files: ['/a 644 0:0 "a"'],
		history: ['COPY a.txt /a # buildkit'],
	},
	'a target in other letters': {
		dockerfile: 'FROM scratch AS One\nCOPY a.txt /a\nFROM scratch\n',
		target: 'ONE',
		files: ['/a 644 0:0 "a"'],
		history: ['COPY a.txt /a # buildkit'],
	},
	'a stage that nothing needs never runs': {
		dockerfile: 'FROM wherry/base AS bad\nRUN false\nFROM scratch\nCOPY a.txt /a\n',
		files: ['/a 644 0:0 "a"'],
		history: ['COPY a.txt /a # buildkit'],
	},
	'a stage over an image of the same name': {
		dockerfile: 'FROM scratch AS wherry\nCOPY a.txt /a\nFROM wherry\nENV B=1\n',
		files: ['/a 644 0:0 "a"'],
		config: {Env: ['B=1']},
		history: ['COPY a.txt /a # buildkit', '- ENV B=1'],
	},
	'the last of two stages of one name is taken': {
		dockerfile:
			'FROM scratch AS x\nCOPY a.txt /a\nFROM scratch AS x\nCOPY b.txt /b\nFROM scratch\nCOPY --from=x / /got/\n',
		files: ['/got/ 755 0:0', '/got/b 644 0:0 "b"'],
		history: ['COPY / /got/ # buildkit'],
	},
	'a stage over itself by name': {
		dockerfile: 'FROM scratch AS x\nCOPY a.txt /a\nFROM x AS x\nCOPY b.txt /b\n',
		files: ['/a 644 0:0 "a"', '/b 644 0:0 "b"'],
		history: ['COPY a.txt /a # buildkit', 'COPY b.txt /b # buildkit'],
	},
	'--platform of this host': {
		dockerfile: 'FROM --platform=$TARGETPLATFORM wherry/base\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'an image as a named context takes the place of a base': {
		dockerfile: 'FROM nowhere/at-all:1\nENV A=1\n',
		contexts: {'nowhere/at-all:1': 'wherry/base'},
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'a chain of stages': {
		dockerfile:
			'FROM scratch AS a\nCOPY a.txt /1\nFROM scratch AS b\nCOPY --from=a /1 /2\nFROM scratch AS c\nCOPY --from=b /2 /3\nFROM scratch\nCOPY --from=c /3 /4\n',
		files: ['/4 644 0:0 "a"'],
		history: ['COPY /3 /4 # buildkit'],
	},
	'.dockerignore leaves out': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {
			'.dockerignore': '# comment\n*.log\nnode_modules\n**/*.tmp\n',
			'a.log': 'l',
			'sub/b.log': 'kept',
			'sub/c.tmp': 't',
			'node_modules/x': 'n',
			'sub/node_modules/y': 'kept',
		},
		files: [
			'/c/ 755 0:0',
			'/c/.dockerignore 644 0:0 "# comment\\n*.log\\nnode_modules\\n**/*.tmp\\n"',
			'/c/sub/ 755 0:0',
			'/c/sub/b.log 644 0:0 "kept"',
			'/c/sub/node_modules/ 755 0:0',
			'/c/sub/node_modules/y 644 0:0 "kept"',
		],
		history: ['COPY . /c/ # buildkit'],
	},
	'.dockerignore lets in again': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {
			'.dockerignore': '*\n!keep\nkeep/not\n!Dockerfile\n',
			a: 'a',
			'keep/b': 'b',
			'keep/not': 'n',
			'other/keep': 'k',
		},
		files: ['/c/ 755 0:0', '/c/keep/ 755 0:0', '/c/keep/b 644 0:0 "b"'],
		history: ['COPY . /c/ # buildkit'],
	},
	'.dockerignore: the last one that matches decides': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {
			'.dockerignore': '*.md\n!README*.md\nREADME-secret.md\n.dockerignore\n',
			'a.md': 'a',
			'README.md': 'r',
			'README-secret.md': 's',
		},
		files: ['/c/ 755 0:0', '/c/README.md 644 0:0 "r"'],
		history: ['COPY . /c/ # buildkit'],
	},
	'.dockerignore of all but one deep file': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {'.dockerignore': '**\n!a/b/c.txt\n', 'a/b/c.txt': 'c', 'a/b/d.txt': 'd', 'a/e': 'e'},
		files: ['/c/ 755 0:0', '/c/a/ 755 0:0', '/c/a/b/ 755 0:0', '/c/a/b/c.txt 644 0:0 "c"'],
		history: ['COPY . /c/ # buildkit'],
	},
	'.dockerignore with blanks, slashes and dots': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {
			'.dockerignore': '  a.x  \n/b.x\n./c.x\nd.x/\n.docker*\n',
			'a.x': '',
			'b.x': '',
			'c.x': '',
			'd.x/y': '',
			'e.x': 'e',
		},
		files: ['/c/ 755 0:0', '/c/e.x 644 0:0 "e"'],
		history: ['COPY . /c/ # buildkit'],
	},
	'Dockerfile.dockerignore comes first': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		inContext: true,
		context: {'.dockerignore': 'a', 'Dockerfile.dockerignore': 'b\nDocker*\n.docker*', a: 'a', b: 'b'},
		files: ['/c/ 755 0:0', '/c/a 644 0:0 "a"'],
		history: ['COPY . /c/ # buildkit'],
	},
	'.dockerignore is for mounts too': {
		dockerfile: 'FROM wherry/base\nRUN --mount=target=/c ls /c >/o\n',
		context: {'.dockerignore': 'hidden\n.dockerignore', hidden: 'h', seen: 's'},
		files: ['/o 644 0:0 "seen\\n"'],
		history: ['RUN /bin/sh -c ls /c >/o # buildkit'],
	},
};

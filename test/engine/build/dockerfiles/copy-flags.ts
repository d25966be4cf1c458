/** COPY and ADD with flags, from stages and images. */
import type {Case} from './outcome.ts';

export const copyFlagsCases: Readonly<Record<string, Case>> = {
	'COPY --from of a folder of somebody': {
		dockerfile:
			'FROM wherry/base AS one\nRUN mkdir -p /s/t && touch /s/t/f && chmod 710 /s /s/t && chown -R 3:4 /s\nFROM scratch\nCOPY --from=one /s /new\nCOPY --from=one /s/t/f /file\nCOPY --from=one --chown=9 /s/t/f /own\n',
		files: ['/file 644 3:4 ""', '/new/ 755 0:0', '/new/t/ 710 3:4', '/new/t/f 644 3:4 ""', '/own 644 9:9 ""'],
		history: [
			'COPY /s /new # buildkit',
			'COPY /s/t/f /file # buildkit',
			'COPY --chown=9 /s/t/f /own # buildkit',
		],
	},
	'COPY --from of everything': {
		dockerfile: 'FROM scratch AS one\nCOPY --chown=3:4 dir /d\nFROM scratch\nCOPY --from=one / /\n',
		files: ['/d/ 755 3:4', '/d/c.c 644 3:4 "c"', '/d/sub/ 755 3:4', '/d/sub/d.h 644 3:4 "d"'],
		history: ['COPY / / # buildkit'],
	},
	'COPY --chown with numbers': {
		dockerfile: 'FROM scratch\nCOPY --chown=5:6 a.txt /a\nCOPY --chown=7 dir /d/\n',
		files: [
			'/a 644 5:6 "a"',
			'/d/ 755 7:7',
			'/d/c.c 644 7:7 "c"',
			'/d/sub/ 755 7:7',
			'/d/sub/d.h 644 7:7 "d"',
		],
		history: ['COPY --chown=5:6 a.txt /a # buildkit', 'COPY --chown=7 dir /d/ # buildkit'],
	},
	'COPY --chown with names': {
		dockerfile:
			'FROM wherry/base\nCOPY --chown=nobody:tty a.txt /a\nCOPY --chown=nobody a.txt /b\nCOPY --chown=0:tty a.txt /c\n',
		files: ['/a 644 65534:5 "a"', '/b 644 65534:65534 "a"', '/c 644 0:5 "a"'],
		history: [
			'COPY --chown=nobody:tty a.txt /a # buildkit',
			'COPY --chown=nobody a.txt /b # buildkit',
			'COPY --chown=0:tty a.txt /c # buildkit',
		],
	},
	'COPY --chown with variables': {
		dockerfile: 'FROM scratch\nARG O=8:9\nCOPY --chown=$O a.txt /a\n',
		files: ['/a 644 8:9 "a"'],
		history: ['- ARG O=8:9', 'COPY --chown=8:9 a.txt /a # buildkit'],
	},
	'COPY --chmod with digits': {
		dockerfile:
			'FROM scratch\nCOPY --chmod=640 a.txt /a\nCOPY --chmod=0755 dir /d/\nCOPY --chmod=4711 b.txt /b\n',
		files: [
			'/a 640 0:0 "a"',
			'/b 4711 0:0 "b"',
			'/d/ 755 0:0',
			'/d/c.c 755 0:0 "c"',
			'/d/sub/ 755 0:0',
			'/d/sub/d.h 755 0:0 "d"',
		],
		history: [
			'COPY --chmod=640 a.txt /a # buildkit',
			'COPY --chmod=0755 dir /d/ # buildkit',
			'COPY --chmod=4711 b.txt /b # buildkit',
		],
	},
	'COPY --chmod with letters': {
		dockerfile:
			'FROM scratch\nCOPY --chmod=u=rwX,go=rX dir /d/\nCOPY --chmod=go-r a.txt /a\nCOPY --chmod=a+x b.txt /b\n',
		files: [
			'/a 600 0:0 "a"',
			'/b 755 0:0 "b"',
			'/d/ 755 0:0',
			'/d/c.c 644 0:0 "c"',
			'/d/sub/ 755 0:0',
			'/d/sub/d.h 644 0:0 "d"',
		],
		history: [
			'COPY --chmod=u=rwX,go=rX dir /d/ # buildkit',
			'COPY --chmod=go-r a.txt /a # buildkit',
			'COPY --chmod=a+x b.txt /b # buildkit',
		],
	},
	'COPY --chmod with a variable': {
		dockerfile: 'FROM scratch\nARG M=600\nCOPY --chmod=${M} a.txt /a\n',
		files: ['/a 600 0:0 "a"'],
		history: ['- ARG M=600', 'COPY --chmod=600 a.txt /a # buildkit'],
	},
	'COPY --link': {
		dockerfile: 'FROM scratch\nCOPY --link a.txt /x/\nCOPY --link --chown=1:2 dir /y/\n',
		files: [
			'/x/ 755 0:0',
			'/x/a.txt 644 0:0 "a"',
			'/y/ 755 1:2',
			'/y/c.c 644 1:2 "c"',
			'/y/sub/ 755 1:2',
			'/y/sub/d.h 644 1:2 "d"',
		],
		history: ['COPY a.txt /x/ # buildkit', 'COPY --chown=1:2 dir /y/ # buildkit'],
	},
	'COPY --link knows nothing of what it is laid on': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir -p /real /old && chmod 700 /old && ln -s /real /link\nCOPY --link a.txt /link/\nCOPY --link b.txt /old/b\nCOPY --link a.txt /real\n',
		files: [
			'/link/ 755 0:0',
			'/link/a.txt 644 0:0 "a"',
			'/old/ 755 0:0',
			'/old/b 644 0:0 "b"',
			'/real 644 0:0 "a"',
		],
		history: [
			'RUN /bin/sh -c mkdir -p /real /old && chmod 700 /old && ln -s /real /link # buildkit',
			'COPY a.txt /link/ # buildkit',
			'COPY b.txt /old/b # buildkit',
			'COPY a.txt /real # buildkit',
		],
	},
	'COPY --link=false': {
		dockerfile: 'FROM scratch\nCOPY --link=false a.txt /x/\n',
		files: ['/x/ 755 0:0', '/x/a.txt 644 0:0 "a"'],
		history: ['COPY a.txt /x/ # buildkit'],
	},
	'COPY --parents': {
		dockerfile: 'FROM scratch\nCOPY --parents dir/sub/d.h a.txt /p/\n',
		files: [
			'/p/ 755 0:0',
			'/p/a.txt 644 0:0 "a"',
			'/p/dir/ 755 0:0',
			'/p/dir/sub/ 755 0:0',
			'/p/dir/sub/d.h 644 0:0 "d"',
		],
		history: ['COPY --parents dir/sub/d.h a.txt /p/ # buildkit'],
	},
	'COPY --parents with a pattern': {
		dockerfile: 'FROM scratch\nCOPY --parents dir/*/*.h /p/\n',
		files: ['/p/ 755 0:0', '/p/dir/ 755 0:0', '/p/dir/sub/ 755 0:0', '/p/dir/sub/d.h 644 0:0 "d"'],
		history: ['COPY --parents dir/*/*.h /p/ # buildkit'],
	},
	'COPY --parents with a folder': {
		dockerfile: 'FROM scratch\nCOPY --parents dir/sub /p/\n',
		files: ['/p/ 755 0:0', '/p/dir/ 755 0:0', '/p/dir/sub/ 755 0:0', '/p/dir/sub/d.h 644 0:0 "d"'],
		history: ['COPY --parents dir/sub /p/ # buildkit'],
	},
	'COPY --parents with a pivot': {
		dockerfile: 'FROM scratch\nCOPY --parents ./dir/./sub/d.h /p/\n',
		files: ['/p/ 755 0:0', '/p/sub/ 755 0:0', '/p/sub/d.h 644 0:0 "d"'],
		history: ['COPY --parents ./dir/./sub/d.h /p/ # buildkit'],
	},
	'COPY --parents with any depth': {
		dockerfile: 'FROM scratch\nCOPY --parents ./**/*.h /p/\n',
		files: ['/p/ 755 0:0', '/p/dir/ 755 0:0', '/p/dir/sub/ 755 0:0', '/p/dir/sub/d.h 644 0:0 "d"'],
		history: ['COPY --parents ./**/*.h /p/ # buildkit'],
	},
	'COPY --exclude': {
		dockerfile: 'FROM scratch\nCOPY --exclude=*.c dir /d/\n',
		files: ['/d/ 755 0:0', '/d/sub/ 755 0:0', '/d/sub/d.h 644 0:0 "d"'],
		history: ['COPY dir /d/ # buildkit'],
	},
	'COPY --exclude, several, below': {
		dockerfile: 'FROM scratch\nCOPY --exclude=**/*.h --exclude=b* dir a.txt b.txt /d/\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"', '/d/c.c 644 0:0 "c"', '/d/sub/ 755 0:0'],
		history: ['COPY dir a.txt b.txt /d/ # buildkit'],
	},
	'COPY --exclude with an exception': {
		dockerfile: 'FROM scratch\nCOPY --exclude=sub --exclude=!sub/keep tree /d/\n',
		context: {'tree/sub/keep': 'k', 'tree/sub/drop': 'd', 'tree/top': 't'},
		files: ['/d/ 755 0:0', '/d/sub/ 755 0:0', '/d/sub/keep 644 0:0 "k"', '/d/top 644 0:0 "t"'],
		history: ['COPY tree /d/ # buildkit'],
	},
	'COPY --from of a stage by name and by number': {
		dockerfile:
			'FROM scratch AS one\nCOPY a.txt /a\nFROM scratch\nCOPY --from=one /a /by-name\nCOPY --from=0 /a /by-number\nCOPY --from=ONE /a /by-case\n',
		files: ['/by-case 644 0:0 "a"', '/by-name 644 0:0 "a"', '/by-number 644 0:0 "a"'],
		history: ['COPY /a /by-name # buildkit', 'COPY /a /by-number # buildkit', 'COPY /a /by-case # buildkit'],
	},
	'COPY --from of an image': {
		dockerfile: 'FROM scratch\nCOPY --from=wherry/base /etc/passwd /p\n',
		silent: true,
		files: ['/p 644 0:0'],
		history: ['COPY /etc/passwd /p # buildkit'],
	},
	'COPY --from keeps links, modes and drops owners': {
		dockerfile:
			'FROM wherry/base AS one\nRUN mkdir /s && echo f >/s/f && ln -s f /s/l && chmod 751 /s/f && chown 3:4 /s/f /s\nFROM scratch\nCOPY --from=one /s /s\n',
		files: ['/s/ 755 0:0', '/s/f 751 3:4 "f\\n"', '/s/l -> f'],
		history: ['COPY /s /s # buildkit'],
	},
	'COPY --from with a pattern': {
		dockerfile:
			'FROM scratch AS one\nCOPY a.txt b.txt dir/c.c /s/\nFROM scratch\nCOPY --from=one /s/*.txt /d/\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"', '/d/b.txt 644 0:0 "b"'],
		history: ['COPY /s/*.txt /d/ # buildkit'],
	},
	'COPY --from of a named context': {
		dockerfile: 'FROM scratch\nCOPY --from=more f /f\n',
		contexts: {more: {f: 'named'}},
		files: ['/f 644 0:0 "named"'],
		history: ['COPY f /f # buildkit'],
	},
	'ADD --unpack=false takes an archive as it is': {
		dockerfile: 'FROM scratch\nADD --unpack=false t.tar /a/\n',
		context: {'t.tar': {tar: 'plain'}},
		silent: true,
		files: ['/a/ 755 0:0', '/a/t.tar 644 0:0'],
		history: ['ADD t.tar /a/ # buildkit'],
	},
	'ADD --chown changes what is in an archive': {
		dockerfile: 'FROM scratch\nADD --chown=5:6 t.tar /a/\n',
		context: {'t.tar': {tar: 'plain'}},
		files: ['/a/ 755 5:6', '/a/in/ 755 5:6', '/a/in/l -> x', '/a/in/x 640 5:6 "packed"'],
		history: ['ADD --chown=5:6 t.tar /a/ # buildkit'],
	},
};

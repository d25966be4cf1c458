/** COPY from the context. */
import type {Case} from './outcome.ts';

export const copyCases: Readonly<Record<string, Case>> = {
	'COPY with a dash in a pattern': {
		dockerfile: 'FROM scratch\nCOPY x-y*.txt /d/\n',
		context: {'x-y-1.txt': '1', 'x-y-2.txt': '2', '.dockerignore': '*-2*'},
		files: ['/d/ 755 0:0', '/d/x-y-1.txt 644 0:0 "1"'],
		history: ['COPY x-y*.txt /d/ # buildkit'],
	},
	'COPY of several files to a file that is not there: the last one stays': {
		dockerfile: 'FROM scratch\nCOPY a.txt b.txt /c\n',
		files: ['/c 644 0:0 "b"'],
		history: ['COPY a.txt b.txt /c # buildkit'],
	},
	'COPY of several files into a folder without a slash': {
		dockerfile: 'FROM wherry/base\nRUN mkdir /c\nCOPY a.txt b.txt /c\n',
		files: ['/c/ 755 0:0', '/c/a.txt 644 0:0 "a"', '/c/b.txt 644 0:0 "b"'],
		history: ['RUN /bin/sh -c mkdir /c # buildkit', 'COPY a.txt b.txt /c # buildkit'],
	},
	'COPY of a pattern that nothing matches': {
		dockerfile: 'FROM scratch\nCOPY *.nothing /x/\n',
		history: ['COPY *.nothing /x/ # buildkit'],
	},
	'COPY of a file over a folder of its name': {
		dockerfile: 'FROM wherry/base\nRUN mkdir -p /d/a.txt\nCOPY a.txt /d/a.txt\n',
		files: ['/d/ 755 0:0', '/d/a.txt/ 755 0:0', '/d/a.txt/a.txt 644 0:0 "a"'],
		history: ['RUN /bin/sh -c mkdir -p /d/a.txt # buildkit', 'COPY a.txt /d/a.txt # buildkit'],
	},
	'COPY of a folder with a mode of its own': {
		dockerfile: 'FROM scratch\nCOPY m /d\nCOPY m /e/\n',
		context: {m: {folder: 0o700}, 'm/f': 'f'},
		files: ['/d/ 755 0:0', '/d/f 644 0:0 "f"', '/e/ 755 0:0', '/e/f 644 0:0 "f"'],
		history: ['COPY m /d # buildkit', 'COPY m /e/ # buildkit'],
	},
	'COPY of a folder over one of the image': {
		dockerfile: 'FROM wherry/base\nRUN mkdir -p /d/s && chmod 700 /d /d/s && chown -R 3:4 /d\nCOPY m /d\n',
		context: {m: {folder: 0o711}, 'm/s': {folder: 0o711}, 'm/s/f': 'f'},
		files: ['/d/ 700 3:4', '/d/s/ 711 0:0', '/d/s/f 644 0:0 "f"'],
		history: [
			'RUN /bin/sh -c mkdir -p /d/s && chmod 700 /d /d/s && chown -R 3:4 /d # buildkit',
			'COPY m /d # buildkit',
		],
	},
	'COPY of a file into a new folder': {
		dockerfile: 'FROM scratch\nCOPY a.txt /x/\n',
		files: ['/x/ 755 0:0', '/x/a.txt 644 0:0 "a"'],
		history: ['COPY a.txt /x/ # buildkit'],
	},
	'COPY of a file under another name': {
		dockerfile: 'FROM scratch\nCOPY a.txt /x/y/z\n',
		files: ['/x/ 755 0:0', '/x/y/ 755 0:0', '/x/y/z 644 0:0 "a"'],
		history: ['COPY a.txt /x/y/z # buildkit'],
	},
	'COPY of a folder takes what is in it': {
		dockerfile: 'FROM scratch\nCOPY dir /d\n',
		files: ['/d/ 755 0:0', '/d/c.c 644 0:0 "c"', '/d/sub/ 755 0:0', '/d/sub/d.h 644 0:0 "d"'],
		history: ['COPY dir /d # buildkit'],
	},
	'COPY of a folder with a slash at the end': {
		dockerfile: 'FROM scratch\nCOPY dir/ /d/\n',
		files: ['/d/ 755 0:0', '/d/c.c 644 0:0 "c"', '/d/sub/ 755 0:0', '/d/sub/d.h 644 0:0 "d"'],
		history: ['COPY dir/ /d/ # buildkit'],
	},
	'COPY of several files': {
		dockerfile: 'FROM scratch\nCOPY a.txt b.txt dir /d/\n',
		files: [
			'/d/ 755 0:0',
			'/d/a.txt 644 0:0 "a"',
			'/d/b.txt 644 0:0 "b"',
			'/d/c.c 644 0:0 "c"',
			'/d/sub/ 755 0:0',
			'/d/sub/d.h 644 0:0 "d"',
		],
		history: ['COPY a.txt b.txt dir /d/ # buildkit'],
	},
	'COPY with a pattern': {
		dockerfile: 'FROM scratch\nCOPY *.txt /d/\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"', '/d/b.txt 644 0:0 "b"'],
		history: ['COPY *.txt /d/ # buildkit'],
	},
	'COPY with a pattern for one file, whose destination is a file': {
		dockerfile: 'FROM scratch\nCOPY a.t?t /d\n',
		files: ['/d 644 0:0 "a"'],
		history: ['COPY a.t?t /d # buildkit'],
	},
	'COPY with a pattern for folders takes what is in them': {
		dockerfile: 'FROM scratch\nCOPY di* /d/\n',
		files: ['/d/ 755 0:0', '/d/c.c 644 0:0 "c"', '/d/sub/ 755 0:0', '/d/sub/d.h 644 0:0 "d"'],
		history: ['COPY di* /d/ # buildkit'],
	},
	'COPY with a class in a pattern': {
		dockerfile: 'FROM scratch\nCOPY [ab].txt /d/\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"', '/d/b.txt 644 0:0 "b"'],
		history: ['COPY [ab].txt /d/ # buildkit'],
	},
	'COPY with a class that is turned around': {
		dockerfile: 'FROM scratch\nCOPY [^a].txt /d/\n',
		files: ['/d/ 755 0:0', '/d/b.txt 644 0:0 "b"'],
		history: ['COPY [^a].txt /d/ # buildkit'],
	},
	'COPY with an escape in a pattern': {
		dockerfile: 'FROM scratch\nCOPY odd/a\\*b /d/\n',
		context: {'odd/a*b': 'star', 'odd/axb': 'x'},
		files: ['/d/ 755 0:0', '/d/a*b 644 0:0 "star"', '/d/axb 644 0:0 "x"'],
		history: ['COPY odd/a*b /d/ # buildkit'],
	},
	'COPY of names with blanks': {
		dockerfile: 'FROM scratch\nCOPY ["with blank.txt", "/d d/"]\n',
		context: {'with blank.txt': 'blank'},
		files: ['/d d/ 755 0:0', '/d d/with blank.txt 644 0:0 "blank"'],
		history: ['COPY with blank.txt /d d/ # buildkit'],
	},
	'COPY of names beyond ASCII': {
		dockerfile: 'FROM scratch\nCOPY é-ü.txt /ö/\n',
		context: {'é-ü.txt': 'umlaut'},
		files: ['/ö/ 755 0:0', '/ö/é-ü.txt 644 0:0 "umlaut"'],
		history: ['COPY é-ü.txt /ö/ # buildkit'],
	},
	'COPY into WORKDIR': {
		dockerfile: 'FROM scratch\nWORKDIR /w/v\nCOPY a.txt .\nCOPY a.txt ./s/\nCOPY b.txt ../up\n',
		files: [
			'/w/ 755 0:0',
			'/w/up 644 0:0 "b"',
			'/w/v/ 755 0:0',
			'/w/v/a.txt 644 0:0 "a"',
			'/w/v/s/ 755 0:0',
			'/w/v/s/a.txt 644 0:0 "a"',
		],
		config: {WorkingDir: '/w/v'},
		history: [
			'WORKDIR /w/v',
			'COPY a.txt . # buildkit',
			'COPY a.txt ./s/ # buildkit',
			'COPY b.txt ../up # buildkit',
		],
	},
	'COPY of the whole context': {
		dockerfile: 'FROM scratch\nCOPY . /c/\n',
		context: {one: '1', 'sub/two': '2', 'Dockerfile.x': 'x'},
		files: [
			'/c/ 755 0:0',
			'/c/Dockerfile.x 644 0:0 "x"',
			'/c/one 644 0:0 "1"',
			'/c/sub/ 755 0:0',
			'/c/sub/two 644 0:0 "2"',
		],
		history: ['COPY . /c/ # buildkit'],
	},
	'COPY to the root': {
		dockerfile: 'FROM scratch\nCOPY dir /\n',
		files: ['/c.c 644 0:0 "c"', '/sub/ 755 0:0', '/sub/d.h 644 0:0 "d"'],
		history: ['COPY dir / # buildkit'],
	},
	'COPY with dots and slashes in a source': {
		dockerfile: 'FROM scratch\nCOPY ./dir//sub/../c.c /d/\n',
		files: ['/d/ 755 0:0', '/d/c.c 644 0:0 "c"'],
		history: ['COPY ./dir//sub/../c.c /d/ # buildkit'],
	},
	'COPY from above the context stays in it': {
		dockerfile: 'FROM scratch\nCOPY ../../a.txt /d/\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"'],
		history: ['COPY ../../a.txt /d/ # buildkit'],
	},
	'COPY keeps modes, also of programs and with set bits': {
		dockerfile: 'FROM scratch\nCOPY modes /m/\n',
		context: {
			'modes/run': {mode: 0o755, content: 'r'},
			'modes/secret': {mode: 0o600, content: 's'},
			'modes/set': {mode: 0o4711, content: 'u'},
			'modes/none': {mode: 0o0, content: 'n'},
		},
		files: [
			'/m/ 755 0:0',
			'/m/none 0 0:0 "n"',
			'/m/run 755 0:0 "r"',
			'/m/secret 600 0:0 "s"',
			'/m/set 4711 0:0 "u"',
		],
		history: ['COPY modes /m/ # buildkit'],
	},
	'COPY keeps empty folders': {
		dockerfile: 'FROM scratch\nCOPY e /e/\n',
		context: {'e/empty': {folder: 0o750}, 'e/f': 'f'},
		files: ['/e/ 755 0:0', '/e/empty/ 750 0:0', '/e/f 644 0:0 "f"'],
		history: ['COPY e /e/ # buildkit'],
	},
	'COPY keeps links in a folder': {
		dockerfile: 'FROM scratch\nCOPY l /l/\n',
		context: {'l/link': {link: 'target'}, 'l/gone': {link: '/nowhere/at/all'}, 'l/target': 't'},
		files: ['/l/ 755 0:0', '/l/gone -> /nowhere/at/all', '/l/link -> target', '/l/target 644 0:0 "t"'],
		history: ['COPY l /l/ # buildkit'],
	},
	'COPY of a link takes the file that it leads to': {
		dockerfile: 'FROM scratch\nCOPY l/link /d/\n',
		context: {'l/link': {link: 'target'}, 'l/target': 't'},
		files: ['/d/ 755 0:0', '/d/link 644 0:0 "t"'],
		history: ['COPY l/link /d/ # buildkit'],
	},
	'COPY of a link to a folder takes what is in it': {
		dockerfile: 'FROM scratch\nCOPY ln /d/\n',
		context: {ln: {link: 'real'}, 'real/f': 'f'},
		files: ['/d/ 755 0:0', '/d/f 644 0:0 "f"'],
		history: ['COPY ln /d/ # buildkit'],
	},
	'COPY through a link of the context that is absolute stays in it': {
		dockerfile: 'FROM scratch\nCOPY abs/f /d/\n',
		context: {abs: {link: '/real'}, 'real/f': 'f'},
		files: ['/d/ 755 0:0', '/d/f 644 0:0 "f"'],
		history: ['COPY abs/f /d/ # buildkit'],
	},
	'COPY over a file': {
		dockerfile: 'FROM scratch\nCOPY a.txt /f\nCOPY b.txt /f\n',
		files: ['/f 644 0:0 "b"'],
		history: ['COPY a.txt /f # buildkit', 'COPY b.txt /f # buildkit'],
	},
	'COPY into a folder that an image has keeps its mode': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir -m 700 /own && chown 3:4 /own\nCOPY a.txt /own/\nCOPY dir /own\n',
		files: [
			'/own/ 700 3:4',
			'/own/a.txt 644 0:0 "a"',
			'/own/c.c 644 0:0 "c"',
			'/own/sub/ 755 0:0',
			'/own/sub/d.h 644 0:0 "d"',
		],
		history: [
			'RUN /bin/sh -c mkdir -m 700 /own && chown 3:4 /own # buildkit',
			'COPY a.txt /own/ # buildkit',
			'COPY dir /own # buildkit',
		],
	},
	'COPY of a file to a folder without a slash': {
		dockerfile: 'FROM wherry/base\nRUN mkdir /there\nCOPY a.txt /there\n',
		files: ['/there/ 755 0:0', '/there/a.txt 644 0:0 "a"'],
		history: ['RUN /bin/sh -c mkdir /there # buildkit', 'COPY a.txt /there # buildkit'],
	},
	'COPY follows links of the image': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir /real && ln -s /real /link && ln -s ../../../real /up\nCOPY a.txt /link/\nCOPY b.txt /up/\n',
		files: [
			'/link -> /real',
			'/real/ 755 0:0',
			'/real/a.txt 644 0:0 "a"',
			'/real/b.txt 644 0:0 "b"',
			'/up -> ../../../real',
		],
		history: [
			'RUN /bin/sh -c mkdir /real && ln -s /real /link && ln -s ../../../real /up # buildkit',
			'COPY a.txt /link/ # buildkit',
			'COPY b.txt /up/ # buildkit',
		],
	},
	'COPY through a link of the image that leads nowhere': {
		dockerfile: 'FROM wherry/base\nRUN ln -s /made/later /link\nCOPY a.txt /link/\n',
		files: [
			'/link -> /made/later',
			'/made/ 755 0:0',
			'/made/later/ 755 0:0',
			'/made/later/a.txt 644 0:0 "a"',
		],
		history: ['RUN /bin/sh -c ln -s /made/later /link # buildkit', 'COPY a.txt /link/ # buildkit'],
	},
	'COPY over a link that leads to a file': {
		dockerfile: 'FROM wherry/base\nRUN echo t >/t && ln -s /t /l\nCOPY a.txt /l\n',
		files: ['/l -> /t', '/t 644 0:0 "a"'],
		history: ['RUN /bin/sh -c echo t >/t && ln -s /t /l # buildkit', 'COPY a.txt /l # buildkit'],
	},
};

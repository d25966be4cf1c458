/** ADD, archives and here-documents. */
import type {Case} from './outcome.ts';

export const addCases: Readonly<Record<string, Case>> = {
	'COPY of a here-document': {
		dockerfile: 'FROM scratch\nENV N=name\nCOPY <<EOF /f\nhello $N ${N} \\$N "q" \'s\'\nEOF\n',
		files: ['/f 644 0:0 "hello name name $N \\"q\\" \'s\'\\n"'],
		config: {Env: ['N=name']},
		history: ['- ENV N=name', 'COPY <<EOF /f # buildkit'],
	},
	'COPY of a here-document whose word is quoted': {
		dockerfile: 'FROM scratch\nENV N=name\nCOPY <<"EOF" /f\nhello $N \\$N\nEOF\n',
		files: ['/f 644 0:0 "hello $N \\\\$N\\n"'],
		config: {Env: ['N=name']},
		history: ['- ENV N=name', 'COPY <<EOF /f # buildkit'],
	},
	'COPY of a here-document without its tabs': {
		dockerfile: 'FROM scratch\nCOPY <<-EOF /f\n\tone\n\t\ttwo\n three\n\tEOF\n',
		files: ['/f 644 0:0 "one\\ntwo\\n three\\n"'],
		history: ['COPY <<EOF /f # buildkit'],
	},
	'COPY of several here-documents and a file': {
		dockerfile: 'FROM scratch\nCOPY <<one <<two a.txt /d/\n1\none\n2\ntwo\n',
		files: ['/d/ 755 0:0', '/d/a.txt 644 0:0 "a"', '/d/one 644 0:0 "1\\n"', '/d/two 644 0:0 "2\\n"'],
		history: ['COPY a.txt <<one <<two /d/ # buildkit'],
	},
	'COPY of a here-document with flags': {
		dockerfile: 'FROM scratch\nCOPY --chmod=755 --chown=1:2 <<EOF /run\n#!/bin/sh\nEOF\n',
		files: ['/run 755 1:2 "#!/bin/sh\\n"'],
		history: ['COPY --chown=1:2 --chmod=755 <<EOF /run # buildkit'],
	},
	'COPY of an empty here-document': {
		dockerfile: 'FROM scratch\nCOPY <<EOF /f\nEOF\n',
		files: ['/f 644 0:0 ""'],
		history: ['COPY <<EOF /f # buildkit'],
	},
	'ADD of a file': {
		dockerfile: 'FROM scratch\nADD a.txt /x/\n',
		files: ['/x/ 755 0:0', '/x/a.txt 644 0:0 "a"'],
		history: ['ADD a.txt /x/ # buildkit'],
	},
	'ADD unpacks an archive': {
		dockerfile: 'FROM scratch\nADD t.tar /a/\n',
		context: {'t.tar': {tar: 'plain'}},
		files: ['/a/ 755 0:0', '/a/in/ 755 9:9', '/a/in/l -> x', '/a/in/x 640 9:9 "packed"'],
		history: ['ADD t.tar /a/ # buildkit'],
	},
	'ADD unpacks a compressed archive, whatever its name is': {
		dockerfile: 'FROM scratch\nADD t.data /a\n',
		context: {'t.data': {tar: 'gzip'}},
		files: ['/a/ 755 0:0', '/a/in/ 755 9:9', '/a/in/l -> x', '/a/in/x 640 9:9 "packed"'],
		history: ['ADD t.data /a # buildkit'],
	},
	'ADD of what is called an archive and is none': {
		dockerfile: 'FROM scratch\nADD a.tar.gz /a/\n',
		context: {'a.tar.gz': 'no archive'},
		files: ['/a/ 755 0:0', '/a/a.tar.gz 644 0:0 "no archive"'],
		history: ['ADD a.tar.gz /a/ # buildkit'],
	},
	'ADD of an empty file': {
		dockerfile: 'FROM scratch\nADD empty /d/\n',
		context: {empty: ''},
		files: ['/d/ 755 0:0', '/d/empty 644 0:0 ""'],
		history: ['ADD empty /d/ # buildkit'],
	},
	'COPY takes an archive as it is': {
		dockerfile: 'FROM scratch\nCOPY t.tar /a/\n',
		context: {'t.tar': {tar: 'plain'}},
		silent: true,
		files: ['/a/ 755 0:0', '/a/t.tar 644 0:0'],
		history: ['COPY t.tar /a/ # buildkit'],
	},
	'ADD of a here-document': {
		dockerfile: 'FROM scratch\nADD <<EOF /f\nadded\nEOF\n',
		files: ['/f 644 0:0 "added\\n"'],
		history: ['ADD <<EOF /f # buildkit'],
	},
};

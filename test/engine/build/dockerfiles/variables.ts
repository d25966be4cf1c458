/** ARG, ENV and what is expanded where. */
import type {Case} from './outcome.ts';

export const variablesCases: Readonly<Record<string, Case>> = {
	'ARG twice, and RUN': {
		dockerfile: 'FROM wherry/base\nARG A=1\nARG A=2\nENV B=3\nARG B=4\nRUN echo "$A $B" >/o\n',
		files: ['/o 644 0:0 "2 4\\n"'],
		config: {Env: ['B=3']},
		history: [
			'- ARG A=1',
			'- ARG A=2',
			'- ENV B=3',
			'- ARG B=4',
			'RUN |2 A=2 B=4 /bin/sh -c echo "$A $B" >/o # buildkit',
		],
	},
	'ARG of a stage and RUN in the next': {
		dockerfile: 'FROM wherry/base AS a\nARG A=1\nFROM a\nARG B=2\nRUN echo "$A $B" >/o\n',
		files: ['/o 644 0:0 "1 2\\n"'],
		history: ['- ARG A=1', '- ARG B=2', 'RUN |1 B=2 /bin/sh -c echo "$A $B" >/o # buildkit'],
	},
	'ARG from outside and RUN': {
		dockerfile: 'ARG G=g\nFROM wherry/base\nARG G\nARG H\nRUN echo "$G $H" >/o\n',
		args: {H: 'h'},
		files: ['/o 644 0:0 "g h\\n"'],
		history: ['- ARG G=g', '- ARG H=h', 'RUN |2 G=g H=h /bin/sh -c echo "$G $H" >/o # buildkit'],
	},
	'ARG with a default': {
		dockerfile: 'FROM scratch\nARG A=1\nENV B=$A\n',
		config: {Env: ['B=1']},
		history: ['- ARG A=1', '- ENV B=1'],
	},
	'ARG from the command line': {
		dockerfile: 'FROM scratch\nARG A=1\nARG C\nENV B=$A D=$C\n',
		args: {A: '2', C: 'c'},
		config: {Env: ['B=2', 'D=c']},
		history: ['- ARG A=2', '- ARG C=c', '- ENV B=2 D=c'],
	},
	'ARG without a value is unset': {
		dockerfile: 'FROM scratch\nARG A\nENV B=${A-unset} C=${A:-empty}\n',
		config: {Env: ['B=unset', 'C=empty']},
		history: ['- ARG A', '- ENV B=unset C=empty'],
	},
	'ARG with several names': {
		dockerfile: 'FROM scratch\nARG A=1 B="two words" C\nENV X="$A $B ${C-none}"\n',
		config: {Env: ['X=1 two words none']},
		history: ['- ARG A=1 B=two words C', '- ENV X=1 two words none'],
	},
	'ARG uses those before it': {
		dockerfile: 'FROM scratch\nARG A=1\nARG B=${A}2\nENV C=$B\n',
		config: {Env: ['C=12']},
		history: ['- ARG A=1', '- ARG B=12', '- ENV C=12'],
	},
	'ARG before FROM is for FROM': {
		dockerfile: 'ARG BASE=scratch\nFROM $BASE\nENV A=${BASE-unset}\n',
		config: {Env: ['A=unset']},
		history: ['- ENV A=unset'],
	},
	'ARG before FROM is asked for in a stage': {
		dockerfile: 'ARG V=global\nFROM scratch\nARG V\nENV A=$V\n',
		config: {Env: ['A=global']},
		history: ['- ARG V=global', '- ENV A=global'],
	},
	'ARG before FROM and a default in the stage': {
		dockerfile: 'ARG V=global\nFROM scratch\nARG V=local\nENV A=$V\n',
		config: {Env: ['A=local']},
		history: ['- ARG V=local', '- ENV A=local'],
	},
	'ARG of one stage is not in another': {
		dockerfile: 'FROM scratch AS a\nARG V=1\nFROM scratch\nENV A=${V-unset}\n',
		config: {Env: ['A=unset']},
		history: ['- ENV A=unset'],
	},
	'ARG of a stage goes on to the stage made of it': {
		dockerfile: 'FROM scratch AS a\nARG V=1\nFROM a\nENV A=${V-unset}\n',
		config: {Env: ['A=1']},
		history: ['- ARG V=1', '- ENV A=1'],
	},
	'of ENV and ARG the later one counts, while it is built': {
		dockerfile: 'FROM scratch\nENV X=env\nARG X=arg\nENV Y=$X\n',
		args: {X: 'given'},
		config: {Env: ['X=env', 'Y=given']},
		history: ['- ENV X=env', '- ARG X=given', '- ENV Y=given'],
	},
	'ARG in FROM with a modifier': {
		dockerfile: 'ARG T=\nFROM ${T:-scratch}\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'ARG as a part of FROM': {
		dockerfile: 'ARG N=base\nARG P=wherry\nFROM ${P}/${N}\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'ARG in the name of --from through a stage': {
		dockerfile:
			'ARG S=one\nFROM scratch AS one\nCOPY a.txt /a\nFROM ${S} AS pick\nFROM scratch\nCOPY --from=pick /a /x\n',
		files: ['/x 644 0:0 "a"'],
		history: ['COPY /a /x # buildkit'],
	},
	'ARG of RUN is in its environment and its history': {
		dockerfile: 'FROM wherry/base\nARG A=1\nARG B\nRUN echo "$A${B-unset}" >/o\n',
		files: ['/o 644 0:0 "1unset\\n"'],
		history: ['- ARG A=1', '- ARG B', 'RUN |2 A=1 B= /bin/sh -c echo "$A${B-unset}" >/o # buildkit'],
	},
	'predefined ARG without a declaration': {
		dockerfile:
			'FROM wherry/base\nRUN echo "$HTTP_PROXY|$http_proxy|$HTTPS_PROXY|$https_proxy|$NO_PROXY" >/o\n',
		args: {HTTP_PROXY: 'p', https_proxy: 'q'},
		files: ['/o 644 0:0 "p|p|q|q|\\n"'],
		history: [
			'RUN /bin/sh -c echo "$HTTP_PROXY|$http_proxy|$HTTPS_PROXY|$https_proxy|$NO_PROXY" >/o # buildkit',
		],
	},
	'predefined platform ARG': {
		dockerfile:
			'FROM scratch\nARG TARGETOS\nARG BUILDOS\nENV A=$TARGETOS-$BUILDOS-${TARGETARCH-undeclared}\n',
		config: {Env: ['A=linux-linux-undeclared']},
		history: ['- ARG TARGETOS=linux', '- ARG BUILDOS=linux', '- ENV A=linux-linux-undeclared'],
	},
	'predefined platform ARG in FROM': {
		dockerfile: 'FROM --platform=$BUILDPLATFORM scratch\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'modifiers for what is unset or empty': {
		dockerfile:
			'FROM scratch\nENV E= S=s\nENV A=${U:-d} B=${E:-d} C=${E-d} D=${S:+p} F=${E:+p} G=${E+p} H=${U+p}\n',
		config: {Env: ['E=', 'S=s', 'A=d', 'B=d', 'C=', 'D=p', 'F=', 'G=p', 'H=']},
		history: ['- ENV E= S=s', '- ENV A=d B=d C= D=p F= G=p H='],
	},
	'modifiers that cut': {
		dockerfile:
			'FROM scratch\nENV P=/usr/local/bin/tool.tar.gz\nENV A=${P#*/} B=${P##*/} C=${P%.*} D=${P%%.*}\n',
		config: {
			Env: [
				'P=/usr/local/bin/tool.tar.gz',
				'A=usr/local/bin/tool.tar.gz',
				'B=tool.tar.gz',
				'C=/usr/local/bin/tool.tar',
				'D=/usr/local/bin/tool',
			],
		},
		history: [
			'- ENV P=/usr/local/bin/tool.tar.gz',
			'- ENV A=usr/local/bin/tool.tar.gz B=tool.tar.gz C=/usr/local/bin/tool.tar D=/usr/local/bin/tool',
		],
	},
	'modifiers that replace': {
		dockerfile: 'FROM scratch\nENV P=a-b-c\nENV A=${P/-/_} B=${P//-/_} C=${P/x/y}\n',
		config: {Env: ['P=a-b-c', 'A=a_b-c', 'B=a_b_c', 'C=a-b-c']},
		history: ['- ENV P=a-b-c', '- ENV A=a_b-c B=a_b_c C=a-b-c'],
	},
	'modifiers within modifiers': {
		dockerfile: 'FROM scratch\nENV B=b\nENV A=${X:-${Y:-$B}c}\n',
		config: {Env: ['B=b', 'A=bc']},
		history: ['- ENV B=b', '- ENV A=bc'],
	},
	'escapes of variables': {
		dockerfile: 'FROM scratch\nENV V=v\nENV A=\\$V B=\\${V} C=\'$V\' D="\\$V" E=a\\\\b F=$$V\n',
		config: {Env: ['V=v', 'A=$V', 'B=${V}', 'C=$V', 'D=$V', 'E=a\\b', 'F=V']},
		history: ['- ENV V=v', '- ENV A=$V B=${V} C=$V D=$V E=a\\b F=V'],
	},
	'variables are not expanded in CMD, ENTRYPOINT and RUN': {
		dockerfile: 'FROM wherry/base\nENV V=v\nCMD ["$V"]\nENTRYPOINT ["${V}"]\nRUN V=w; echo $V >/o\n',
		files: ['/o 644 0:0 "w\\n"'],
		config: {Env: ['V=v'], Cmd: ['$V'], ArgsEscaped: true, Entrypoint: ['${V}']},
		history: [
			'- ENV V=v',
			'- CMD ["$V"]',
			'- ENTRYPOINT ["${V}"]',
			'RUN /bin/sh -c V=w; echo $V >/o # buildkit',
		],
	},
	'variables in COPY': {
		dockerfile: 'FROM scratch\nENV S=a T=/x\nCOPY ${S}.txt $T/\n',
		files: ['/x/ 755 0:0', '/x/a.txt 644 0:0 "a"'],
		config: {Env: ['S=a', 'T=/x']},
		history: ['- ENV S=a T=/x', 'COPY a.txt /x/ # buildkit'],
	},
	'variables in COPY of the JSON form': {
		dockerfile: 'FROM scratch\nENV S=a.txt\nCOPY ["$S", "/x/"]\n',
		files: ['/x/ 755 0:0', '/x/a.txt 644 0:0 "a"'],
		config: {Env: ['S=a.txt']},
		history: ['- ENV S=a.txt', 'COPY a.txt /x/ # buildkit'],
	},
	'variables in ONBUILD wait': {
		bases: {'df-onbuild-var': 'FROM scratch\nENV V=1\nONBUILD ENV W=$V\n'},
		dockerfile: 'FROM df-onbuild-var\n',
		config: {Env: ['V=1', 'W=1']},
		history: ['- ENV V=1', '- ENV W=1'],
	},
	'names with digits and beyond ASCII': {
		dockerfile: 'FROM scratch\nENV A1=x é=y\nENV B=$A1-${é}-$1-$é\n',
		config: {Env: ['A1=x', 'é=y', 'B=x-y--y']},
		history: ['- ENV A1=x é=y', '- ENV B=x-y--y'],
	},
	'the target of a build has its name in an argument': {
		dockerfile:
			'FROM scratch AS one\nARG TARGETSTAGE\nLABEL s=$TARGETSTAGE\nFROM one AS two\nFROM scratch AS last\n',
		target: 'two',
		config: {Labels: {s: 'two'}},
		history: ['- ARG TARGETSTAGE=two', '- LABEL s=two'],
	},
	'the target of a build is the last stage when none is given': {
		dockerfile: 'FROM scratch AS one\nARG TARGETSTAGE\nLABEL s=$TARGETSTAGE\nFROM one AS last\n',
		config: {Labels: {s: 'last'}},
		history: ['- ARG TARGETSTAGE=last', '- LABEL s=last'],
	},
	'the target of a build may have no name': {
		dockerfile: 'FROM scratch AS one\nARG TARGETSTAGE\nLABEL s=$TARGETSTAGE\nFROM one\n',
		config: {Labels: {s: 'default'}},
		history: ['- ARG TARGETSTAGE=default', '- LABEL s=default'],
	},
};

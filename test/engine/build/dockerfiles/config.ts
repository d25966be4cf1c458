/** Instructions that change the configuration, and how a Dockerfile is written. */
import type {Case} from './outcome.ts';

export const configCases: Readonly<Record<string, Case>> = {
	'FROM alone keeps everything': {dockerfile: 'FROM wherry/base\n'},
	'FROM scratch with a label': {
		dockerfile: 'FROM scratch\nLABEL a=b\n',
		config: {Labels: {a: 'b'}},
		history: ['- LABEL a=b'],
	},
	'CMD in the exec form': {
		dockerfile: 'FROM wherry/base\nCMD ["echo", "a b"]\n',
		config: {Cmd: ['echo', 'a b'], ArgsEscaped: true},
		history: ['- CMD ["echo" "a b"]'],
	},
	'CMD in the shell form': {
		dockerfile: 'FROM wherry/base\nCMD echo "a  b" $HOME\n',
		config: {Cmd: ['/bin/sh', '-c', 'echo "a  b" $HOME'], ArgsEscaped: true},
		history: ['- CMD ["/bin/sh" "-c" "echo \\"a  b\\" $HOME"]'],
	},
	'CMD that is empty': {
		dockerfile: 'FROM wherry/base\nCMD []\n',
		config: {ArgsEscaped: true, Cmd: null},
		history: ['- CMD []'],
	},
	'CMD twice': {
		dockerfile: 'FROM wherry/base\nCMD one\nCMD ["two"]\n',
		config: {Cmd: ['two'], ArgsEscaped: true},
		history: ['- CMD ["/bin/sh" "-c" "one"]', '- CMD ["two"]'],
	},
	'CMD with a list that is no JSON': {
		dockerfile: "FROM wherry/base\nCMD ['a', 'b']\n",
		config: {Cmd: ['/bin/sh', '-c', "['a', 'b']"], ArgsEscaped: true},
		history: ['- CMD ["/bin/sh" "-c" "[\'a\', \'b\']"]'],
	},
	'ENTRYPOINT in the exec form takes the CMD of the base away': {
		dockerfile: 'FROM wherry/base\nENTRYPOINT ["e"]\n',
		config: {Entrypoint: ['e'], Cmd: null},
		history: ['- ENTRYPOINT ["e"]'],
	},
	'ENTRYPOINT in the shell form': {
		dockerfile: 'FROM wherry/base\nENTRYPOINT exec top -b\n',
		config: {Entrypoint: ['/bin/sh', '-c', 'exec top -b'], Cmd: null},
		history: ['- ENTRYPOINT ["/bin/sh" "-c" "exec top -b"]'],
	},
	'ENTRYPOINT keeps a CMD of its own stage': {
		dockerfile: 'FROM wherry/base\nCMD ["c"]\nENTRYPOINT ["e"]\n',
		config: {Cmd: ['c'], ArgsEscaped: true, Entrypoint: ['e']},
		history: ['- CMD ["c"]', '- ENTRYPOINT ["e"]'],
	},
	'ENTRYPOINT that is empty': {
		dockerfile: 'FROM wherry/base AS a\nENTRYPOINT ["e"]\nFROM a\nENTRYPOINT []\n',
		config: {Cmd: null},
		history: ['- ENTRYPOINT ["e"]', '- ENTRYPOINT []'],
	},
	'ENV with pairs': {
		dockerfile: 'FROM scratch\nENV A=1 B="two words" C=three\\ words D=\'$A\' E=\n',
		config: {Env: ['A=1', 'B=two words', 'C=three words', 'D=$A', 'E=']},
		history: ['- ENV A=1 B=two words C=three words D=$A E='],
	},
	'ENV of old': {
		dockerfile: 'FROM scratch\nENV A some  value with $PATH\n',
		config: {Env: ['A=some  value with /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']},
		history: ['- ENV A=some  value with /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
	},
	'ENV uses values from before the instruction': {
		dockerfile: 'FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n',
		config: {Env: ['abc=bye', 'def=hello', 'ghi=bye']},
		history: ['- ENV abc=hello', '- ENV abc=bye def=hello', '- ENV ghi=bye'],
	},
	'ENV in the place of an older one': {
		dockerfile: 'FROM scratch\nENV A=1\nENV B=2\nENV A=3\n',
		config: {Env: ['A=3', 'B=2']},
		history: ['- ENV A=1', '- ENV B=2', '- ENV A=3'],
	},
	'ENV adds to PATH': {
		dockerfile: 'FROM scratch\nENV PATH=/opt/bin:$PATH\n',
		config: {Env: ['PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']},
		history: ['- ENV PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
	},
	'ENV with quotes inside of words': {
		dockerfile: 'FROM scratch\nENV A=a"b c"d B=\'x\'"y"z C="it\'s" D="say \\"hi\\""\n',
		config: {Env: ['A=ab cd', 'B=xyz', "C=it's", 'D=say "hi"']},
		history: ['- ENV A=ab cd B=xyz C=it\'s D=say "hi"'],
	},
	'ENV over several lines': {
		dockerfile: 'FROM scratch\nENV A=1 \\\n    B=2 \\\n# comment\n    C=3\n',
		config: {Env: ['A=1', 'B=2', 'C=3']},
		history: ['- ENV A=1 B=2 C=3'],
	},
	'LABEL with pairs, quotes and variables': {
		dockerfile: 'FROM scratch\nENV V=v\nLABEL a=b "c d"="e $V" com.x.y=\'$V\' empty=""\n',
		config: {Env: ['V=v'], Labels: {a: 'b', 'c d': 'e v', 'com.x.y': '$V', empty: ''}},
		history: ['- ENV V=v', '- LABEL a=b c d=e v com.x.y=$V empty='],
	},
	'LABEL of old': {
		dockerfile: 'FROM scratch\nLABEL name some value\n',
		config: {Labels: {name: 'some value'}},
		history: ['- LABEL name=some value'],
	},
	'LABEL over one of the base': {
		dockerfile: 'FROM scratch AS a\nLABEL x=1 y=2\nFROM a\nLABEL x=3\n',
		config: {Labels: {x: '3', y: '2'}},
		history: ['- LABEL x=1 y=2', '- LABEL x=3'],
	},
	'LABEL over two lines': {
		dockerfile: 'FROM scratch\nLABEL a="one \\\ntwo"\n',
		config: {Labels: {a: 'one two'}},
		history: ['- LABEL a=one two'],
	},
	'labels of the command line': {
		dockerfile: 'FROM scratch\nLABEL a=1 b=2\n',
		labels: {b: 'x', c: 'y'},
		config: {Labels: {a: '1', b: 'x', c: 'y'}},
		history: ['- LABEL a=1 b=2'],
	},
	EXPOSE: {
		dockerfile: 'FROM scratch\nEXPOSE 80 53/udp 443/TCP 7000-7002 9/sctp\n',
		config: {
			ExposedPorts: {
				'443/tcp': {},
				'53/udp': {},
				'7000/tcp': {},
				'7001/tcp': {},
				'7002/tcp': {},
				'80/tcp': {},
				'9/sctp': {},
			},
		},
		history: ['- EXPOSE map[443/tcp:{} 53/udp:{} 7000/tcp:{} 7001/tcp:{} 7002/tcp:{} 80/tcp:{} 9/sctp:{}]'],
	},
	'EXPOSE with a variable': {
		dockerfile: 'FROM scratch\nENV P="80 81"\nEXPOSE $P ${Q:-90}/udp\n',
		config: {Env: ['P=80 81'], ExposedPorts: {'80/tcp': {}, '81/tcp': {}, '90/udp': {}}},
		history: ['- ENV P=80 81', '- EXPOSE map[80/tcp:{} 81/tcp:{} 90/udp:{}]'],
	},
	VOLUME: {
		dockerfile: 'FROM scratch\nVOLUME /a /b\nVOLUME ["/c c", "/d"]\n',
		config: {Volumes: {'/a': {}, '/b': {}, '/c c': {}, '/d': {}}},
		history: ['- VOLUME [/a /b]', '- VOLUME [/c c /d]'],
	},
	'VOLUME with a variable': {
		dockerfile: 'FROM scratch\nENV D=/data\nVOLUME $D ${D}/two\n',
		config: {Env: ['D=/data'], Volumes: {'/data': {}, '/data/two': {}}},
		history: ['- ENV D=/data', '- VOLUME [/data /data/two]'],
	},
	USER: {
		dockerfile: 'FROM scratch\nUSER nobody:tty\n',
		config: {User: 'nobody:tty'},
		history: ['- USER nobody:tty'],
	},
	'USER with a variable': {
		dockerfile: 'FROM scratch\nARG U=1000\nUSER ${U}:${U}\n',
		config: {User: '1000:1000'},
		history: ['- ARG U=1000', '- USER 1000:1000'],
	},
	'WORKDIR from the root on': {
		dockerfile: 'FROM scratch\nWORKDIR a\nWORKDIR /b\nWORKDIR c\nWORKDIR ../d/./e/\n',
		files: ['/a/ 755 0:0', '/b/ 755 0:0', '/b/c/ 755 0:0', '/b/d/ 755 0:0', '/b/d/e/ 755 0:0'],
		config: {WorkingDir: '/b/d/e'},
		history: ['WORKDIR /a', 'WORKDIR /b', 'WORKDIR /b/c', 'WORKDIR /b/d/e'],
	},
	'WORKDIR with a variable': {
		dockerfile: 'FROM scratch\nENV D=/x\nWORKDIR $D/$E/y\n',
		files: ['/x/ 755 0:0', '/x/y/ 755 0:0'],
		config: {WorkingDir: '/x/y', Env: ['D=/x']},
		history: ['- ENV D=/x', 'WORKDIR /x/y'],
	},
	'WORKDIR belongs to the user': {
		dockerfile: 'FROM wherry/base\nUSER 7:8\nWORKDIR /w\n',
		files: ['/w/ 755 7:8'],
		config: {User: '7:8', WorkingDir: '/w'},
		history: ['- USER 7:8', 'WORKDIR /w'],
	},
	'WORKDIR that is there changes no file': {
		dockerfile: 'FROM wherry/base\nWORKDIR /etc\n',
		config: {WorkingDir: '/etc'},
		history: ['WORKDIR /etc'],
	},
	'WORKDIR with a blank': {
		dockerfile: 'FROM scratch\nWORKDIR /a b/c\n',
		files: ['/a b/ 755 0:0', '/a b/c/ 755 0:0'],
		config: {WorkingDir: '/a b/c'},
		history: ['WORKDIR /a b/c'],
	},
	STOPSIGNAL: {
		dockerfile: 'FROM scratch\nSTOPSIGNAL SIGQUIT\n',
		config: {StopSignal: 'SIGQUIT'},
		history: ['- STOPSIGNAL SIGQUIT'],
	},
	'STOPSIGNAL as a number, with a variable': {
		dockerfile: 'FROM scratch\nARG S=9\nSTOPSIGNAL $S\n',
		config: {StopSignal: '9'},
		history: ['- ARG S=9', '- STOPSIGNAL 9'],
	},
	'HEALTHCHECK with all flags': {
		dockerfile:
			'FROM scratch\nHEALTHCHECK --interval=5m --timeout=3s --start-period=1m30s --start-interval=500ms --retries=4 CMD curl -f http://localhost/ || exit 1\n',
		config: {
			Healthcheck: {
				Test: ['CMD-SHELL', 'curl -f http://localhost/ || exit 1'],
				Interval: 300000000000,
				Timeout: 3000000000,
				StartPeriod: 90000000000,
				StartInterval: 500000000,
				Retries: 4,
			},
		},
		history: [
			'- HEALTHCHECK &{["CMD-SHELL" "curl -f http://localhost/ || exit 1"] "5m0s" "3s" "1m30s" "500ms" \'\\x04\'}',
		],
	},
	'HEALTHCHECK in the exec form': {
		dockerfile: 'FROM scratch\nHEALTHCHECK CMD ["a", "b"]\n',
		config: {Healthcheck: {Test: ['CMD', 'a', 'b']}},
		history: ['- HEALTHCHECK &{["CMD" "a" "b"] "0s" "0s" "0s" "0s" \'\\x00\'}'],
	},
	'HEALTHCHECK NONE': {
		dockerfile: 'FROM scratch\nHEALTHCHECK CMD x\nHEALTHCHECK NONE\n',
		config: {Healthcheck: {Test: ['NONE']}},
		history: [
			'- HEALTHCHECK &{["CMD-SHELL" "x"] "0s" "0s" "0s" "0s" \'\\x00\'}',
			'- HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}',
		],
	},
	'HEALTHCHECK with small letters and a continuation': {
		dockerfile: 'FROM scratch\nhealthcheck --interval=1s \\\n  cmd /check --now\n',
		config: {Healthcheck: {Test: ['CMD-SHELL', '/check --now'], Interval: 1000000000}},
		history: ['- HEALTHCHECK &{["CMD-SHELL" "/check --now"] "1s" "0s" "0s" "0s" \'\\x00\'}'],
	},
	'SHELL is for what follows': {
		dockerfile:
			'FROM wherry/base\nSHELL ["/bin/sh", "-e", "-c"]\nRUN echo $- | tr -d "\\n" | grep -c e >/o\nCMD echo $HOME\nENTRYPOINT run\n',
		files: ['/o 644 0:0 "1\\n"'],
		config: {
			Cmd: ['/bin/sh', '-e', '-c', 'echo $HOME'],
			Shell: ['/bin/sh', '-e', '-c'],
			ArgsEscaped: true,
			Entrypoint: ['/bin/sh', '-e', '-c', 'run'],
		},
		history: [
			'- SHELL [/bin/sh -e -c]',
			'RUN /bin/sh -e -c echo $- | tr -d "\\n" | grep -c e >/o # buildkit',
			'- CMD ["/bin/sh" "-e" "-c" "echo $HOME"]',
			'- ENTRYPOINT ["/bin/sh" "-e" "-c" "run"]',
		],
	},
	'SHELL goes on to the next stage': {
		dockerfile: 'FROM scratch AS a\nSHELL ["/x", "-y"]\nFROM a\nCMD z\n',
		config: {Shell: ['/x', '-y'], Cmd: ['/x', '-y', 'z'], ArgsEscaped: true},
		history: ['- SHELL [/x -y]', '- CMD ["/x" "-y" "z"]'],
	},
	MAINTAINER: {
		dockerfile: 'FROM scratch\nMAINTAINER Jane Doe <jane@example.com>\n',
		config: {author: 'Jane Doe <jane@example.com>'},
		history: ['- MAINTAINER Jane Doe <jane@example.com>'],
	},
	'ONBUILD is kept and not done': {
		dockerfile: 'FROM scratch\nONBUILD COPY . /app\nONBUILD RUN make \\\n  all\nonbuild env A=1\n',
		config: {OnBuild: ['COPY . /app', 'RUN make   all', 'env A=1']},
	},
	'ONBUILD of the base is done first': {
		bases: {
			'df-onbuild':
				'FROM wherry/base\nONBUILD COPY a.txt /copied\nONBUILD ENV FROM_BASE=1\nONBUILD RUN cat /copied >/ran\n',
		},
		dockerfile: 'FROM df-onbuild\nCOPY b.txt /b\n',
		files: ['/b 644 0:0 "b"', '/copied 644 0:0 "a"', '/ran 644 0:0 "a"'],
		config: {Env: ['FROM_BASE=1']},
		history: [
			'COPY a.txt /copied # buildkit',
			'- ENV FROM_BASE=1',
			'RUN /bin/sh -c cat /copied >/ran # buildkit',
			'COPY b.txt /b # buildkit',
		],
	},
	'ONBUILD with a here-document': {
		bases: {'df-onbuild-here': 'FROM scratch\nONBUILD COPY <<EOF /h\nlater $V\nEOF\n'},
		dockerfile: 'FROM df-onbuild-here\n',
		files: ['/h 644 0:0 "later \\n"'],
		history: ['COPY <<EOF /h # buildkit'],
	},
	'small letters do': {
		dockerfile: 'from scratch as x\ncopy a.txt /a\nenv A=1\nfrom x\nlabel l=1\n',
		files: ['/a 644 0:0 "a"'],
		config: {Env: ['A=1'], Labels: {l: '1'}},
		history: ['COPY a.txt /a # buildkit', '- ENV A=1', '- LABEL l=1'],
	},
	'comments, blank lines and blanks': {
		dockerfile: '# c\n\n  # d\n  FROM scratch\n\n\t# e\n\tCOPY a.txt \\\n  # in between\n\n  /a\n',
		files: ['/a 644 0:0 "a"'],
		history: ['COPY a.txt /a # buildkit'],
	},
	'another escape': {
		dockerfile: '# escape=`\nFROM scratch\nENV A=a `\n  B=`$A C=\\x D=a` b\n',
		config: {Env: ['A=a', 'B=$A', 'C=\\x', 'D=a b']},
		history: ['- ENV A=a B=$A C=\\x D=a b'],
	},
	'lines that end as on Windows': {
		dockerfile: 'FROM scratch\r\nCOPY a.txt \\\r\n  /a\r\nENV A=1\r\n',
		files: ['/a 644 0:0 "a"'],
		config: {Env: ['A=1']},
		history: ['COPY a.txt /a # buildkit', '- ENV A=1'],
	},
	'a mark of the byte order': {
		dockerfile: '\ufeffFROM scratch\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'a syntax directive': {
		dockerfile: '# syntax=docker/dockerfile:1\n# check=skip=all\nFROM scratch\nENV A=1\n',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
	'the last line without its end': {
		dockerfile: 'FROM scratch\nENV A=1',
		config: {Env: ['A=1']},
		history: ['- ENV A=1'],
	},
};

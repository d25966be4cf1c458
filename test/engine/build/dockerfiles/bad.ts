/** What is refused, and in which words. */
import type {Case} from './outcome.ts';

export const badCases: Readonly<Record<string, Case>> = {
	'an error over several lines shows all of them': {
		dockerfile: 'FROM scratch\nCOPY \\\n  a.txt \\\n  nowhere \\\n  /c/\n',
		error:
			'Dockerfile:2 failed to compute cache key: failed to calculate checksum of ref: "/nowhere": not found',
	},
	'a cycle of stages': {
		dockerfile:
			'FROM scratch AS a\nCOPY --from=c /x /\nFROM scratch AS b\nCOPY --from=a /x /\nFROM scratch\nCOPY --from=b /x /\nFROM scratch AS c\nCOPY --from=b /x /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: circular dependency detected on stage: a',
	},
	'RUN --mount with a misspelt kind': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=cash,target=/x true\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: unsupported mount type "cash" (did you mean cache?)',
	},
	'RUN --mount over everything': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=tmpfs,target=/ true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid mount target "/"',
	},
	'an empty file': {dockerfile: '', error: 'file with no instructions'},
	'only comments': {dockerfile: '# nothing\n\n', error: 'file with no instructions'},
	'RUN before FROM': {
		dockerfile: 'RUN true\nFROM scratch\n',
		error: 'Dockerfile:1 dockerfile parse error on line 1: no build stage in current context',
	},
	'only ARG': {dockerfile: 'ARG A=1\n', error: 'dockerfile contains no stages to build'},
	'a misspelt instruction': {
		dockerfile: 'FROM scratch\nCOPPY a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)',
	},
	'an unknown instruction': {
		dockerfile: 'FROM scratch\nINSTALL x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown instruction: INSTALL',
	},
	'an unknown instruction in a stage that is not needed': {
		dockerfile: 'FROM scratch AS a\nXYZZY 1\nFROM scratch\nENV A=1\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown instruction: XYZZY',
	},
	'an unknown flag': {
		dockerfile: 'FROM scratch\nCOPY --what=1 a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown flag: --what',
	},
	'a misspelt flag': {
		dockerfile: 'FROM scratch\nCOPY --chmd=600 a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown flag: --chmd (did you mean chmod?)',
	},
	'a flag twice': {
		dockerfile: 'FROM scratch\nCOPY --chown=1 --chown=2 a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: duplicate flag specified: chown',
	},
	'a flag without its value': {
		dockerfile: 'FROM scratch\nCOPY --from a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: missing a value on flag: from',
	},
	'a flag that is neither true nor false': {
		dockerfile: 'FROM scratch\nCOPY --link=maybe a.txt /\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: expecting boolean value for flag link, not: maybe',
	},
	'COPY with one word': {
		dockerfile: 'FROM scratch\nCOPY a.txt\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
	},
	'COPY of what is not there': {
		dockerfile: 'FROM scratch\n\nCOPY nowhere.txt /x\n',
		error:
			'Dockerfile:3 failed to compute cache key: failed to calculate checksum of ref: "/nowhere.txt": not found',
	},
	'COPY of what is ignored': {
		dockerfile: 'FROM scratch\nCOPY a.log /x\n',
		context: {'.dockerignore': '*.log', 'a.log': 'l'},
		error:
			'Dockerfile:2 failed to compute cache key: failed to calculate checksum of ref: "/a.log": not found',
	},
	'COPY of a link that leads out of the context': {
		dockerfile: 'FROM scratch\nCOPY out /x\n',
		context: {out: {link: '../../../etc/passwd'}},
		error: 'Dockerfile:2 failed to compute cache key: failed to calculate checksum of ref: "/out": not found',
	},
	'COPY --from of what is not there': {
		dockerfile: 'FROM scratch AS a\nFROM scratch\nCOPY --from=a /no /x\n',
		error: 'Dockerfile:3 failed to compute cache key: failed to calculate checksum of ref: "/no": not found',
	},
	'COPY --from of a number too high': {
		dockerfile: 'FROM scratch\nCOPY --from=3 /a /x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid stage index 3',
	},
	'COPY --from a variable': {
		dockerfile: 'FROM scratch AS a\nARG S=a\nCOPY --from=$S /a /x\n',
		error:
			'Dockerfile:3 variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
	},
	'COPY --from of a later stage': {
		dockerfile: 'FROM scratch AS a\nCOPY --from=b /a /x\nFROM scratch AS b\nCOPY a.txt /a\nFROM a\n',
		error: 'Dockerfile:2 cannot copy from stage "b", it needs to be defined before current stage "a"',
	},
	'COPY --from of the number of a later stage': {
		dockerfile:
			'FROM scratch\nCOPY --from=1 /a /x\nFROM scratch\nCOPY a.txt /a\nFROM scratch\nCOPY --from=0 /x /\n',
		error: 'Dockerfile:2 cannot copy from stage "1", it needs to be defined before current stage "stage-0"',
	},
	'RUN --mount of a later stage': {
		dockerfile: 'FROM wherry/base AS a\nRUN --mount=from=b,target=/x true\nFROM scratch AS b\nFROM a\n',
		error:
			'Dockerfile:2 cannot mount from stage "b" to "/x", stage needs to be defined before current command',
	},
	'COPY of a git repository': {
		dockerfile: 'FROM scratch\nCOPY git://host/repo /\n',
		error: "Dockerfile:2 source can't be a git ref for COPY",
	},
	'ADD of a git repository whose ref is two': {
		dockerfile: 'FROM scratch\nADD git://host/repo?tag=v1#refs/heads/main /\n',
		error: 'Dockerfile:2 ref conflicts: "refs/heads/main" vs "refs/tags/v1"',
	},
	'ADD --checksum of several sources': {
		dockerfile: 'FROM scratch\nADD --checksum=sha256:0 a.txt b.txt /\n',
		error: "Dockerfile:2 checksum can't be specified for multiple sources",
	},
	'ADD --checksum of a commit that is none': {
		dockerfile: 'FROM scratch\nADD --checksum=foobar git://127.0.0.1:1/repo /\n',
		error: 'Dockerfile:2 invalid checksum foobar for Git source, expected hex commit hash',
	},
	'ADD --checksum without its kind': {
		dockerfile: 'FROM scratch\nADD --checksum=00 http://127.0.0.1:1/f /\n',
		error: 'Dockerfile:2 invalid checksum digest format',
	},
	'ADD --checksum of another kind': {
		dockerfile: 'FROM scratch\nADD --checksum=md5:7e55db001d319a94b0b713529a756623 http://127.0.0.1:1/f /\n',
		error: 'Dockerfile:2 unsupported digest algorithm',
	},
	'COPY --from of its own stage': {
		dockerfile: 'FROM scratch AS a\nCOPY --from=a /a /x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: circular dependency detected on stage: a',
	},
	'COPY --from of a later stage that is made of this one': {
		dockerfile: 'FROM scratch AS a\nCOPY --from=b /a /x\nFROM a AS b\nCOPY a.txt /a\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: circular dependency detected on stage: a',
	},
	'COPY --link with an owner by name, which an empty root does not know': {
		dockerfile: 'FROM wherry/base\nCOPY --link --chown=nobody a.txt /\n',
		error: 'Dockerfile:2 unable to find user nobody: invalid user',
	},
	'COPY --chown of somebody unknown': {
		dockerfile: 'FROM wherry/base\nCOPY --chown=nobody-here a.txt /\n',
		error: 'Dockerfile:2 unable to find user nobody-here: invalid user',
	},
	'COPY --chmod that is none': {
		dockerfile: 'FROM scratch\nCOPY --chmod=99 a.txt /\n',
		error: "Dockerfile:2 invalid chmod parameter: '99'. it should be octal string and between 0 and 07777",
	},
	'COPY of an address': {
		dockerfile: 'FROM scratch\nCOPY http://localhost/x /\n',
		error: "Dockerfile:2 dockerfile parse error on line 2: source can't be a URL for COPY",
	},
	'COPY to a here-document': {
		dockerfile: 'FROM scratch\nCOPY a.txt <<EOF\nEOF\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: COPY cannot accept a heredoc as a destination',
	},
	'COPY of a folder over a file': {
		dockerfile: 'FROM scratch\nCOPY a.txt /x\nCOPY dir /x/\n',
		error: 'Dockerfile:3 cannot create a folder at /x/: not a directory',
	},
	'ADD --checksum for a file': {
		dockerfile: 'FROM scratch\nADD --checksum=sha256:00 a.txt /\n',
		error: 'Dockerfile:2 checksum requires HTTP(S) or Git sources',
	},
	'FROM without a word': {
		dockerfile: 'FROM\n',
		error: 'Dockerfile:1 dockerfile parse error on line 1: FROM requires either one or three arguments',
	},
	'FROM with two words': {
		dockerfile: 'FROM scratch as\n',
		error: 'Dockerfile:1 dockerfile parse error on line 1: FROM requires either one or three arguments',
	},
	'FROM with another word than AS': {
		dockerfile: 'FROM scratch like x\n',
		error: 'Dockerfile:1 dockerfile parse error on line 1: FROM requires either one or three arguments',
	},
	'FROM with a bad name': {
		dockerfile: 'FROM scratch AS 1st\n',
		error:
			'Dockerfile:1 dockerfile parse error on line 1: invalid name for build stage: "1st", name can\'t start with a number or contain symbols',
	},
	'FROM with a variable that is not set': {
		dockerfile: 'FROM $NOTHING\n',
		error: 'Dockerfile:1 dockerfile parse error on line 1: base name ($NOTHING) should not be blank',
	},
	'FROM with a reference that is none': {
		dockerfile: 'FROM lib/UPPER\n',
		error:
			'Dockerfile:1 failed to parse stage name "lib/UPPER": invalid reference format: repository name (lib/UPPER) must be lowercase',
	},
	'a target that is not there': {
		dockerfile: 'FROM scratch AS one\n',
		target: 'ona',
		error: 'target stage "ona" could not be found (did you mean one?)',
	},
	'a target number that is not there': {
		dockerfile: 'FROM scratch\n',
		target: '4',
		error: 'target stage "4" could not be found',
	},
	'RUN that fails': {
		dockerfile: 'FROM wherry/base\n\nRUN echo said; exit 7\n',
		error: 'Dockerfile:3 process "/bin/sh -c echo said; exit 7" did not complete successfully: exit code: 7',
	},
	'RUN of what is not there': {
		dockerfile: 'FROM wherry/base\nRUN ["/no/such"]\n',
		error: 'Dockerfile:2 process "/no/such" did not complete successfully: exit code: 127',
	},
	'RUN without a shell': {
		dockerfile: 'FROM scratch\nRUN echo x\n',
		error: 'Dockerfile:2 process "/bin/sh -c echo x" did not complete successfully: exit code: 127',
	},
	'RUN as an unknown user': {
		dockerfile: 'FROM wherry/base\nUSER nobody-here\nRUN true\n',
		error: 'Dockerfile:3 unable to find user nobody-here: no matching entries in passwd file',
	},
	'RUN --mount of an unknown kind': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=magic,target=/x true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unsupported mount type "magic"',
	},
	'RUN --mount with an unknown key': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=cache,targt=/x true\n',
		error:
			"Dockerfile:2 dockerfile parse error on line 2: unexpected key 'targt' in 'targt=/x' (did you mean target?)",
	},
	'RUN --mount=type=cache without a target': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=cache true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid mount target "/"',
	},
	'RUN --mount of a source that is not there': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=bind,source=nowhere,target=/x true\n',
		error: 'Dockerfile:2 failed to compute cache key: "/nowhere": not found',
	},
	'RUN --mount=type=secret that is required': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=secret,id=key,required=true true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: secret key: not found',
	},
	'RUN --mount from a variable': {
		dockerfile: 'FROM wherry/base\nARG S=x\nRUN --mount=type=bind,from=$S,target=/x true\n',
		error:
			"Dockerfile:3 dockerfile parse error on line 3: 'from' doesn't support variable expansion, define alias stage instead",
	},
	'RUN --network of an unknown kind': {
		dockerfile: 'FROM wherry/base\nRUN --network=magic true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: network "magic" is not supported',
	},
	'RUN --security=insecure without --allow': {
		dockerfile: 'FROM wherry/base\nRUN --security=insecure true\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: security.insecure is not allowed',
	},
	'RUN with a list that holds a number': {
		dockerfile: 'FROM wherry/base\nRUN ["a", 1]\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: when using JSON array syntax, arrays must be comprised of strings only',
	},
	'a here-document that does not end': {
		dockerfile: 'FROM wherry/base\nRUN <<EOF\nx\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unterminated heredoc',
	},
	'ENV with one word': {
		dockerfile: 'FROM scratch\nENV A\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: ENV must have two arguments',
	},
	'ENV with a word that is no pair': {
		dockerfile: 'FROM scratch\nENV A=1 B\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: Syntax error - can\'t find = in "B". Must be of the form: name=value',
	},
	'ENV without a name': {
		dockerfile: 'FROM scratch\nENV =x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: ENV names can not be blank',
	},
	'ENV with a quote that does not end': {
		dockerfile: 'FROM scratch\nENV A="b\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: failed to process "\\"b": unexpected end of statement while looking for matching double-quote',
	},
	'ENV with a modifier that is none': {
		dockerfile: 'FROM scratch\nENV A=${B:=c}\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: failed to process "${B:=c}": unsupported modifier (:=) in substitution',
	},
	'ENV that asks for a variable': {
		dockerfile: 'FROM scratch\nENV A=${B:?is needed}\n',
		error:
			'Dockerfile:2 dockerfile parse error on line 2: Syntax error - can\'t find = in "needed}". Must be of the form: name=value',
	},
	'LABEL without words': {
		dockerfile: 'FROM scratch\nLABEL\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: LABEL requires at least one argument',
	},
	'EXPOSE of a port that is none': {
		dockerfile: 'FROM scratch\nEXPOSE 99999\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid containerPort: 99999',
	},
	'EXPOSE of another protocol': {
		dockerfile: 'FROM scratch\nEXPOSE 80/icmp\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid proto: icmp',
	},
	'VOLUME of nothing': {
		dockerfile: 'FROM scratch\nVOLUME [""]\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: VOLUME specified can not be an empty string',
	},
	'USER without a word': {
		dockerfile: 'FROM scratch\nUSER\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: USER requires exactly one argument',
	},
	'WORKDIR without a word': {
		dockerfile: 'FROM scratch\nWORKDIR\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: WORKDIR requires exactly one argument',
	},
	'STOPSIGNAL that is none': {
		dockerfile: 'FROM scratch\nSTOPSIGNAL SIGNOPE\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: invalid signal: SIGNOPE',
	},
	'SHELL that is no list': {
		dockerfile: 'FROM scratch\nSHELL /bin/sh -c\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form',
	},
	'SHELL that is empty': {
		dockerfile: 'FROM scratch\nSHELL []\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: SHELL requires at least one argument',
	},
	'HEALTHCHECK without a command': {
		dockerfile: 'FROM scratch\nHEALTHCHECK CMD\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: missing command after HEALTHCHECK CMD',
	},
	'HEALTHCHECK of another kind': {
		dockerfile: 'FROM scratch\nHEALTHCHECK curl\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown type "CURL" in HEALTHCHECK (try CMD)',
	},
	'HEALTHCHECK NONE with a word': {
		dockerfile: 'FROM scratch\nHEALTHCHECK NONE x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments',
	},
	'HEALTHCHECK with a time that is none': {
		dockerfile: 'FROM scratch\nHEALTHCHECK --interval=soon CMD x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: time: invalid duration "soon"',
	},
	'HEALTHCHECK with a time that is too short': {
		dockerfile: 'FROM scratch\nHEALTHCHECK --timeout=1us CMD x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: Interval "timeout" cannot be less than 1ms',
	},
	'HEALTHCHECK with retries below zero': {
		dockerfile: 'FROM scratch\nHEALTHCHECK --retries=-1 CMD x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: --retries cannot be negative (-1)',
	},
	'ONBUILD without a word': {
		dockerfile: 'FROM scratch\nONBUILD\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: ONBUILD requires at least one argument',
	},
	'ONBUILD ONBUILD': {
		dockerfile: 'FROM scratch\nONBUILD ONBUILD RUN x\n',
		error:
			"Dockerfile:2 dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
	},
	'ONBUILD FROM': {
		dockerfile: 'FROM scratch\nONBUILD FROM x\n',
		error: "Dockerfile:2 dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger",
	},
	'ONBUILD of what is unknown': {
		bases: {'wherry/unknown-trigger': 'FROM scratch\nONBUILD XYZZY\n'},
		dockerfile: '# made of it\nFROM wherry/unknown-trigger\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: unknown instruction: XYZZY',
	},
	'ARG without a word': {
		dockerfile: 'FROM scratch\nARG\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: ARG requires at least one argument',
	},
	'ARG without a name': {
		dockerfile: 'FROM scratch\nARG =x\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: ARG names can not be blank',
	},
	'MAINTAINER without a word': {
		dockerfile: 'FROM scratch\nMAINTAINER\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: MAINTAINER requires exactly one argument',
	},
	'an escape that is none': {
		dockerfile: '# escape=x\nFROM scratch\n',
		error: "Dockerfile:1 dockerfile parse error on line 1: invalid escape token 'x' does not match ` or \\",
	},
	'a directive twice': {
		dockerfile: '# escape=`\n# escape=`\nFROM scratch\n',
		error: 'Dockerfile:2 dockerfile parse error on line 2: only one escape parser directive can be used',
	},
};

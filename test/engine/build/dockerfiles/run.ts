/** RUN, its here-documents and its mounts. */
import type {Case} from './outcome.ts';

export const runCases: Readonly<Record<string, Case>> = {
	'RUN in the shell form': {
		dockerfile: 'FROM wherry/base\nRUN echo "a  b" >/o && echo $0 >>/o\n',
		files: ['/o 644 0:0 "a  b\\n/bin/sh\\n"'],
		history: ['RUN /bin/sh -c echo "a  b" >/o && echo $0 >>/o # buildkit'],
	},
	'RUN in the exec form': {
		dockerfile: 'FROM wherry/base\nRUN ["sh", "-c", "echo $1 >/o", "x", "$HOME"]\n',
		files: ['/o 644 0:0 "$HOME\\n"'],
		history: ['RUN sh -c echo $1 >/o x $HOME # buildkit'],
	},
	'RUN over several lines': {
		dockerfile:
			'FROM wherry/base\nRUN echo a >/o && \\\n    # comment\n    echo b >>/o; \\\n\n    echo c >>/o\n',
		files: ['/o 644 0:0 "a\\nb\\nc\\n"'],
		history: ['RUN /bin/sh -c echo a >/o &&     echo b >>/o;     echo c >>/o # buildkit'],
	},
	'RUN as a user in WORKDIR': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir -m 777 /d\nUSER 7:8\nWORKDIR /d\nRUN pwd >o; id -u >>o; id -g >>o\n',
		files: ['/d/ 777 0:0', '/d/o 644 7:8 "/d\\n7\\n8\\n"'],
		config: {User: '7:8', WorkingDir: '/d'},
		history: [
			'RUN /bin/sh -c mkdir -m 777 /d # buildkit',
			'- USER 7:8',
			'WORKDIR /d',
			'RUN /bin/sh -c pwd >o; id -u >>o; id -g >>o # buildkit',
		],
	},
	'RUN as a user with a name has its home': {
		dockerfile:
			'FROM wherry/base\nRUN echo "u:x:50:60::/home/u:/bin/sh" >>/etc/passwd\nUSER u\nRUN echo $HOME $(id -u):$(id -g) >/tmp/o\n',
		silent: ['/etc/passwd'],
		files: ['/etc/passwd 644 0:0', '/tmp/o 644 50:60 "/home/u 50:60\\n"'],
		config: {User: 'u'},
		history: [
			'RUN /bin/sh -c echo "u:x:50:60::/home/u:/bin/sh" >>/etc/passwd # buildkit',
			'- USER u',
			'RUN /bin/sh -c echo $HOME $(id -u):$(id -g) >/tmp/o # buildkit',
		],
	},
	'RUN changes modes and owners': {
		dockerfile: 'FROM wherry/base\nRUN echo x >/f && chmod 4750 /f && chown 3:4 /f && mkdir -m 1777 /t\n',
		files: ['/f 750 3:4 "x\\n"', '/t/ 1777 0:0'],
		history: ['RUN /bin/sh -c echo x >/f && chmod 4750 /f && chown 3:4 /f && mkdir -m 1777 /t # buildkit'],
	},
	'RUN that changes only a mode': {
		dockerfile: 'FROM wherry/base\nRUN echo x >/f\nRUN chmod 600 /f\n',
		files: ['/f 600 0:0 "x\\n"'],
		history: ['RUN /bin/sh -c echo x >/f # buildkit', 'RUN /bin/sh -c chmod 600 /f # buildkit'],
	},
	'RUN removes a file': {
		dockerfile: 'FROM wherry/base\nCOPY a.txt /a\nRUN rm /a\n',
		history: ['COPY a.txt /a # buildkit', 'RUN /bin/sh -c rm /a # buildkit'],
	},
	'RUN removes a folder and makes it again': {
		dockerfile: 'FROM wherry/base\nCOPY dir /d\nRUN rm -r /d && mkdir /d && echo n >/d/new\n',
		files: ['/d/ 755 0:0', '/d/new 644 0:0 "n\\n"'],
		history: ['COPY dir /d # buildkit', 'RUN /bin/sh -c rm -r /d && mkdir /d && echo n >/d/new # buildkit'],
	},
	'RUN moves a folder': {
		dockerfile: 'FROM wherry/base\nCOPY dir /d\nRUN mv /d /e\n',
		files: ['/e/ 755 0:0', '/e/c.c 644 0:0 "c"', '/e/sub/ 755 0:0', '/e/sub/d.h 644 0:0 "d"'],
		history: ['COPY dir /d # buildkit', 'RUN /bin/sh -c mv /d /e # buildkit'],
	},
	'RUN makes links': {
		dockerfile: 'FROM wherry/base\nRUN echo x >/f && ln /f /hard && ln -s f /soft\n',
		files: ['/f 644 0:0 "x\\n"', '/hard is /f', '/soft -> f'],
		history: ['RUN /bin/sh -c echo x >/f && ln /f /hard && ln -s f /soft # buildkit'],
	},
	'RUN that writes nothing': {
		dockerfile: 'FROM wherry/base\nRUN true\n',
		history: ['RUN /bin/sh -c true # buildkit'],
	},
	'RUN leaves nothing of what a container has': {
		dockerfile:
			'FROM wherry/base\nRUN cat /etc/hosts /etc/resolv.conf /proc/self/status >/dev/null; touch /dev/shm/x; ls /sys >/dev/null\n',
		history: [
			'RUN /bin/sh -c cat /etc/hosts /etc/resolv.conf /proc/self/status >/dev/null; touch /dev/shm/x; ls /sys >/dev/null # buildkit',
		],
	},
	'RUN with a here-document': {
		dockerfile: 'FROM wherry/base\nENV V=v\nRUN <<EOF\necho one $V >/o\n\techo two >>/o\nEOF\n',
		files: ['/o 644 0:0 "one v\\ntwo\\n"'],
		config: {Env: ['V=v']},
		history: ['- ENV V=v', 'RUN /bin/sh -c echo one $V >/o\n\techo two >>/o\n # buildkit'],
	},
	'RUN with a here-document without its tabs': {
		dockerfile: 'FROM wherry/base\nRUN <<-EOF\n\techo one >/o\n\tEOF\n',
		files: ['/o 644 0:0 "one\\n"'],
		history: ['RUN /bin/sh -c echo one >/o\n # buildkit'],
	},
	'RUN with a script of its own': {
		dockerfile:
			'FROM wherry/base\nRUN <<EOF\n#!/bin/cat\nthe script\nEOF\nRUN <<EOF\n#!/bin/sh\necho script >/o\nEOF\n',
		files: ['/o 644 0:0 "script\\n"'],
		history: ['RUN /bin/sh -c /dev/pipes/EOF # buildkit', 'RUN /bin/sh -c /dev/pipes/EOF # buildkit'],
	},
	'RUN with here-documents for commands': {
		dockerfile: 'FROM wherry/base\nRUN cat <<one >/1 && cat <<"two" >/2\n$((1+1))\none\n$((1+1))\ntwo\n',
		files: ['/1 644 0:0 "2\\n"', '/2 644 0:0 "$((1+1))\\n"'],
		history: ['RUN /bin/sh -c cat <<one >/1 && cat <<"two" >/2\n$((1+1))\none\n$((1+1))\ntwo # buildkit'],
	},
	'RUN with a here-document for a program': {
		dockerfile: 'FROM wherry/base\nRUN <<EOF cat >/o\ntext\nEOF\n',
		files: ['/o 644 0:0 "text\\n"'],
		history: ['RUN /bin/sh -c <<EOF cat >/o\ntext\nEOF # buildkit'],
	},
	'RUN stops at what fails in a here-document only at its end': {
		dockerfile: 'FROM wherry/base\nRUN <<EOF\nfalse\necho on >/o\nEOF\n',
		files: ['/o 644 0:0 "on\\n"'],
		history: ['RUN /bin/sh -c false\necho on >/o\n # buildkit'],
	},
	'RUN --network=none': {
		dockerfile: 'FROM wherry/base\nRUN --network=none ls /sys/class/net >/o\n',
		files: ['/o 644 0:0 "lo\\n"'],
		history: ['RUN /bin/sh -c ls /sys/class/net >/o # buildkit'],
	},
	'RUN --mount=type=bind of the context': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=target=/ctx cat /ctx/a.txt >/o; echo x 2>/dev/null >/ctx/new || echo ro >>/o\n',
		files: ['/o 644 0:0 "aro\\n"'],
		history: ['RUN /bin/sh -c cat /ctx/a.txt >/o; echo x 2>/dev/null >/ctx/new || echo ro >>/o # buildkit'],
	},
	'RUN --mount=type=bind of a file': {
		dockerfile: 'FROM wherry/base\nRUN --mount=type=bind,source=dir/c.c,target=/m.c cat /m.c >/o\n',
		files: ['/o 644 0:0 "c"'],
		history: ['RUN /bin/sh -c cat /m.c >/o # buildkit'],
	},
	'RUN --mount=type=bind,rw keeps nothing': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=bind,target=/ctx,rw echo new >/ctx/a.txt && cat /ctx/a.txt >/o\nRUN --mount=type=bind,target=/ctx cat /ctx/a.txt >/p\n',
		files: ['/o 644 0:0 "new\\n"', '/p 644 0:0 "a"'],
		history: [
			'RUN /bin/sh -c echo new >/ctx/a.txt && cat /ctx/a.txt >/o # buildkit',
			'RUN /bin/sh -c cat /ctx/a.txt >/p # buildkit',
		],
	},
	'RUN --mount=type=bind of a stage': {
		dockerfile:
			'FROM scratch AS one\nCOPY a.txt /s/a\nFROM wherry/base\nRUN --mount=type=bind,from=one,source=/s,target=/m cat /m/a >/o\n',
		files: ['/o 644 0:0 "a"'],
		history: ['RUN /bin/sh -c cat /m/a >/o # buildkit'],
	},
	'RUN --mount=type=bind of an image': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=from=wherry/base,target=/m test -e /m/etc/passwd && echo there >/o\n',
		files: ['/o 644 0:0 "there\\n"'],
		history: ['RUN /bin/sh -c test -e /m/etc/passwd && echo there >/o # buildkit'],
	},
	'RUN --mount in WORKDIR': {
		dockerfile: 'FROM wherry/base\nWORKDIR /w\nRUN --mount=type=bind,target=m cat m/a.txt >/o\n',
		files: ['/o 644 0:0 "a"', '/w/ 755 0:0'],
		config: {WorkingDir: '/w'},
		history: ['WORKDIR /w', 'RUN /bin/sh -c cat m/a.txt >/o # buildkit'],
	},
	'RUN --mount=type=cache is kept between steps and not in the image': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=cache,target=/c,id=df-kept echo 1 >/c/f\nRUN --mount=type=cache,target=/c2,id=df-kept cat /c2/f >/o\n',
		files: ['/o 644 0:0 "1\\n"'],
		history: ['RUN /bin/sh -c echo 1 >/c/f # buildkit', 'RUN /bin/sh -c cat /c2/f >/o # buildkit'],
	},
	'RUN --mount=type=cache with its owner and mode': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=cache,target=/c,id=df-owned,uid=5,gid=6,mode=0700 stat -c "%u:%g %a" /c >/o\n',
		files: ['/o 644 0:0 "5:6 700\\n"'],
		history: ['RUN /bin/sh -c stat -c "%u:%g %a" /c >/o # buildkit'],
	},
	'RUN --mount=type=cache that begins as a folder of a stage': {
		dockerfile:
			'FROM scratch AS seed\nCOPY a.txt /s/a\nFROM wherry/base\nRUN --mount=type=cache,target=/c,id=df-seeded,from=seed,source=/s cat /c/a >/o\n',
		files: ['/o 644 0:0 "a"'],
		history: ['RUN /bin/sh -c cat /c/a >/o # buildkit'],
	},
	'RUN --mount=type=cache, read-only and locked': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=cache,target=/c,id=df-ro,sharing=locked,ro touch /c/x 2>/dev/null || echo ro >/o\n',
		files: ['/o 644 0:0 "ro\\n"'],
		history: ['RUN /bin/sh -c touch /c/x 2>/dev/null || echo ro >/o # buildkit'],
	},
	'RUN --mount=type=tmpfs': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=tmpfs,target=/t,size=1m stat -f -c %T /t >/o; df -k /t | tail -1 | tr -s " " | cut -d" " -f2 >>/o; touch /t/x\n',
		files: ['/o 644 0:0 "tmpfs\\n1024\\n"'],
		history: [
			'RUN /bin/sh -c stat -f -c %T /t >/o; df -k /t | tail -1 | tr -s " " | cut -d" " -f2 >>/o; touch /t/x # buildkit',
		],
	},
	'RUN --mount=type=secret as a file': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=secret,id=key wc -c </run/secrets/key >/o; stat -c "%a %u" /run/secrets/key >>/o\n',
		secrets: {key: 'hidden'},
		files: ['/o 644 0:0 "6\\n400 0\\n"'],
		history: ['RUN /bin/sh -c wc -c </run/secrets/key >/o; stat -c "%a %u" /run/secrets/key >>/o # buildkit'],
	},
	'RUN --mount=type=secret elsewhere, with its owner': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=secret,id=key,target=/etc/key,mode=0440,uid=3,gid=4 stat -c "%a %u:%g" /etc/key >/o\n',
		secrets: {key: 'hidden'},
		files: ['/o 644 0:0 "440 3:4\\n"'],
		history: ['RUN /bin/sh -c stat -c "%a %u:%g" /etc/key >/o # buildkit'],
	},
	'RUN --mount=type=secret as a variable': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=secret,id=key,env=KEY echo ${#KEY} >/o; ls /run/secrets 2>/dev/null | wc -l >>/o\n',
		secrets: {key: 'hidden'},
		files: ['/o 644 0:0 "6\\n0\\n"'],
		history: ['RUN /bin/sh -c echo ${#KEY} >/o; ls /run/secrets 2>/dev/null | wc -l >>/o # buildkit'],
	},
	'RUN --mount=type=secret that is not given': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=secret,id=none test ! -e /run/secrets/none && echo none >/o\n',
		files: ['/o 644 0:0 "none\\n"'],
		history: ['RUN /bin/sh -c test ! -e /run/secrets/none && echo none >/o # buildkit'],
	},
	'RUN --mount with a variable': {
		dockerfile: 'FROM wherry/base\nARG D=/m\nRUN --mount=type=bind,source=${S:-dir},target=$D ls /m >/o\n',
		files: ['/o 644 0:0 "c.c\\nsub\\n"'],
		history: ['- ARG D=/m', 'RUN |1 D=/m /bin/sh -c ls /m >/o # buildkit'],
	},
	'RUN with several mounts': {
		dockerfile:
			'FROM wherry/base\nRUN --mount=type=bind,source=a.txt,target=/a --mount=type=tmpfs,target=/t cp /a /t/a && cat /t/a >/o\n',
		files: ['/o 644 0:0 "a"'],
		history: ['RUN /bin/sh -c cp /a /t/a && cat /t/a >/o # buildkit'],
	},
	'RUN --security=insecure with --allow': {
		dockerfile:
			'FROM wherry/base\nRUN --security=insecure echo $((0x$(grep CapEff /proc/self/status | cut -f2) >> 21 & 1)) >/o\nRUN echo $((0x$(grep CapEff /proc/self/status | cut -f2) >> 21 & 1)) >/p\n',
		allow: ['security.insecure'],
		files: ['/o 644 0:0 "1\\n"', '/p 644 0:0 "0\\n"'],
		history: [
			'RUN /bin/sh -c echo $((0x$(grep CapEff /proc/self/status | cut -f2) >> 21 & 1)) >/o # buildkit',
			'RUN /bin/sh -c echo $((0x$(grep CapEff /proc/self/status | cut -f2) >> 21 & 1)) >/p # buildkit',
		],
	},
	'RUN has a host name of its own': {
		dockerfile: 'FROM wherry/base\nRUN cat /proc/sys/kernel/hostname >/o\n',
		files: ['/o 644 0:0 "buildkitsandbox\\n"'],
		history: ['RUN /bin/sh -c cat /proc/sys/kernel/hostname >/o # buildkit'],
	},
	'RUN with an empty environment but PATH': {
		dockerfile:
			'FROM wherry/base\nRUN ["sh", "-c", "env | cut -d= -f1 | sort | grep -v -e PWD -e SHLVL -e ^_ | tr \'\\\\n\' \' \' >/o"]\n',
		files: ['/o 644 0:0 "HOME PATH "'],
		history: [
			"RUN sh -c env | cut -d= -f1 | sort | grep -v -e PWD -e SHLVL -e ^_ | tr '\\n' ' ' >/o # buildkit",
		],
	},
};

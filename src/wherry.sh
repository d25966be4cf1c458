#!/bin/sh
# Starts wherry with the Node that the build has recorded, else with the first one that is new enough.
# Under sudo PATH is not the user's, so the recorded one comes first. No child process in the usual path.

self=$0
while [ -L "$self" ]; do
	link=$(readlink -- "$self") || break
	case $link in
		/*) self=$link ;;
		*) self=${self%/*}/$link ;;
	esac
done
case $self in
	*/*) home=${self%/*}/.. ;;
	*) home=.. ;;
esac

# The user's settings for Node programs are not ours: they slow the start and can load code. The values are
# kept, because `run -e NODE_OPTIONS` hands them on.
if [ -n "${NODE_OPTIONS+x}" ]; then
	export WHERRY_KEPT_NODE_OPTIONS="$NODE_OPTIONS"
	unset NODE_OPTIONS
fi
if [ -n "${NODE_COMPILE_CACHE+x}" ]; then
	export WHERRY_KEPT_NODE_COMPILE_CACHE="$NODE_COMPILE_CACHE"
	unset NODE_COMPILE_CACHE
fi

program=$home/dist/wherry.cjs
if [ ! -f "$program" ]; then
	echo "wherry: not built yet; run \"npm install && npm run build\" in its folder" >&2
	exit 1
fi

if [ -r "$home/dist/node-path" ]; then
	{ IFS= read -r node; IFS= read -r short; IFS= read -r local; IFS= read -r ui; } <"$home/dist/node-path"
	# A package may have been moved since: the path is relative to it where the Node is inside.
	case $node in
		/*) ;;
		*) node=$home/$node ;;
	esac
	word=${1-}
	case $word in
		container | image | network | system | volume) word=${2-} ;;
	esac
	# A session in the terminal UI is the UI.
	case $word in
		attach | exec | run) case " $* " in *' --ui '*) word=ui ;; esac ;;
	esac
	case $word in
		# Node's own modules for these would be compiled from scratch with other flags than its own.
		build | builder | buildx | compose | load | login | logout | push | pull | search) flags= ;;
		# Its first frame needs none of them.
		'' | ui) flags=$ui ;;
		# These may go through a lot of data.
		attach | commit | events | import | logs | save | stats | df) flags=$local ;;
		# V8's optimizing compilers and their threads only compete with what is as short as the rest.
		*) flags=$short ;;
	esac
	# One heap is enough for what is that short: each further one costs page faults. The boot file takes it back.
	if [ -n "$flags" ] && [ -z "${MALLOC_ARENA_MAX+x}" ]; then
		export MALLOC_ARENA_MAX=1 WHERRY_SET_MALLOC_ARENA_MAX=1
	fi
	# shellcheck disable=SC2086 # several words
	[ -x "$node" ] && exec "$node" $flags -- "$program" "$@"
fi

# 22.20 is the first 22 that has all that is used; 23 never got it.
new_enough() {
	[ -x "$1" ] || return 1
	version=$("$1" --version 2>/dev/null) || return 1
	version=${version#v}
	major=${version%%.*}
	minor=${version#*.}
	minor=${minor%%.*}
	case $major$minor in *[!0-9]* | '') return 1 ;; esac
	[ "$major" -ge 24 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 20 ]; }
}

saved=$IFS
IFS=:
for folder in $PATH /usr/local/bin /usr/bin /opt/node/bin; do
	if new_enough "$folder/node"; then
		IFS=$saved
		exec "$folder/node" -- "$program" "$@"
	fi
done
echo 'wherry: Node.js 22.20 or newer (22.x), or 24 or newer, is needed and was not found in PATH' >&2
exit 1

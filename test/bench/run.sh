#!/bin/sh
# Runs the benchmark in a mount, a network and, on a hybrid host, a cgroup namespace of its own: bridges, rules,
# forwarding and programs of all engines stay in there. On such a host, whose v2 hierarchy still has a controller, crun
# refuses to work at all; with that hierarchy out of its sight it sees plain v1. Nothing changes for the host.
here=$(dirname "$0")
aside=$(mktemp -d /tmp/bench-cgroup.XXXXXX)
trap 'rmdir "$aside"' EXIT
trap : INT TERM
unshare --mount --net --propagation private "$here/../setup/own-cgroup.sh" "$aside" sh -c '
	ip link set lo up
	exec node --disable-warning=ExperimentalWarning "$(dirname "$0")/${BENCH:-main.ts}" "$@"
' "$0" "$@"

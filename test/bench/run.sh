#!/bin/sh
# Runs the benchmark in a mount and a network namespace of its own: bridges, rules and forwarding of all engines
# stay in there. On a hybrid host whose v2 hierarchy still has a controller crun refuses to work at all; without
# that mount everybody sees plain v1. Nothing changes for the host.
exec unshare --mount --net --propagation private sh -c '
	if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
	ip link set lo up
	exec node --disable-warning=ExperimentalWarning "$(dirname "$0")/${BENCH:-main.ts}" "$@"
' "$0" "$@"

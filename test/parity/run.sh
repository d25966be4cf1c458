#!/bin/sh
# Runs the comparison in a mount and a network namespace of its own: bridges, rules and forwarding of both engines
# stay in there. On a hybrid host whose v2 hierarchy is mounted beside v1 both see plain v1.
exec unshare --mount --net --propagation private sh -c '
	if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
	ip link set lo up
	exec node --disable-warning=ExperimentalWarning "$(dirname "$0")/main.ts" "$@"
' "$0" "$@"

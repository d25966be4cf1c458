#!/bin/sh
# own-cgroup.sh FOLDER COMMAND...: on a hybrid host the command, in a mount namespace of its own, has a v2 hierarchy of
# its own: a new cgroup, which its processes are in and which is mounted at the folder in place of the host's. What an
# engine attaches to the root of cgroup v2 then concerns nobody else. Elsewhere the command simply runs.
folder=$1
shift
unified=/sys/fs/cgroup/unified
if ! mountpoint -q "$unified"; then exec "$@"; fi
own=$unified/wherry-tests.$$
# A signal ends the command, and then this, which has to clean up.
trap : HUP INT TERM
mkdir "$own" || exit 1
echo $$ >"$own/cgroup.procs"
# shellcheck disable=SC2016
unshare --mount --cgroup --propagation unchanged sh -c '
	mount --make-private /sys/fs/cgroup && mount --make-private "$1" && umount "$1" &&
		mount -t cgroup2 cgroup2 "$2" || exit 1
	shift 2
	exec "$@"' sh "$unified" "$folder" "$@"
status=$?
echo $$ >"$unified/cgroup.procs"
# The last of its processes may need a moment.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	find "$own" -depth -type d -exec rmdir {} \; 2>/dev/null
	if [ ! -d "$own" ]; then break; fi
	sleep 0.2
done
exit $status

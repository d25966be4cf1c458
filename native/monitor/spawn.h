// Makes the processes of a container.
#pragma once

#include "child.h"

namespace wherry {

// How a child gets its streams: from pipes (or a terminal) of the monitor, or the caller's own 0, 1 and 2.
enum class Streams { kMonitor, kInherited };

// clone_init and clone_exec of container.h with a choice of streams.
bool clone_init_with(const PlanView&, int old_netns_fd, Streams, Child*, Failure*);
bool clone_exec_with(const PlanView&, const ExecContext&, Streams, Child*, Failure*);

}  // namespace wherry

// Other containers whose namespaces and mounts one joins. A plan names them by their state file, `container:FILE`
// in place of a path, so that each start finds the process that they have by then.
#pragma once

#include <string>
#include <string_view>

#include "container.h"
#include "kernel/fd.h"

namespace wherry {

// The state file that a path of a plan stands for; empty: it is an ordinary path.
std::string_view donor_file(std::string_view path);

// Whether the container has a process, which need not have an end.
bool donor_runs(const std::string& state_file);

// Whether it waits for its restart policy.
bool donor_restarts(const std::string& state_file);

// Opens one of its namespaces (`net`, `pid`, `ipc`, `mnt`). The failure is in docker's words.
bool open_donor_namespace(const std::string& state_file, const char* kind, Fd* ns, Failure* failure);

// A detached clone of what the container has at a path, as it sees it itself. For a child with one thread.
bool clone_donor_tree(const std::string& state_file, const char* path, bool recursive, Fd* mount, Failure* failure);

}  // namespace wherry

// What an init or an exec child knows about itself while it runs its section, and its operations by subject.
// All of this runs in the child, between clone and execve.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "container.h"
#include "fail.h"
#include "kernel/fd.h"

namespace wherry {

// The user that `user` found, for `ids`.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home = "/";
};

struct ChildState {
  const PlanView* plan = nullptr;
  Section section = Section::kInit;
  int status_fd = -1;
  int pipes[3] = {-1, -1, -1};

  // The root in which paths are resolved: O_PATH or a mount descriptor. -1 until there is one.
  int root = -1;
  // Whether the mount namespace is the child's own; no operation mounts anything before it is.
  bool own_mounts = false;
  bool propagation_set = false;
  // Sources of binds with shared propagation, cloned while they were still peers of the host's mounts; by
  // operation index, -1 for others.
  std::vector<int> shared_sources;
  // Sources of binds with id maps of their own, made by the process that makes this one; the same.
  std::vector<int> mapped_sources;
  int mask_mount = -1;

  Identity identity;
  bool identity_known = false;
  bool death_signal_set = false;
  // The streams are the caller's own (run-plan): their owner is not changed.
  bool foreign_streams = false;
  bool umask_set = false;
  bool ready_sent = false;

  // It goes on when the process that started it ends.
  bool outlives = false;
  // Descriptors from 3 on that the command gets.
  int preserved = 0;
  // The FIFO of awaitStart, O_PATH.
  int start_fifo = -1;

  // The process that runs the command is forked at the end (it goes to another pid namespace, where others
  // could see it): session and terminal are for that one.
  bool fork_at_exec = false;
  // It goes to that of another container.
  bool joined_pids = false;
  bool wants_session = false;
  bool wants_terminal = false;

  // An exec child's container.
  ExecContext container;
};

// Runs the section from its first operation; the last one replaces the program, so this returns on failure
// only (with section and op set).
void run_child_section(ChildState&, Failure*);

// Mounts (root.cc, mounts.cc).
void clone_shared_sources(ChildState&);
bool op_propagation(ChildState&, const Op&, Failure*);
bool op_overlay_root(ChildState&, const Op&, Failure*);
bool op_bind_root(ChildState&, const Op&, Failure*);
bool op_pivot(ChildState&, const Op&, Failure*);
bool op_readonly_root(ChildState&, const Op&, Failure*);
bool op_mount(ChildState&, const Op&, Failure*);
bool op_bind(ChildState&, const Op&, size_t index, Failure*);
bool op_bind_mapped(ChildState&, const Op&, size_t index, Failure*);
// Before the child is made, by who may map ids (id_maps.cc).
bool map_sources(ChildState&, Failure*);
bool op_bind_beneath(ChildState&, const Op&, Failure*);
bool op_bind_image(ChildState&, const Op&, Failure*);
// A detached mount of the layers of `bindImage`.
bool clone_image(ChildState&, const Op&, Fd* mount, Failure*);
// Copies what is in a folder into a tmpfs that will hide it (copy_up.cc).
bool copy_up(int hidden, int tmpfs, Failure*);
bool op_mask(ChildState&, const Op&, Failure*);
bool op_readonly(ChildState&, const Op&, Failure*);

// Files and devices (nodes.cc).
bool op_mkdir(ChildState&, const Op&, Failure*);
bool op_mknod(ChildState&, const Op&, Failure*);
bool op_symlink(ChildState&, const Op&, Failure*);
bool op_bind_from_host_device(ChildState&, const Op&, Failure*);

// Namespaces and limits (namespaces.cc, limits.cc).
bool op_join_cgroups(ChildState&, const Op&, Failure*);
bool op_unshare(ChildState&, const Op&, Failure*);
bool op_join_namespace(ChildState&, const Op&, Failure*);
bool op_join_users(ChildState&, const Op&, Failure*);
// Root of a user namespace that it is in by now.
bool become_root_of_users(Failure*);
bool op_join_container(ChildState&, const Op&, Failure*);
bool join_namespace_file(const char* path, int flag, Failure*);
bool op_hostname(ChildState&, const Op&, Failure*);
bool op_domainname(ChildState&, const Op&, Failure*);
bool op_sysctl(ChildState&, const Op&, Failure*);
bool op_rlimit(ChildState&, const Op&, Failure*);
bool op_loopback_up(ChildState&, const Op&, Failure*);
bool op_oom_score_adj(ChildState&, const Op&, Failure*);
bool op_security_label(ChildState&, const Op&, Failure*);

// Clock, personality, priorities (scheduling.cc); hooks (hooks.cc).
bool op_time_offsets(ChildState&, const Op&, Failure*);
bool op_personality(ChildState&, const Op&, Failure*);
bool op_io_priority(ChildState&, const Op&, Failure*);
bool op_scheduler(ChildState&, const Op&, Failure*);
bool op_run_hook(ChildState&, const Op&, Failure*);

// Streams (console.cc).
bool op_console(ChildState&, const Op&, Failure*);
bool op_stdio(ChildState&, const Op&, Failure*);
bool start_session(ChildState&, Failure*);

// Who it is and what it may (identity.cc, privileges.cc).
bool op_user(ChildState&, const Op&, Failure*);
bool op_ids(ChildState&, const Op&, Failure*);
bool op_bounding_set(ChildState&, const Op&, Failure*);
bool op_capabilities(ChildState&, const Op&, Failure*);
bool op_no_new_privileges(ChildState&, const Op&, Failure*);
bool op_seccomp(ChildState&, const Op&, Failure*);
// Asks for SIGKILL when the monitor dies. A change of ids or capabilities clears it, so it is asked for after.
bool set_death_signal(ChildState&, Failure*);

// The command (program.cc).
bool op_umask(ChildState&, const Op&, Failure*);
bool op_workdir(ChildState&, const Op&, Failure*);
bool op_fork_init(ChildState&, const Op&, Failure*);
bool op_await_start(ChildState&, const Op&, Failure*);
bool op_exec(ChildState&, const Op&, Failure*);

}  // namespace wherry

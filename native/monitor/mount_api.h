// Mounts by descriptor: made or cloned detached, then attached to a descriptor of their target, so that
// between looking a target up and mounting on it nothing can be swapped.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "fail.h"
#include "kernel/fd.h"

namespace wherry {

// MOUNT_ATTR_* of MS_* flags.
uint64_t mount_attributes(uint64_t ms_flags);

// A file system being made: fsopen(2), options, fsmount(2).
class NewFilesystem {
 public:
  bool open(const char* type, Failure*);
  // As a child of this process does it: procfs shows the pid namespace of who opens it, and who has joined
  // one with setns(2) is not in it, only its children are.
  bool open_as_child(const char* type, Failure*);
  // A flag when `value` is null.
  bool option(const char* key, const char* value, Failure*);
  // Comma-separated `key=value` and `flag`.
  bool options(std::string_view data, Failure*);
  bool create(Failure*);
  bool mount(uint64_t attributes, Fd* mount, Failure*);

 private:
  bool refuse(const char* what, Failure*);
  Fd context_;
  const char* type_ = "";
};

// A detached clone of what is at `path` below `dir` (or of `dir` itself when `path` is empty).
int clone_tree(int dir, const char* path, bool recursive);

// Attaches a detached mount to what the O_PATH descriptor refers to.
bool attach(int mount, int target);

// Detaches an attached mount and all below it.
bool detach(int mount);

// Makes a mount and all below it read-only. ENOSYS before Linux 5.12.
bool set_recursive_readonly(int mount);

// Gives a detached mount the id maps of a user namespace. ENOSYS before Linux 5.12, EINVAL where its file system can't.
bool map_ids(int mount, int users, bool recursive);

// Sets attributes and propagation (MS_*, 0 leaves it) of an attached mount. Before Linux 5.12 by remounting,
// and then not recursively.
bool set_attributes(int mount, uint64_t attributes, uint64_t propagation, bool recursive);

}  // namespace wherry

// What is mounted inside the root: file systems, binds, and what hides or protects paths.
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "child.h"
#include "donor.h"
#include "kernel/syscalls.h"
#include "mount_api.h"
#include "paths.h"

namespace wherry {

namespace {

// Of the flags of `bind`: MS_RDONLY for all mounts below.
constexpr uint64_t kAllReadOnly = 1ull << 32;

bool has_root(ChildState& state, Failure* failure) {
  return (state.own_mounts && state.root >= 0) || fail(failure, 0, "the plan mounts without a root of its own");
}

bool same_file(int one, int other) {
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool below(const char* path, const char* folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

// A folder for procfs and sysfs: later operations trust what is below, so no link of the image may move it.
int plain_folder(int root, const char* path) {
  int fd = open_in_root_plainly(root, path, O_PATH | O_DIRECTORY);
  if (fd >= 0 || errno != ENOENT) return fd;
  Fd made(make_in_root(root, path, Make::kFolder, 0755));
  return made ? open_in_root_plainly(root, path, O_PATH | O_DIRECTORY) : -1;
}

// The target of `mask` and `readonly`. Missing: -1 and true. Below /proc it must be on procfs, without links
// on the way: a mask somewhere else would protect nothing.
bool find_protected(ChildState& state, const char* path, Fd* target, Failure* failure) {
  bool in_proc = below(path, "/proc");
  target->reset(in_proc ? open_in_root_plainly(state.root, path, O_PATH) : open_in_root(state.root, path, O_PATH));
  if (!*target) return errno == ENOENT || errno == ENOTDIR || fail(failure, errno, "open %s", path);
  if (in_proc && filesystem_of(target->get()) != PROC_SUPER_MAGIC) {
    // Twice the same mask is no error.
    if (filesystem_of(target->get()) == TMPFS_MAGIC && state.mask_mount >= 0) {
      target->reset();
      return true;
    }
    return fail(failure, 0, "%s is not on procfs", path);
  }
  return true;
}

// A link of the image must not lead a mount onto procfs. Who names a path in /proc has been allowed to.
bool leads_into_proc(int target, const char* path, Failure* failure) {
  if (!strcmp(path, "/proc") || below(path, "/proc") || filesystem_of(target) != PROC_SUPER_MAGIC) return false;
  fail(failure, 0, "\"%s\" cannot be mounted because it is inside /proc", path);
  return true;
}

// `tmpcopyup` is no option of the kernel's. True when it was there.
bool take_copy_up(std::string* data) {
  bool found = false;
  std::string rest;
  for (size_t at = 0; at < data->size();) {
    size_t comma = std::min(data->find(',', at), data->size());
    std::string option = data->substr(at, comma - at);
    at = comma + 1;
    if (option == "tmpcopyup") found = true;
    else if (option != "notmpcopyup") rest += (rest.empty() ? "" : ",") + option;
  }
  *data = rest;
  return found;
}

// The container's /dev/null, which must be that device: an image can't have put something else there.
bool clone_null(ChildState& state, Fd* mount, Failure* failure) {
  Fd null(open_in_root(state.root, "/dev/null", O_PATH));
  struct stat info;
  if (!null || fstat(null.get(), &info) < 0) return fail(failure, errno, "open /dev/null");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    return fail(failure, 0, "/dev/null is not the null device");
  }
  mount->reset(clone_tree(null.get(), "", false));
  return *mount || fail(failure, errno, "clone /dev/null");
}

// Attaches a detached clone of a source at a path in the root, which is made.
bool put_bind(ChildState& state, int mount, const char* source, const char* path, uint64_t flags, uint64_t propagation,
              Failure* failure) {
  struct stat from, to;
  if (fstat(mount, &from) < 0) return fail(failure, errno, "stat %s", source);
  bool folder = S_ISDIR(from.st_mode);
  Fd target(make_in_root(state.root, path, folder ? Make::kFolder : Make::kFile, 0755));
  bool wrong_type = !target && errno == ENOTDIR;
  if (!target && !wrong_type) return fail(failure, errno, "make the mount point %s", path);
  if (target && fstat(target.get(), &to) < 0) return fail(failure, errno, "stat %s", path);
  if (wrong_type || folder != static_cast<bool>(S_ISDIR(to.st_mode))) {
    return fail(failure, 0,
                "mount %s on %s: not a directory: Are you trying to mount a directory onto a file (or vice-versa)? "
                "Check if the specified host path exists and is the expected type",
                source, path);
  }
  if (same_file(target.get(), state.root)) return fail(failure, 0, "%s is the root itself", path);
  if (leads_into_proc(target.get(), path, failure)) return false;
  if (!attach(mount, target.get())) return fail(failure, errno, "bind %s on %s", source, path);
  bool recursive = flags & MS_REC;
  uint64_t attributes = mount_attributes(flags);
  bool all_readonly = (flags & kAllReadOnly) && recursive;
  if (all_readonly && !set_recursive_readonly(mount)) {
    return fail(failure, errno, "make the bind on %s recursively read-only", path);
  }
  // Read-only is a property of the mount itself unless it is asked for all of them; the others are for all.
  bool top = recursive && (attributes & sys::kAttrRdonly);
  if (top && !set_attributes(mount, sys::kAttrRdonly, 0, false)) {
    return fail(failure, errno, "make the bind on %s read-only", path);
  }
  if (top) attributes &= ~sys::kAttrRdonly;
  return set_attributes(mount, attributes, propagation, recursive) ||
         fail(failure, errno, "set the options of the bind on %s", path);
}

// One empty file system serves all masked folders.
bool clone_empty_folder(ChildState& state, Fd* mount, Failure* failure) {
  if (state.mask_mount >= 0) {
    mount->reset(clone_tree(state.mask_mount, "", false));
    return *mount || fail(failure, errno, "clone the empty folder");
  }
  NewFilesystem tmpfs;
  return tmpfs.open("tmpfs", failure) && tmpfs.option("source", "tmpfs", failure) &&
         tmpfs.options("size=0k,mode=0755", failure) && tmpfs.create(failure) &&
         tmpfs.mount(sys::kAttrRdonly | sys::kAttrNosuid | sys::kAttrNodev | sys::kAttrNoexec, mount, failure);
}

// A part of a detached mount, which the kernel clones only once it is attached: for a moment to the container's
// root, which nobody is in yet.
bool put_part(ChildState& state, int image, const char* part, const char* path, uint64_t flags, Failure* failure) {
  if (!attach(image, state.root)) return fail(failure, errno, "attach the image of %s", path);
  Fd from(open_in_root(image, part, O_PATH));
  Fd mount(from ? clone_tree(from.get(), "", false) : -1);
  int err = errno;
  if (!detach(image)) return fail(failure, errno, "detach the image of %s", path);
  if (!mount) return fail(failure, err, "clone %s of the image", part);
  return put_bind(state, mount.get(), part, path, flags, MS_PRIVATE, failure);
}

}  // namespace

void clone_shared_sources(ChildState& state) {
  const auto& ops = state.plan->section(state.section);
  state.shared_sources.assign(ops.size(), -1);
  for (size_t index = 0; index < ops.size(); index++) {
    const Op& op = ops[index];
    if (op.code() != OpCode::kBind || !(op.number(3) & MS_SHARED)) continue;
    // An error shows again at the operation itself, where it can be told.
    state.shared_sources[index] = clone_tree(AT_FDCWD, op.path(0), op.number(2) & MS_REC);
  }
}

bool op_mount(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* type = op.path(0);
  const char* path = op.path(2);
  auto flags = static_cast<uint64_t>(op.number(3));
  if (flags & MS_REMOUNT) {
    Fd mount(open_in_root(state.root, path, O_PATH));
    return (mount && set_attributes(mount.get(), mount_attributes(flags), 0, false)) ||
           fail(failure, errno, "set the options of the mount on %s", path);
  }
  bool special = !strcmp(type, "proc") || !strcmp(type, "sysfs");
  Fd target(special ? plain_folder(state.root, path) : make_in_root(state.root, path, Make::kFolder, 0755));
  if (!target && special && errno == ELOOP) {
    return fail(failure, 0, "%s of the image is a symbolic link; it must be an ordinary directory", path);
  }
  if (!target) return fail(failure, errno, "make the mount point %s", path);
  if (same_file(target.get(), state.root)) return fail(failure, 0, "%s is the root itself", path);
  if (leads_into_proc(target.get(), path, failure)) return false;

  NewFilesystem filesystem;
  bool in_other_pids = state.joined_pids && !strcmp(type, "proc");
  if (!(in_other_pids ? filesystem.open_as_child(type, failure) : filesystem.open(type, failure))) return false;
  if (!op.text(1).empty() && !filesystem.option("source", op.path(1), failure)) return false;
  static constexpr struct {
    uint64_t flag;
    const char* option;
  } kSuperblockFlags[] = {
      {MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_MANDLOCK, "mand"}, {MS_LAZYTIME, "lazytime"}};
  for (const auto& entry : kSuperblockFlags) {
    if ((flags & entry.flag) && !filesystem.option(entry.option, nullptr, failure)) return false;
  }
  Fd mount;
  std::string data(op.text(4));
  bool copies = !strcmp(type, "tmpfs") && take_copy_up(&data);
  if (!filesystem.options(data, failure) || !filesystem.create(failure) ||
      !filesystem.mount(mount_attributes(flags), &mount, failure)) {
    failure->message += " (on " + std::string(path) + ")";
    return false;
  }
  if (copies && !copy_up(target.get(), mount.get(), failure)) return false;
  return attach(mount.get(), target.get()) || fail(failure, errno, "mount %s on %s", type, path);
}

bool op_bind(ChildState& state, const Op& op, size_t index, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* source = op.path(0);
  const char* path = op.path(1);
  auto flags = static_cast<uint64_t>(op.number(2));
  bool recursive = flags & MS_REC;
  Fd mount(index < state.shared_sources.size() ? state.shared_sources[index] : -1);
  if (mount) state.shared_sources[index] = -1;
  // Another container's folder is at the same place there.
  if (std::string_view donor = donor_file(op.text(0)); !donor.empty()) {
    if (!clone_donor_tree(std::string(donor), path, recursive, &mount, failure)) return false;
  }
  if (!mount) mount.reset(clone_tree(AT_FDCWD, source, recursive));
  if (!mount) {
    if (errno == ENOENT) return fail(failure, 0, "bind source path does not exist: %s", source);
    return fail(failure, errno, "bind %s", source);
  }
  return put_bind(state, mount.get(), source, path, flags, static_cast<uint64_t>(op.number(3)), failure);
}

bool op_bind_mapped(ChildState& state, const Op& op, size_t index, Failure* failure) {
  if (!has_root(state, failure)) return false;
  Fd mount(index < state.mapped_sources.size() ? state.mapped_sources[index] : -1);
  if (!mount) return fail(failure, 0, "the source of %s is not mapped", op.path(1));
  state.mapped_sources[index] = -1;
  auto flags = static_cast<uint64_t>(op.number(2));
  return put_bind(state, mount.get(), op.path(0), op.path(1), flags, static_cast<uint64_t>(op.number(3)), failure);
}

bool op_bind_beneath(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  auto flags = static_cast<uint64_t>(op.number(3));
  std::string source = std::string(op.text(0)) + "/" + std::string(op.text(1));
  Fd root(open(op.path(0), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail(failure, errno, "open %s", op.path(0));
  Fd from(open_in_root(root.get(), op.path(1), O_PATH));
  if (!from) return fail(failure, 0, "cannot access path %s: %s", source.c_str(), error_words(errno).c_str());
  Fd mount(clone_tree(from.get(), "", flags & MS_REC));
  if (!mount) return fail(failure, errno, "bind %s", source.c_str());
  return put_bind(state, mount.get(), source.c_str(), op.path(2), flags, static_cast<uint64_t>(op.number(4)), failure);
}

bool op_bind_image(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* path = op.path(2);
  Fd image;
  if (!clone_image(state, op, &image, failure)) return false;
  Fd from(open_in_root(image.get(), path, O_PATH));
  if (!from) return fail(failure, 0, "cannot access path %s: %s", path, error_words(errno).c_str());
  // A detached mount can't be cloned in part: it is attached where it will be, and what is wanted of it over it.
  bool whole = same_file(from.get(), image.get());
  uint64_t flags = MS_RDONLY | MS_NODEV | MS_NOSUID;
  if (whole) return put_bind(state, image.get(), path, op.path(3), flags, MS_PRIVATE, failure);
  return put_part(state, image.get(), path, op.path(3), flags, failure);
}

bool op_mask(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* path = op.path(0);
  Fd target, mount;
  if (!find_protected(state, path, &target, failure)) return false;
  if (!target) return true;
  struct stat info;
  if (fstat(target.get(), &info) < 0) return fail(failure, errno, "stat %s", path);
  bool folder = S_ISDIR(info.st_mode);
  if (same_file(target.get(), state.root)) return fail(failure, 0, "%s is the root itself", path);
  if (folder ? !clone_empty_folder(state, &mount, failure) : !clone_null(state, &mount, failure)) return false;
  if (!attach(mount.get(), target.get())) return fail(failure, errno, "mask %s", path);
  if (folder && state.mask_mount < 0) state.mask_mount = mount.release();
  return true;
}

bool op_readonly(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* path = op.path(0);
  Fd target;
  if (!find_protected(state, path, &target, failure)) return false;
  if (!target) return true;
  Fd mount(clone_tree(target.get(), "", true));
  if (!mount || !attach(mount.get(), target.get())) return fail(failure, errno, "bind %s on itself", path);
  return set_attributes(mount.get(), sys::kAttrRdonly, 0, true) || fail(failure, errno, "make %s read-only", path);
}

}  // namespace wherry

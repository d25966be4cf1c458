// The container's root: mounted in its own mount namespace, then made the root.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "child.h"
#include "kernel/syscalls.h"
#include "mount_api.h"
#include "paths.h"
#include "status.h"
#include "without.h"

namespace wherry {

namespace {

// The kernel takes at most this many bytes for one option.
constexpr size_t kMaxOption = 255;
constexpr size_t kMaxData = 4095;

bool ready_to_mount(ChildState& state, Failure* failure) {
  if (!state.own_mounts) return fail(failure, 0, "the plan mounts without a mount namespace of its own");
  if (state.root >= 0) return fail(failure, 0, "the plan mounts a second root");
  if (!state.propagation_set) {
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) {
      return fail(failure, errno, "make / a slave");
    }
    state.propagation_set = true;
  }
  return true;
}

// Attaches the root at the mount point of the settings, in this namespace only.
bool attach_root(ChildState& state, Fd mount, Failure* failure) {
  const char* mountpoint = state.plan->setting("mountpoint");
  Fd target(open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!target) return fail(failure, errno, "open the mount point %s", mountpoint);
  if (!attach(mount.get(), target.get())) return fail(failure, errno, "mount the root on %s", mountpoint);
  state.root = mount.release();
  return true;
}

// What overlay would take apart in an option: these paths go in by descriptor.
bool plain(const char* path) { return strlen(path) <= kMaxOption && !strpbrk(path, ",:\\\""); }

// A value for an overlay option: the path, or that of a descriptor of it in procfs.
class OverlayPath {
 public:
  bool open(const char* path, bool as_is, Failure* failure) {
    if (as_is) {
      value_ = path;
      return true;
    }
    fd_.reset(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd_) return fail(failure, errno, "open %s", path);
    value_ = "/proc/self/fd/" + std::to_string(fd_.get());
    return true;
  }
  const char* value() const { return value_.c_str(); }

 private:
  Fd fd_;
  std::string value_;
};

struct Overlay {
  const std::vector<std::string_view>& lowers;
  const char* upper;  // empty: read-only
  const char* work;
  const std::vector<std::string_view>& options;
};

// Before Linux 6.5 the lowers are one option. As names of descriptors, relative to /proc/self/fd, 500 of them
// (the most that overlay takes) fit into the page that mount(2) takes. It is mounted at the mount point.
bool mount_overlay_classic(ChildState& state, const Overlay& overlay, Failure* failure) {
  std::vector<Fd> fds;
  auto name = [&](const char* path, std::string* out) {
    Fd fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail(failure, errno, "open %s", path);
    *out += std::to_string(fd.get());
    fds.push_back(std::move(fd));
    return true;
  };
  std::string data = "lowerdir=";
  for (size_t index = 0; index < overlay.lowers.size(); index++) {
    if (index) data += ':';
    if (!name(overlay.lowers[index].data(), &data)) return false;
  }
  if (*overlay.upper) {
    data += ",upperdir=";
    if (!name(overlay.upper, &data)) return false;
    data += ",workdir=";
    if (!name(overlay.work, &data)) return false;
  }
  for (std::string_view option : overlay.options) data += "," + std::string(option);
  if (data.size() > kMaxData) return fail(failure, E2BIG, "mount overlay of %zu layers", overlay.lowers.size());

  const char* mountpoint = state.plan->setting("mountpoint");
  Fd before(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd descriptors(openat(proc_fd(), "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!descriptors || fchdir(descriptors.get()) < 0) return fail(failure, errno, "enter /proc/self/fd");
  bool ok = mount("overlay", mountpoint, "overlay", 0, data.c_str()) == 0;
  int err = errno;
  if (!before || fchdir(before.get()) < 0) return fail(failure, errno, "go back to the folder before");
  return ok || fail(failure, err, "mount overlay on %s", mountpoint);
}

// Option by option, with `lowerdir+`. Asked of the kernel's version, since one that lacks it logs a line each time
// that it is tried.
bool takes_single_lowers() {
  if (sys::without.lowerdir_plus) return false;
  struct utsname system;
  int major = 0, minor = 0;
  if (uname(&system) != 0 || sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 5);
}

bool is_folder(const char* path, Failure* failure) {
  struct stat info;
  if (stat(path, &info) < 0) return fail(failure, errno, "stat %s", path);
  return S_ISDIR(info.st_mode) || fail(failure, ENOTDIR, "%s", path);
}

// Where `takes_single_lowers` says so.
bool make_overlay(const Overlay& overlay, Fd* mount, Failure* failure) {
  NewFilesystem filesystem;
  if (!filesystem.open("overlay", failure)) return false;
  std::vector<OverlayPath> paths;
  for (std::string_view lower : overlay.lowers) {
    paths.emplace_back();
    // `lowerdir+` takes a path as it is, only its length is limited.
    if (!paths.back().open(lower.data(), lower.size() <= kMaxOption, failure) ||
        !filesystem.option("lowerdir+", paths.back().value(), failure)) {
      return false;
    }
  }
  OverlayPath upper, work;
  if (*overlay.upper) {
    if (!upper.open(overlay.upper, plain(overlay.upper), failure) ||
        !work.open(overlay.work, plain(overlay.work), failure) ||
        !filesystem.option("upperdir", upper.value(), failure) ||
        !filesystem.option("workdir", work.value(), failure)) {
      return false;
    }
  }
  for (std::string_view option : overlay.options) {
    if (!filesystem.options(option, failure)) return false;
  }
  return filesystem.option("source", "overlay", failure) && filesystem.create(failure) &&
         filesystem.mount(0, mount, failure);
}

}  // namespace

bool clone_image(ChildState& state, const Op& op, Fd* mount, Failure* failure) {
  const auto& lowers = op.list(0);
  for (std::string_view lower : lowers) {
    if (!is_folder(lower.data(), failure)) return false;
  }
  if (lowers.size() <= 1) {
    if (lowers.empty()) return fail(failure, EINVAL, "an image without layers");
    mount->reset(clone_tree(AT_FDCWD, lowers[0].data(), false));
    return *mount || fail(failure, errno, "clone %s", lowers[0].data());
  }
  Overlay overlay = {lowers, "", "", op.list(1)};
  if (takes_single_lowers()) return make_overlay(overlay, mount, failure);
  // Over the root, and away again.
  const char* mountpoint = state.plan->setting("mountpoint");
  if (!mount_overlay_classic(state, overlay, failure)) return false;
  mount->reset(clone_tree(AT_FDCWD, mountpoint, false));
  if (!*mount) return fail(failure, errno, "clone %s", mountpoint);
  return umount2(mountpoint, MNT_DETACH) == 0 || fail(failure, errno, "unmount %s", mountpoint);
}

bool op_propagation(ChildState& state, const Op& op, Failure* failure) {
  if (!state.own_mounts) return fail(failure, 0, "the plan changes mounts without a mount namespace of its own");
  if (mount(nullptr, op.path(0), nullptr, static_cast<unsigned long>(op.number(1)), nullptr) < 0) {
    return fail(failure, errno, "change the propagation of %s", op.path(0));
  }
  state.propagation_set = true;
  return true;
}

bool op_overlay_root(ChildState& state, const Op& op, Failure* failure) {
  if (!ready_to_mount(state, failure)) return false;
  const auto& lowers = op.list(0);
  bool writable = !op.text(1).empty();
  for (std::string_view lower : lowers) {
    if (!is_folder(lower.data(), failure)) return false;
  }
  // One folder alone is no overlay.
  if (lowers.empty() || (lowers.size() == 1 && !writable)) {
    if (lowers.empty() && !writable) return fail(failure, EINVAL, "a root without layers");
    const char* only = lowers.empty() ? op.path(1) : lowers[0].data();
    Fd mount(clone_tree(AT_FDCWD, only, false));
    if (!mount) return fail(failure, errno, "clone %s", only);
    int fd = mount.get();
    if (!attach_root(state, std::move(mount), failure)) return false;
    uint64_t attributes = writable ? 0 : sys::kAttrRdonly;
    return set_attributes(fd, attributes, MS_PRIVATE, false) || fail(failure, errno, "make the root read-only");
  }

  Overlay overlay = {lowers, op.path(1), op.path(2), op.list(3)};
  if (!takes_single_lowers()) {
    if (!mount_overlay_classic(state, overlay, failure)) return false;
    const char* mountpoint = state.plan->setting("mountpoint");
    state.root = open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return state.root >= 0 || fail(failure, errno, "open %s", mountpoint);
  }
  Fd mount;
  return make_overlay(overlay, &mount, failure) && attach_root(state, std::move(mount), failure);
}

bool op_bind_root(ChildState& state, const Op& op, Failure* failure) {
  if (!ready_to_mount(state, failure) || !is_folder(op.path(0), failure)) return false;
  Fd mount(clone_tree(AT_FDCWD, op.path(0), true));
  if (!mount) return fail(failure, errno, "clone %s", op.path(0));
  int fd = mount.get();
  if (!attach_root(state, std::move(mount), failure)) return false;
  return set_attributes(fd, 0, MS_PRIVATE, true) || fail(failure, errno, "make the root private");
}

bool op_pivot(ChildState& state, const Op&, Failure* failure) {
  if (state.root < 0) return fail(failure, 0, "the plan pivots without a root");
  Fd old_root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!old_root) return fail(failure, errno, "open the old root");
  if (fchdir(state.root) < 0) return fail(failure, errno, "enter the new root");
  // The old root ends up on top of the new one, from where it is detached: no folder in the image is needed.
  if (sys::pivot_root(".", ".") < 0) return fail(failure, errno, "pivot_root");
  if (fchdir(old_root.get()) < 0) return fail(failure, errno, "enter the old root");
  // Detaching must not be told to the host, whatever the propagation was so far.
  if (mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) {
    return fail(failure, errno, "make the old root a slave");
  }
  if (umount2(".", MNT_DETACH) < 0) return fail(failure, errno, "detach the old root");
  if (chdir("/") < 0) return fail(failure, errno, "enter the new root");
  // An overlay writes all of its upper file system to the disk when it is unmounted. The end of the last process would
  // wait for that; whoever holds the root can do it later.
  return send_root(state.status_fd, state.root) || fail(failure, errno, "send the root to the monitor");
}

bool op_readonly_root(ChildState& state, const Op&, Failure* failure) {
  if (state.root < 0) return fail(failure, 0, "the plan has no root");
  return set_attributes(state.root, sys::kAttrRdonly, 0, false) || fail(failure, errno, "make the root read-only");
}

}  // namespace wherry

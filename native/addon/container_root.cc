#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "binding.h"
#include "guard.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "kernel_filesystems.h"
#include "root_paths.h"

// How the files of a container are reached: through descriptors of its root. Paths that begin at one are resolved in
// the mount namespace that the root is mounted in, whichever that is, so other threads need not be in it.
namespace wherry {
namespace {

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

struct Mount {
  std::string source, target;
  bool read_only, recursive;
};

Status mount_one(int root, const Mount &mount) {
  unsigned flags = sys::kOpenTreeClone | sys::kOpenTreeCloexec | (mount.recursive ? sys::kRecursive : 0);
  Fd clone(sys::open_tree(AT_FDCWD, mount.source.c_str(), flags));
  if (!clone) return system_failure(errno, "open_tree", mount.source);
  struct stat source, found;
  if (fstat(clone.get(), &source) != 0) return system_failure(errno, "fstat", mount.source);
  Fd target;
  if (Status failure = make_in_root(root, mount.target, S_ISDIR(source.st_mode), target)) return failure;
  if (fstat(target.get(), &found) != 0) return system_failure(errno, "fstat", mount.target);
  if (is_kernel_filesystem(target.get())) return system_failure(EPERM, "mount", mount.target);
  if (S_ISDIR(source.st_mode) != S_ISDIR(found.st_mode)) return system_failure(ENOTDIR, "mount", mount.target);
  if (sys::attach_mount(clone.get(), target.get()) != 0) return system_failure(errno, "move_mount", mount.target);
  if (!mount.read_only) return {};
  unsigned at = AT_EMPTY_PATH | (mount.recursive ? sys::kRecursive : 0);
  if (sys::mount_setattr(clone.get(), "", at, {sys::kAttrRdonly, 0, 0, 0}) == 0) return {};
  // Before Linux 5.12: the uppermost mount only, as everybody did then.
  std::string link = "/proc/self/fd/" + std::to_string(clone.get());
  if (errno == ENOSYS && ::mount(nullptr, link.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0) {
    return {};
  }
  return system_failure(errno, "mount_setattr", mount.target);
}

/** Leaves the thread in a mount namespace of its own, of which `space` becomes a descriptor. */
Status mount_beneath(int root, const std::string &mountpoint, const std::vector<Mount> &mounts, Fd &space) {
  if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return system_failure(errno, "unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return system_failure(errno, "mount", "/");
  umask(0);
  Fd point(open(mountpoint.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!point) return system_failure(errno, "open", mountpoint);
  if (sys::attach_mount(root, point.get()) != 0) return system_failure(errno, "move_mount", mountpoint);
  Status failure;
  for (const Mount &mount : mounts) {
    if (!failure) failure = mount_one(root, mount);
  }
  if (!failure) {
    space.reset(open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC));
    if (!space) failure = system_failure(errno, "open", "/proc/thread-self/ns/mnt");
  }
  // Not by the end of the thread, of which nobody knows when it is over.
  if (failure) umount2(mountpoint.c_str(), MNT_DETACH);
  return failure;
}

bool read_mounts(const Napi::Value &value, std::vector<Mount> &mounts) {
  if (!value.IsArray()) return false;
  Napi::Array array = value.As<Napi::Array>();
  for (uint32_t at = 0; at < array.Length(); ++at) {
    Napi::Object mount = array.Get(at).ToObject();
    mounts.push_back({mount.Get("source").ToString().Utf8Value(), mount.Get("target").ToString().Utf8Value(),
                      mount.Get("readOnly").ToBoolean().Value(), mount.Get("recursive").ToBoolean().Value()});
  }
  return true;
}

/** mountBeneath(root, mountpoint, mounts): Promise<number> */
Napi::Value mount_beneath_on_thread(const Napi::CallbackInfo &info) {
  int root;
  std::string mountpoint;
  std::vector<Mount> mounts;
  if (!get_arguments(info, root, mountpoint)) return info.Env().Undefined();
  if (!read_mounts(info[2], mounts)) {
    Napi::TypeError::New(info.Env(), "argument 3 must be an array").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  auto space = std::make_shared<Fd>();
  return run_on_thread(
      info.Env(), [=]() -> Status { return mount_beneath(root, mountpoint, mounts, *space); },
      [space](Napi::Env env) { return Napi::Number::New(env, space->release()); });
}

/** unmountRoot(space, mountpoint): Promise<void>. When it resolves, the file systems are unmounted. */
Napi::Value unmount_root_on_thread(const Napi::CallbackInfo &info) {
  int space;
  std::string mountpoint;
  if (!get_arguments(info, space, mountpoint)) return info.Env().Undefined();
  return run_on_thread(
      info.Env(),
      [=]() -> Status {
        if (unshare(CLONE_FS) != 0) return system_failure(errno, "unshare");
        if (setns(space, CLONE_NEWNS) != 0) return system_failure(errno, "setns");
        if (umount2(mountpoint.c_str(), MNT_DETACH) != 0) return system_failure(errno, "umount2", mountpoint);
        return {};
      },
      undefined);
}

/** cloneMount(path): number. A detached mount of one folder, without what is mounted beneath it. */
Napi::Value clone_mount(const Napi::CallbackInfo &info) {
  std::string path;
  if (!get_arguments(info, path)) return info.Env().Undefined();
  int fd = sys::open_tree(AT_FDCWD, path.c_str(), sys::kOpenTreeClone | sys::kOpenTreeCloexec);
  if (fd < 0) return throw_failure(info.Env(), system_failure(errno, "open_tree", path));
  return Napi::Number::New(info.Env(), fd);
}

struct ProcessRoot {
  Fd root, space;
};

/**
 * The root that a process sees; alone, without what is mounted beneath it. The namespace is held, too: at its end,
 * which may be that of the process, what is mounted in it falls away, and paths would lead to what is below.
 */
Status enter_root(int process, int pid, bool alone, ProcessRoot &result) {
  if (unshare(CLONE_FS) != 0) return system_failure(errno, "unshare");
  Fd own(open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!own) return system_failure(errno, "open", "/proc/thread-self/ns/mnt");
  std::string path = "/proc/" + std::to_string(pid) + "/ns/mnt";
  Fd space(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // As long as the process has not ended, its number is no other's.
  if (!space || has_ended(process)) return system_failure(ESRCH, "open", path);
  if (setns(space.get(), CLONE_NEWNS) != 0) return system_failure(errno, "setns");
  Fd root(alone ? sys::open_tree(AT_FDCWD, "/", sys::kOpenTreeClone | sys::kOpenTreeCloexec)
                      : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int number = errno;
  // The end of the thread comes at some time after it has been waited for, and until then it would hold it, too.
  if (setns(own.get(), CLONE_NEWNS) != 0) return system_failure(errno, "setns");
  if (!root) return system_failure(number, alone ? "open_tree" : "open", "/");
  result.root = std::move(root);
  result.space = std::move(space);
  return {};
}

/** openProcessRoot(pidfd, pid, alone): Promise<[number, number]> */
Napi::Value open_process_root_on_thread(const Napi::CallbackInfo &info) {
  int process, pid;
  bool alone;
  if (!get_arguments(info, process, pid, alone)) return info.Env().Undefined();
  auto result = std::make_shared<ProcessRoot>();
  return run_on_thread(
      info.Env(), [=]() -> Status { return enter_root(process, pid, alone, *result); },
      [result](Napi::Env env) {
        Napi::Array fds = Napi::Array::New(env, 2);
        fds.Set(0u, Napi::Number::New(env, result->root.release()));
        fds.Set(1u, Napi::Number::New(env, result->space.release()));
        return fds;
      });
}

Napi::Value big(Napi::Env env, int64_t value) { return Napi::BigInt::New(env, value); }

/** statInRoot(root, path): {mode, size, mtime, isKernels} | undefined. A link in the last place is not followed. */
Napi::Value stat_in_root(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int root;
  std::string path;
  if (!get_arguments(info, root, path)) return env.Undefined();
  Fd fd(sys::openat2(root, path.c_str(), O_PATH | O_NOFOLLOW, 0, sys::kResolveInRoot | sys::kResolveNoMagiclinks));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0) return throw_failure(env, system_failure(errno, "lstat", path));
  Napi::Object result = Napi::Object::New(env);
  result.Set("mode", Napi::Number::New(env, status.st_mode));
  result.Set("size", Napi::Number::New(env, static_cast<double>(status.st_size)));
  result.Set("mtime", big(env, status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec));
  result.Set("kernel", Napi::Boolean::New(env, is_kernel_filesystem(fd.get())));
  return result;
}

/** resolveInRoot(root, path): string */
Napi::Value resolve_path_in_root(const Napi::CallbackInfo &info) {
  int root;
  std::string path, resolved;
  if (!get_arguments(info, root, path)) return info.Env().Undefined();
  if (Status failure = resolve_in_root(root, path, resolved)) return throw_failure(info.Env(), *failure);
  return Napi::String::New(info.Env(), resolved);
}

}  // namespace

void export_container_root(Napi::Env env, Napi::Object exports) {
  exports.Set("mountBeneath", Napi::Function::New(env, mount_beneath_on_thread, "mountBeneath"));
  exports.Set("unmountRoot", Napi::Function::New(env, unmount_root_on_thread, "unmountRoot"));
  exports.Set("cloneMount", Napi::Function::New(env, clone_mount, "cloneMount"));
  exports.Set("openProcessRoot", Napi::Function::New(env, open_process_root_on_thread, "openProcessRoot"));
  exports.Set("statInRoot", Napi::Function::New(env, stat_in_root, "statInRoot"));
  exports.Set("resolveInRoot", Napi::Function::New(env, resolve_path_in_root, "resolveInRoot"));
}

}  // namespace wherry

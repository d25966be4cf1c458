#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "binding.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "xattrs.h"

namespace wherry {
namespace {

constexpr unsigned kRenameNoReplace = 1;

/** openInRoot(root, path, flags, mode): number */
Napi::Value open_in_root(const Napi::CallbackInfo &info) {
  int root, flags, mode;
  std::string path;
  if (!get_arguments(info, root, path, flags, mode)) return info.Env().Undefined();
  // openat2 refuses a mode where no file is made, and flags that it does not know.
  bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  int fd = sys::openat2(root, path.c_str(), static_cast<unsigned>(flags), creates ? mode & 07777 : 0,
                   sys::kResolveInRoot | sys::kResolveNoMagiclinks);
  if (fd < 0) return throw_failure(info.Env(), system_failure(errno, "openat2", path));
  return Napi::Number::New(info.Env(), fd);
}

/** getXattr(path, name): Buffer | undefined */
Napi::Value get_xattr(const Napi::CallbackInfo &info) {
  std::string path, name;
  if (!get_arguments(info, path, name)) return info.Env().Undefined();
  // 64 KiB is the kernel's limit (XATTR_SIZE_MAX), so one call does.
  std::vector<uint8_t> value(65536);
  ssize_t size = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  if (size >= 0) return Napi::Buffer<uint8_t>::Copy(info.Env(), value.data(), static_cast<size_t>(size));
  if (errno == ENODATA || errno == EOPNOTSUPP) return info.Env().Undefined();
  return throw_failure(info.Env(), system_failure(errno, "lgetxattr", path));
}

/** setXattr(path, name, value: Uint8Array): void */
Napi::Value set_xattr(const Napi::CallbackInfo &info) {
  std::string path, name;
  if (!get_arguments(info, path, name)) return info.Env().Undefined();
  if (!info[2].IsTypedArray()) {
    Napi::TypeError::New(info.Env(), "argument 3 must be a Uint8Array").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  auto value = info[2].As<Napi::Uint8Array>();
  if (lsetxattr(path.c_str(), name.c_str(), value.Data(), value.ByteLength(), 0) != 0) {
    return throw_failure(info.Env(), system_failure(errno, "lsetxattr", path));
  }
  return info.Env().Undefined();
}

/** copyXattrs(from, to): void */
Napi::Value copy_xattrs(const Napi::CallbackInfo &info) {
  std::string from, to;
  if (!get_arguments(info, from, to)) return info.Env().Undefined();
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(from), xattrs)) return throw_failure(info.Env(), *failure);
  if (Status failure = write_xattrs(XattrPlace(to), xattrs)) return throw_failure(info.Env(), *failure);
  return info.Env().Undefined();
}

/** digestXattrs(path): string */
Napi::Value digest_xattrs(const Napi::CallbackInfo &info) {
  std::string path;
  if (!get_arguments(info, path)) return info.Env().Undefined();
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(path), xattrs)) return throw_failure(info.Env(), *failure);
  return Napi::String::New(info.Env(), digest_of_xattrs(xattrs));
}

/** mknod(path, mode, device): void. The process's umask does not count. */
Napi::Value make_node(const Napi::CallbackInfo &info) {
  std::string path;
  int mode;
  int64_t device;
  if (!get_arguments(info, path, mode, device)) return info.Env().Undefined();
  if (::mknod(path.c_str(), static_cast<mode_t>(mode), static_cast<dev_t>(device)) != 0) {
    return throw_failure(info.Env(), system_failure(errno, "mknod", path));
  }
  if (chmod(path.c_str(), static_cast<mode_t>(mode) & 07777) != 0) {
    return throw_failure(info.Env(), system_failure(errno, "chmod", path));
  }
  return info.Env().Undefined();
}

/** renameNoReplace(from, to): void */
Napi::Value rename_no_replace(const Napi::CallbackInfo &info) {
  std::string from, to;
  if (!get_arguments(info, from, to)) return info.Env().Undefined();
  if (syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), kRenameNoReplace) != 0) {
    return throw_failure(info.Env(), system_failure(errno, "renameat2", to));
  }
  return info.Env().Undefined();
}

/**
 * spreadFolders(path): void. ext2, ext3 and ext4 put what is made below one folder close together, except below a
 * "top" folder, whose folders go to other parts of the disk. It is a hint: other file systems have none.
 */
Napi::Value spread_folders(const Napi::CallbackInfo &info) {
  std::string path;
  if (!get_arguments(info, path)) return info.Env().Undefined();
  Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct statfs status;
  int flags = 0;
  bool is_ext = folder && fstatfs(folder.get(), &status) == 0 && status.f_type == EXT4_SUPER_MAGIC;
  if (is_ext && ioctl(folder.get(), FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_TOPDIR_FL) == 0) {
    flags |= FS_TOPDIR_FL;
    ioctl(folder.get(), FS_IOC_SETFLAGS, &flags);
  }
  return info.Env().Undefined();
}

/** syncfs(fd): Promise<void> */
Napi::Value sync_file_system(const Napi::CallbackInfo &info) {
  int fd;
  if (!get_arguments(info, fd)) return info.Env().Undefined();
  return run_on_thread(
      info.Env(),
      [fd]() -> Status {
        if (::syncfs(fd) != 0) return system_failure(errno, "syncfs");
        return {};
      },
      [](Napi::Env env) { return env.Undefined(); });
}

}  // namespace

void export_paths(Napi::Env env, Napi::Object exports) {
  exports.Set("openInRoot", Napi::Function::New(env, open_in_root, "openInRoot"));
  exports.Set("getXattr", Napi::Function::New(env, get_xattr, "getXattr"));
  exports.Set("setXattr", Napi::Function::New(env, set_xattr, "setXattr"));
  exports.Set("copyXattrs", Napi::Function::New(env, copy_xattrs, "copyXattrs"));
  exports.Set("digestXattrs", Napi::Function::New(env, digest_xattrs, "digestXattrs"));
  exports.Set("mknod", Napi::Function::New(env, make_node, "mknod"));
  exports.Set("renameNoReplace", Napi::Function::New(env, rename_no_replace, "renameNoReplace"));
  exports.Set("spreadFolders", Napi::Function::New(env, spread_folders, "spreadFolders"));
  exports.Set("syncfs", Napi::Function::New(env, sync_file_system, "syncfs"));
}

}  // namespace wherry

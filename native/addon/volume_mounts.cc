#include <sys/mount.h>

#include <cerrno>

#include "binding.h"

/** What a volume with driver options has mounted on the host while containers use it. */
namespace wherry {
namespace {

/** mountFilesystem(source, target, type, flags, data): Promise<void>; a server may be slow to answer. */
Napi::Value mount_filesystem(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  std::string source, target, type, data;
  int64_t flags = 0;
  if (!get_arguments(info, source, target, type, flags, data)) return env.Undefined();
  return run_on_thread(
      env,
      [=]() -> Status {
        const char *options = data.empty() ? nullptr : data.c_str();
        if (mount(source.c_str(), target.c_str(), type.c_str(), static_cast<unsigned long>(flags), options) == 0) return {};
        return system_failure(errno, "mount", target);
      },
      [](Napi::Env inner) { return inner.Undefined(); });
}

/** unmount(target): Promise<void>; what isn't mounted is fine. */
Napi::Value unmount(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  std::string target;
  if (!get_arguments(info, target)) return env.Undefined();
  return run_on_thread(
      env,
      [=]() -> Status {
        if (umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT) return {};
        return system_failure(errno, "umount", target);
      },
      [](Napi::Env inner) { return inner.Undefined(); });
}

}  // namespace

void export_volume_mounts(Napi::Env env, Napi::Object exports) {
  exports.Set("mountFilesystem", Napi::Function::New(env, mount_filesystem, "mountFilesystem"));
  exports.Set("unmount", Napi::Function::New(env, unmount, "unmount"));
}

}  // namespace wherry

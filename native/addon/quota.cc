#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "binding.h"
#include "kernel/fd.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

namespace wherry {
namespace {

/** Blocks of quotas are 1 KiB, whatever those of the file system are (quotactl(2)). */
constexpr uint64_t kQuotaBlock = 1024;

int quota(int fd, int command, uint32_t project, if_dqblk *block) {
  return static_cast<int>(syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, block));
}

/**
 * limitProject(folder, project, bytes): boolean. Gives a new, empty folder and all that will be made in it to a
 * project, and with `bytes` above 0 limits what that holds. False: others use the project.
 */
Napi::Value limit_project(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  std::string path;
  int64_t project, bytes;
  if (!get_arguments(info, path, project, bytes)) return env.Undefined();
  Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return throw_failure(env, system_failure(errno, "open", path));
  auto id = static_cast<uint32_t>(project);
  if (bytes > 0) {
    if_dqblk block;
    memset(&block, 0, sizeof block);
    if (quota(folder.get(), Q_GETQUOTA, id, &block) != 0 && errno != ENOENT) {
      return throw_failure(env, system_failure(errno, "quotactl", path));
    }
    if (block.dqb_curinodes != 0 || block.dqb_curspace != 0) return Napi::Boolean::New(env, false);
    memset(&block, 0, sizeof block);
    block.dqb_bhardlimit = block.dqb_bsoftlimit = (static_cast<uint64_t>(bytes) + kQuotaBlock - 1) / kQuotaBlock;
    block.dqb_valid = QIF_BLIMITS;
    if (quota(folder.get(), Q_SETQUOTA, id, &block) != 0) {
      return throw_failure(env, system_failure(errno, "quotactl", path));
    }
  }
  fsxattr attributes;
  memset(&attributes, 0, sizeof attributes);
  if (ioctl(folder.get(), FS_IOC_FSGETXATTR, &attributes) != 0) {
    return throw_failure(env, system_failure(errno, "ioctl", path));
  }
  attributes.fsx_projid = id;
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  if (ioctl(folder.get(), FS_IOC_FSSETXATTR, &attributes) != 0) {
    return throw_failure(env, system_failure(errno, "ioctl", path));
  }
  return Napi::Boolean::New(env, true);
}

}  // namespace

void export_quota(Napi::Env env, Napi::Object exports) {
  exports.Set("limitProject", Napi::Function::New(env, limit_project, "limitProject"));
}

}  // namespace wherry

#include "kernel_filesystems.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstdint>

namespace wherry {

/** ipc/mqueue.c */
constexpr uint64_t kMqueueMagic = 0x19800202;

bool is_kernel_filesystem(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return true;
  switch (static_cast<uint64_t>(status.f_type) & 0xffffffff) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case SECURITYFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case BPF_FS_MAGIC:
    case EFIVARFS_MAGIC:
    case PSTOREFS_MAGIC:
    case kMqueueMagic:
      return true;
    default:
      return false;
  }
}

}  // namespace wherry

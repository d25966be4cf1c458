#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

/**
 * System calls that are younger than some C libraries that we build with. The numbers are the same on every
 * architecture (asm-generic/unistd.h); on alpha, which differs, there is no Node.
 */
namespace wherry {

constexpr long kSysOpenTree = 428;
constexpr long kSysMoveMount = 429;
constexpr long kSysFsopen = 430;
constexpr long kSysFsconfig = 431;
constexpr long kSysFsmount = 432;
constexpr long kSysPidfdSendSignal = 424;
constexpr long kSysPidfdOpen = 434;
constexpr long kSysCloseRange = 436;
constexpr long kSysOpenat2 = 437;
constexpr long kSysMountSetattr = 442;

/** struct open_how, linux/openat2.h */
struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

constexpr uint64_t kResolveNoXdev = 0x01;
constexpr uint64_t kResolveNoMagiclinks = 0x02;
constexpr uint64_t kResolveNoSymlinks = 0x04;
constexpr uint64_t kResolveBeneath = 0x08;
constexpr uint64_t kResolveInRoot = 0x10;

/** Repeated on EAGAIN: the kernel gives it when something was renamed while `..` was resolved. */
inline int openat2(int folder, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  OpenHow how = {flags | O_CLOEXEC, mode, resolve};
  for (int attempt = 0;; ++attempt) {
    long fd = syscall(kSysOpenat2, folder, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == 128) return static_cast<int>(fd);
  }
}

constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kOpenTreeCloexec = O_CLOEXEC;
constexpr unsigned kAtRecursive = 0x8000;
constexpr unsigned kMoveMountFromEmptyPath = 0x04;
constexpr unsigned kMoveMountToEmptyPath = 0x40;
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsconfigSetString = 1;
constexpr unsigned kFsconfigCreate = 6;
constexpr unsigned kFsmountCloexec = 1;
constexpr uint64_t kMountAttrRdonly = 1;

/** struct mount_attr, linux/mount.h */
struct MountAttr {
  uint64_t set;
  uint64_t clear;
  uint64_t propagation;
  uint64_t userns_fd;
};

inline int open_tree(int folder, const char *path, unsigned flags) {
  return static_cast<int>(syscall(kSysOpenTree, folder, path, flags));
}

/** Mounts a detached mount on what an O_PATH descriptor stands for. */
inline int attach_mount(int mount, int target) {
  return static_cast<int>(
      syscall(kSysMoveMount, mount, "", target, "", kMoveMountFromEmptyPath | kMoveMountToEmptyPath));
}

inline int mount_setattr(int folder, const char *path, unsigned flags, const MountAttr &attr) {
  return static_cast<int>(syscall(kSysMountSetattr, folder, path, flags, &attr, sizeof attr));
}

}  // namespace wherry

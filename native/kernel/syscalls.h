// System calls and flags that the C library or the kernel headers of a build machine may lack. The numbers
// are the same on every architecture since Linux 5.1 (asm-generic/unistd.h).
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace wherry::sys {

struct OpenHow {
  uint64_t flags, mode, resolve;
};
struct MountAttr {
  uint64_t set, clear, propagation, userns;
};
struct CloneArgs {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

constexpr uint64_t kResolveNoXdev = 0x01;
constexpr uint64_t kResolveNoMagiclinks = 0x02;
constexpr uint64_t kResolveNoSymlinks = 0x04;
constexpr uint64_t kResolveBeneath = 0x08;
constexpr uint64_t kResolveInRoot = 0x10;

constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kOpenTreeCloexec = O_CLOEXEC;
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE
constexpr unsigned kMoveMountFromEmpty = 0x04;
constexpr unsigned kMoveMountToEmpty = 0x40;

constexpr uint64_t kAttrRdonly = 0x01;
constexpr uint64_t kAttrNosuid = 0x02;
constexpr uint64_t kAttrNodev = 0x04;
constexpr uint64_t kAttrNoexec = 0x08;
constexpr uint64_t kAttrNoatime = 0x10;
constexpr uint64_t kAttrStrictatime = 0x20;
constexpr uint64_t kAttrAtimeMask = 0x70;
constexpr uint64_t kAttrNodiratime = 0x80;
constexpr uint64_t kAttrIdmap = 0x00100000;

constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsmountCloexec = 1;
constexpr unsigned kFsconfigFlag = 0;
constexpr unsigned kFsconfigString = 1;
constexpr unsigned kFsconfigCreate = 6;

constexpr uint64_t kClonePidfd = 0x00001000;
constexpr uint64_t kCloneParent = 0x00008000;
constexpr uint64_t kCloneIntoCgroup = 0x200000000ULL;

// Repeated on EAGAIN: the kernel gives it when something was renamed while `..` was resolved.
inline int openat2(int dir, const char* path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  constexpr int kMostAttempts = 128;
  OpenHow how{flags | O_CLOEXEC, mode, resolve};
  for (int attempt = 1;; attempt++) {
    long fd = syscall(437, dir, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == kMostAttempts) return static_cast<int>(fd);
  }
}
inline int open_tree(int dir, const char* path, unsigned flags) {
  return static_cast<int>(syscall(428, dir, path, flags));
}
inline int move_mount(int from, const char* from_path, int to, const char* to_path, unsigned flags) {
  return static_cast<int>(syscall(429, from, from_path, to, to_path, flags));
}
// Mounts a detached mount on what an O_PATH descriptor stands for.
inline int attach_mount(int mount, int target) {
  return move_mount(mount, "", target, "", kMoveMountFromEmpty | kMoveMountToEmpty);
}
inline int fsopen(const char* type, unsigned flags) { return static_cast<int>(syscall(430, type, flags)); }
inline int fsconfig(int fd, unsigned command, const char* key, const void* value, int aux) {
  return static_cast<int>(syscall(431, fd, command, key, value, aux));
}
inline int fsmount(int fd, unsigned flags, unsigned attributes) {
  return static_cast<int>(syscall(432, fd, flags, attributes));
}
inline int pidfd_open(pid_t pid) { return static_cast<int>(syscall(434, pid, 0)); }
inline int pidfd_send_signal(int pidfd, int signal) {
  return static_cast<int>(syscall(424, pidfd, signal, nullptr, 0));
}
inline long clone3(CloneArgs* arguments) { return syscall(435, arguments, sizeof *arguments); }
inline int close_range(unsigned first, unsigned last) { return static_cast<int>(syscall(436, first, last, 0)); }
inline int mount_setattr(int dir, const char* path, unsigned flags, const MountAttr& attributes) {
  return static_cast<int>(syscall(442, dir, path, flags, &attributes, sizeof attributes));
}
inline int pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(syscall(SYS_pivot_root, new_root, put_old));
}

}  // namespace wherry::sys

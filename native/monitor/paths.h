// Paths inside a root that nobody trusts. All of them are resolved by the kernel as if the root were `/`, so
// symbolic links, `..` and mounts of an image or a volume can't lead out of it, and procfs's magic links are
// never followed.
#pragma once

#include <sys/types.h>

#include <string>

#include "kernel/fd.h"

namespace wherry {

// openat2(2) in the root. A negative result is -1 with errno.
int open_in_root(int root, const char* path, int flags, unsigned mode = 0);
// The same, but no component may be a symbolic link.
int open_in_root_plainly(int root, const char* path, int flags);

enum class Make { kFolder, kFile };
// An O_PATH descriptor of what `path` leads to in the root, made (with its parents) when it is missing. A link
// that leads nowhere is followed as far as its target would be. -1 with errno.
int make_in_root(int root, const char* path, Make what, unsigned mode);

// Where a new file goes: an O_PATH descriptor of its folder, made with 0755 when missing, and its name.
struct Place {
  Fd folder;
  std::string name;
};
bool place_in_root(int root, const char* path, Place* place);  // false with errno

// A descriptor's file system magic (statfs f_type), 0 when unknown.
long filesystem_of(int fd);

// The process's procfs, held from the start: it is the host's, so no image can put anything in its place.
int proc_fd();
void open_proc();

// read(2) until the end, at most `limit` bytes. False with errno; EFBIG: there is more.
bool read_bounded(int fd, size_t limit, std::string* text);

}  // namespace wherry

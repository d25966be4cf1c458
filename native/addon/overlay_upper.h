#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "kernel/fd.h"

/** What an overlay's upper folder says about the folders below it (Documentation/filesystems/overlayfs.rst). */
namespace wherry {

inline bool is_whiteout(const struct stat &status) { return S_ISCHR(status.st_mode) && status.st_rdev == 0; }

/** Asked of a path, which may be a link to a descriptor. */
bool is_opaque(const std::string &path);

/** lstat of a path beneath a folder, whose own folders are no links. False: it is not there. */
bool stat_beneath(int root, const std::string &path, struct stat &status);

/**
 * Files, and folders, that the start of a container makes in its root as mount points where an image has none.
 * They are no changes of the container's: a file is one as long as it is empty, a folder as long as nothing else is
 * in it and the image has none there, or one with the same mode and owner. So are links, as "path -> target".
 */
struct StartMarks {
  std::vector<std::string> files, folders, links;
  /** The image's root, O_PATH or open. */
  int base = -1;

  bool covers(int fd, const std::string &path, const struct stat &status) const;
};

}  // namespace wherry

#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <vector>

#include "failure.h"

namespace wherry {

struct DirectoryEntry {
  std::string name;
  /** DT_DIR and so on; DT_UNKNOWN where the file system does not say. */
  unsigned char type;
};

/** All entries but `.` and `..`, so that the folder may be changed while they are gone through. */
Status list_directory(int folder, std::vector<DirectoryEntry> &entries);

/**
 * Removes `name` in `folder` with all that is beneath it. No link is followed, and nothing beyond a mount point
 * is touched (EBUSY or EXDEV instead). A missing one is fine.
 */
Status remove_tree(int folder, const std::string &name);

/** Copies what is in `from`, and its own metadata, into the existing folder `to`. Only on a thread with its own fs (unshare CLONE_FS). */
Status copy_tree(int from, int to);

}  // namespace wherry

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "failure.h"

namespace wherry {

/** Names and values of extended attributes, sorted by name. */
using Xattrs = std::vector<std::pair<std::string, std::string>>;

/**
 * What no archive and no other file may bring: overlay's own attributes, which say where a layer's files are to be
 * found, and what this host's security module thinks of a file.
 */
bool is_host_xattr(const char *name);

/** Whether an attribute is its file's own, so that it goes where the file goes. */
bool is_portable_xattr(const char *name);

/** Whose attributes are meant. */
struct XattrPlace {
  /** An open file, not by O_PATH. */
  explicit XattrPlace(int file) : fd(file) {}
  /** A name in an open folder, which is not followed. */
  XattrPlace(int folder, const char *name) : path("/proc/self/fd/" + std::to_string(folder) + "/" + name) {}
  explicit XattrPlace(std::string name) : path(std::move(name)) {}
  /** What a descriptor's own link in /proc stands for, also by O_PATH. */
  static XattrPlace behind(std::string link) {
    XattrPlace place(std::move(link));
    place.follows = true;
    return place;
  }

  int fd = -1;
  std::string path;
  bool follows = false;
};

/** The portable ones. None where the file system has no attributes, or the file is gone. */
Status read_xattrs(const XattrPlace &place, Xattrs &xattrs);

/**
 * After the file has its owner: chown takes its capabilities away. What the file system can't keep, or we may not set,
 * is left out, as BuildKit does. Of capabilities and access lists any other failure is told.
 */
Status write_xattrs(const XattrPlace &place, const Xattrs &xattrs);

/** Whether there is an access list, which says more of the mode than the mode does. */
bool has_access_list(const Xattrs &xattrs);

/** `sha256:<hex>` of them; empty when there are none. */
std::string digest_of_xattrs(const Xattrs &xattrs);

}  // namespace wherry

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/fd.h"
#include "tar_reader.h"
#include "xattrs.h"

namespace wherry {

struct UnpackOptions {
  /** The folder to unpack into, as messages name it and, in a container, where it is. */
  std::string folder;
  /** `root` is the folder itself, and no link in it is followed. Otherwise it is what `/` means, for `folder` and all links. */
  bool beneath = false;
  /** Files get the owners that their entries say. */
  bool owners = true;
  /** Files get this owner. */
  std::optional<std::pair<uint32_t, uint32_t>> owner;
  /** What is no folder takes the place of one, and the other way round; a link to a folder is one. As BuildKit's ADD. */
  bool replaces = false;
  /** A pidfd: when its process has ended, the unpacking fails. */
  int guard = -1;
};

/**
 * Unpacks an archive into a tree that has files already, and in which others may be at work meanwhile, by docker's
 * rules: folders are merged, other files replaced, and neither becomes the other, unless that is asked for. The kernel resolves every path
 * in the root, what is made is new (nothing that is there is ever written to), and all else is asked of
 * descriptors, so links that others put in the way lead nowhere else.
 *
 * On a thread with an fs of its own (unshare CLONE_FS).
 */
class TreeUnpacker {
 public:
  TreeUnpacker(Fd root, UnpackOptions options) : root_(std::move(root)), options_(std::move(options)) {}

  /** All entries of the archive. */
  Status unpack(TarReader &reader);

  uint64_t entries() const { return entries_; }

 private:
  struct Folder {
    std::string path;
    TarTime mtime;
    /** What is made in the folder would inherit of it. */
    Xattrs default_list;
  };

  Status unpack_entry(const TarEntry &entry, TarReader &reader);
  Status find_parent(const std::string &path, bool make, std::string &name);
  Status open_folder(const std::string &path, Fd &folder);
  Status make_folders(const std::string &path, Fd &folder);
  Status make_room(const TarEntry &entry, const std::string &path, const std::string &name, bool &merges);
  Status remove_file(int folder, const std::string &path, const std::string &name);
  Status make_folder(const TarEntry &entry, const std::string &path, const std::string &name, bool merges);
  Status make_file(const TarEntry &entry, TarReader &reader, const std::string &path, const std::string &name);
  Status make_link(const TarEntry &entry, const std::string &path, const std::string &name);
  Status make_other(const TarEntry &entry, const std::string &path, const std::string &name);
  Status remember_folder(const TarEntry &entry, const std::string &path, int fd);
  Status set_metadata(const TarEntry &entry, const std::string &path, int fd);
  Status finish_folders();
  std::string shown(const std::string &path) const;

  Fd root_;
  UnpackOptions options_;
  uint64_t entries_ = 0;
  /** The last folder that an entry lay in: archives go folder by folder. */
  Fd parent_;
  std::string parent_path_;
  bool has_parent_ = false;
  std::vector<Folder> folders_;
};

}  // namespace wherry

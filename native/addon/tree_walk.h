#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "directory.h"
#include "kernel/fd.h"

namespace wherry {

struct WalkEntry {
  /** Beneath the start, without a leading slash; empty for the start itself. */
  std::string path;
  /** O_PATH: what is asked of the entry is asked of what was found, whatever has its name by now. */
  Fd fd;
  struct stat status = {};
  /** A folder on another file system than the one that it lies in. */
  bool crosses = false;

  /** A path of the descriptor, for calls that take no such descriptors; it is followed to the entry only. */
  std::string link() const { return "/proc/self/fd/" + std::to_string(fd.get()); }
};

/**
 * Goes through a tree while somebody else may be changing it: each folder before what is in it, names in the order
 * of their bytes. No link is followed, and nothing is opened by a path, so it never leaves what it began in.
 * It needs a fixed number of descriptors, however deep the tree is.
 */
class TreeWalk {
 public:
  /** `start` is an O_PATH descriptor of anything. */
  explicit TreeWalk(Fd start) : start_(std::move(start)) {}

  /** `end` is set behind the last. What has vanished is left out. */
  Status next(WalkEntry &entry, bool &end);
  /** Doesn't go into the folder that was given last. */
  void skip() { enter_ = false; }

 private:
  struct Frame {
    Fd fd;
    std::vector<DirectoryEntry> entries;
    size_t at = 0;
    size_t path_size = 0;
    dev_t device = 0;
    ino_t inode = 0;
  };

  Status begin(WalkEntry &entry);
  Status enter_last();
  Status reopen(size_t index);

  Fd start_;
  std::vector<Frame> frames_;
  /** Of the frames whose descriptor was closed, the one behind the last. */
  size_t first_open_ = 1;
  std::string path_;
  /** The last entry, when it was a folder. */
  Fd last_;
  struct stat last_status_ = {};
  bool began_ = false, enter_ = false;
};

}  // namespace wherry

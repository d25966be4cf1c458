#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernel/fd.h"
#include "tar_header.h"

namespace wherry {

struct LayerFolder {
  LayerFolder *parent = nullptr;
  unsigned depth = 0;
  std::string name;
  std::unordered_map<std::string, std::unique_ptr<LayerFolder>> folders;
  /** Names in it for which the layer has a whiteout. */
  std::unordered_set<std::string> whiteouts;
  Fd fd;
  /** An entry of the archive made it, not only the need of another entry. */
  bool has_entry = false;
  bool opaque = false;
  /** Set when all is unpacked: whatever is put into a folder changes its time. */
  uint32_t mode = 0755, uid = 0, gid = 0;
  TarTime mtime;
  std::vector<std::pair<std::string, std::string>> xattrs;

  std::string path() const;
};

/**
 * The folders of a layer that is being unpacked. Nobody else changes them meanwhile, so what is known here is
 * what is on the disk. Names of an archive are resolved here, one component at a time, with symbolic links
 * read and resolved beneath the root; the kernel is only ever given a descriptor of a folder of this layer
 * and one name in it. So no entry can reach anything outside, whatever links the archive made before.
 */
class LayerTree {
 public:
  /** `root` is an open, empty folder. */
  explicit LayerTree(Fd root);

  LayerFolder &root() { return root_; }

  /**
   * The folder in which a cleaned path (see `clean_path`) has its last name, and that name. Missing folders are
   * made when `make` is set; otherwise `folder` is null when there is one.
   */
  Status find_parent(const std::string &path, bool make, LayerFolder *&folder, std::string &name);

  /** Opens it where it is not. `also`: a folder whose descriptor must stay open. */
  Status open(LayerFolder &folder, const LayerFolder *also = nullptr);

  /** Makes a folder for an entry; whatever else has the name is removed. */
  Status make_folder(LayerFolder &parent, const std::string &name, LayerFolder *&made);

  /** Counts memory that the rest of the archive needs kept. A stranger's archive gets a limited amount. */
  Status remember(size_t size);

  /** Removes whatever has the name. */
  Status remove(LayerFolder &parent, const std::string &name);

  /** Gives all folders their owners, modes, attributes and times. */
  Status finish();

  /** Paths of the folders without an entry, parents first. */
  std::vector<std::string> implied();

 private:
  Status enter(LayerFolder &from, const std::string &name, bool make, unsigned &links, LayerFolder *&found);
  Status walk(LayerFolder &from, const std::string &path, bool make, unsigned &links, LayerFolder *&found);
  Status make(LayerFolder &parent, const std::string &name, LayerFolder *&made);
  Status finish_folder(LayerFolder &folder);
  void close_all(const LayerFolder *keep);

  LayerFolder root_;
  size_t remembered_ = 0;
  std::vector<LayerFolder *> open_;
  /** The last parent that was looked for: archives go folder by folder. */
  std::string last_path_;
  LayerFolder *last_ = nullptr;
};

/**
 * The path without `.`, empty and `..` components, relative to the root; "" is the root itself. As docker
 * does: absolute ones are beneath the root, ones that leave it with `..` are refused.
 */
Status clean_path(const std::string &name, std::string &path);

/** Sets attributes of `name` in the folder; those that the file system can't hold are left out, as docker does. */
Status set_xattrs(int folder, const char *name, const std::vector<std::pair<std::string, std::string>> &xattrs);

}  // namespace wherry

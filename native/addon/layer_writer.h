#pragma once

#include "layer_tree.h"
#include "tar_reader.h"

namespace wherry {

/**
 * Unpacks a layer's archive (OCI image-spec, layer.md) into an empty folder, with its whiteouts in the form that
 * overlay reads. Later entries replace earlier ones of the same name.
 *
 * The thread that calls it must have an fs of its own (unshare CLONE_FS) and a umask of 0.
 */
class LayerWriter {
 public:
  explicit LayerWriter(Fd root, uint64_t max_entries = UINT64_MAX);

  /** All entries of the archive. */
  Status write(TarReader &reader);

  uint64_t entries() const { return entries_; }
  /** Bytes that the files and links of all entries hold, with holes. */
  uint64_t content() const { return content_; }
  std::vector<std::string> implied() { return tree_.implied(); }

 private:
  Status prepare_root();
  Status write_entry(const TarEntry &entry, TarReader &reader);
  Status write_file(const TarEntry &entry, TarReader &reader, LayerFolder &parent, const std::string &name);
  Status write_hard_link(const TarEntry &entry, const std::string &path, LayerFolder &parent, const std::string &name);
  Status write_folder(const TarEntry &entry, LayerFolder &folder);
  Status write_whiteout(LayerFolder &parent, const std::string &name);
  template <typename Make>
  Status replace(LayerFolder &parent, const std::string &name, const char *syscall, Make make);
  Status set_metadata(const TarEntry &entry, LayerFolder &parent, const std::string &name);

  LayerTree tree_;
  const uint64_t max_entries_;
  uint64_t entries_ = 0;
  uint64_t content_ = 0;
  /** New files are ours: for most of a layer's, that is right already. */
  uint32_t uid_, gid_;
};

}  // namespace wherry

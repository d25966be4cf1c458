#pragma once

#include <cstdint>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "failure.h"

namespace wherry {

using Sha256Bytes = std::array<uint8_t, 32>;

/** What a file's content and its extended attributes can't change without: the change time can't be set, only moved on. */
struct FileStamp {
  uint64_t size = 0;
  int64_t modified = 0, changed = 0;  // nanoseconds since the epoch
  uint64_t inode = 0, device = 0;

  bool operator==(const FileStamp &other) const {
    return size == other.size && modified == other.modified && changed == other.changed && inode == other.inode &&
           device == other.device;
  }
};

struct CachedFile {
  std::string_view name;
  FileStamp stamp;
  Sha256Bytes digest;
};

/** Digests of files by their stamps, read from a file of our own. Whatever is wrong with the file, there are none then. */
class StatCache {
 public:
  void read(const std::string &path);
  /** Sorted by name; null: nothing is known of the folder. */
  const std::vector<CachedFile> *folder(const std::string &path) const;
  size_t files() const { return files_; }

 private:
  bool parse();

  std::string bytes_;
  size_t files_ = 0;
  std::unordered_map<std::string_view, std::vector<CachedFile>> folders_;
};

/** Collects what the next StatCache reads. Files are added folder by folder, sorted by name. */
class StatCacheWriter {
 public:
  StatCacheWriter();
  void begin_folder(std::string_view path);
  void add(std::string_view name, const FileStamp &stamp, const Sha256Bytes &digest);
  /** Replaces the file by a rename. Nothing is written when somebody else is writing it right now. */
  Status write(const std::string &path);

 private:
  void put(const void *data, size_t size) { bytes_.append(static_cast<const char *>(data), size); }

  std::string bytes_;
  size_t count_at_ = 0;
  uint32_t count_ = 0;
};

}  // namespace wherry

#include "stat_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "kernel/fd.h"
#include "sha256.h"

namespace wherry {
namespace {

/**
 * The file: this line, then folders (length of the path, path, number of files), each with its files (length of the
 * name, name, stamp, digest), then `sha256:<hex>` of all that. Numbers as the machine has them.
 */
constexpr std::string_view kMagic = "wherry stat cache 2\n";
constexpr size_t kDigestSize = 7 + 64;
constexpr off_t kLargest = off_t{1} << 30;
constexpr size_t kFileSize = sizeof(uint16_t) + sizeof(FileStamp) + sizeof(Sha256Bytes);

std::string digest_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
  return hash.digest();
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  template <typename Value>
  bool take(Value &value) {
    if (rest_.size() < sizeof value) return false;
    memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }
  bool take(std::string_view &text, size_t size) {
    if (rest_.size() < size) return false;
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

}  // namespace

void StatCache::read(const std::string &path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kLargest) return;
  bytes_.resize(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < bytes_.size()) {
    ssize_t got = ::read(fd.get(), bytes_.data() + have, bytes_.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    have += static_cast<size_t>(got);
  }
  if (parse()) return;
  folders_.clear();
  files_ = 0;
}

bool StatCache::parse() {
  std::string_view all = bytes_;
  if (all.size() < kMagic.size() + kDigestSize || all.substr(0, kMagic.size()) != kMagic) return false;
  std::string_view body = all.substr(0, all.size() - kDigestSize);
  if (digest_of(body) != all.substr(body.size())) return false;
  Reader reader(body.substr(kMagic.size()));
  while (!reader.done()) {
    uint32_t size, count;
    std::string_view path;
    if (!reader.take(size) || !reader.take(path, size) || !reader.take(count)) return false;
    if (count > reader.left() / kFileSize) return false;
    std::vector<CachedFile> &files = folders_[path];
    files.resize(count);
    for (CachedFile &file : files) {
      uint16_t length;
      if (!reader.take(length) || !reader.take(file.name, length)) return false;
      if (!reader.take(file.stamp) || !reader.take(file.digest)) return false;
    }
    files_ += count;
  }
  return true;
}

const std::vector<CachedFile> *StatCache::folder(const std::string &path) const {
  auto found = folders_.find(path);
  return found == folders_.end() ? nullptr : &found->second;
}

StatCacheWriter::StatCacheWriter() : bytes_(kMagic) {}

void StatCacheWriter::begin_folder(std::string_view path) {
  auto size = static_cast<uint32_t>(path.size());
  put(&size, sizeof size);
  put(path.data(), path.size());
  count_at_ = bytes_.size();
  count_ = 0;
  put(&count_, sizeof count_);
}

void StatCacheWriter::add(std::string_view name, const FileStamp &stamp, const Sha256Bytes &digest) {
  auto size = static_cast<uint16_t>(name.size());
  put(&size, sizeof size);
  put(name.data(), name.size());
  put(&stamp, sizeof stamp);
  put(&digest, sizeof digest);
  ++count_;
  memcpy(bytes_.data() + count_at_, &count_, sizeof count_);
}

Status StatCacheWriter::write(const std::string &path) {
  // One name for all, so that what a writer that was killed leaves is the next one's.
  std::string staging = path + ".new";
  Fd fd(open(staging.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_failure(errno, "open", staging);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  struct stat held, named;
  if (fstat(fd.get(), &held) != 0) return system_failure(errno, "fstat", staging);
  // Another one may have made it the cache meanwhile.
  if (stat(staging.c_str(), &named) != 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev) return {};
  Status failure;
  bytes_ += digest_of(bytes_);
  if (ftruncate(fd.get(), 0) != 0) failure = system_failure(errno, "ftruncate", staging);
  for (size_t put = 0; !failure && put < bytes_.size();) {
    ssize_t written = ::write(fd.get(), bytes_.data() + put, bytes_.size() - put);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) failure = system_failure(errno, "write", staging);
    else put += static_cast<size_t>(written);
  }
  if (!failure && rename(staging.c_str(), path.c_str()) != 0) failure = system_failure(errno, "rename", staging);
  if (failure) unlink(staging.c_str());
  return failure;
}

}  // namespace wherry

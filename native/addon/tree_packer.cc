#include "tree_packer.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "guard.h"
#include "kernel_filesystems.h"
#include "tar_writer.h"
#include "tree_walk.h"
#include "xattrs.h"

namespace wherry {
namespace {

/** Holes that are worth a format which not every reader knows. */
constexpr off_t kWorthwhileHoles = 64 << 10;
constexpr size_t kMaxParts = 1 << 19;
constexpr char kWhiteout[] = ".wh.";
constexpr char kOpaqueMarker[] = ".wh..wh..opq";

class Packer {
 public:
  Packer(const PackOptions &options, ArchiveWriter &writer, PackStats &stats)
      : options_(options), writer_(writer), stats_(stats) {}

  Status pack(Fd source);

 private:
  Status pack_entry(WalkEntry &entry, TreeWalk &walk);
  Status pack_folder(const WalkEntry &entry, TarEntry &header, TreeWalk &walk);
  Status pack_file(const WalkEntry &entry, TarEntry &header);
  Status write_header(const TarEntry &header);
  Status write_whiteout(const std::string &folder, const std::string &name);
  Status write_range(int file, uint64_t offset, uint64_t length);
  bool find_parts(int file, uint64_t size, TarEntry &header);
  bool is_closed(const WalkEntry &entry);
  std::string name_of(const std::string &path) const;

  const PackOptions &options_;
  ArchiveWriter &writer_;
  PackStats &stats_;
  /** Where the first name of a file with several is in the archive. */
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
};

Failure stopped() { return own_failure("ECANCELED", "stopped"); }

std::string Packer::name_of(const std::string &path) const {
  if (path.empty()) return options_.name;
  if (options_.name.empty()) return path;
  return options_.name.back() == '/' ? options_.name + path : options_.name + "/" + path;
}

Status Packer::write_header(const TarEntry &header) {
  std::string bytes = encode_header(header);
  if (!writer_.write(bytes.data(), bytes.size())) return stopped();
  ++stats_.entries;
  return {};
}

Status Packer::write_whiteout(const std::string &folder, const std::string &name) {
  TarEntry header;
  header.name = name_of(folder.empty() ? name : folder + "/" + name);
  return write_header(header);
}

/** A file that is shorter by now ends in zeros: its header has been written. */
Status Packer::write_range(int file, uint64_t offset, uint64_t length) {
  uint64_t end = offset + length;
  while (offset < end) {
    size_t space;
    uint8_t *at = writer_.room(space);
    if (at == nullptr) return stopped();
    size_t wanted = static_cast<size_t>(std::min<uint64_t>(space, end - offset));
    ssize_t got = pread(file, at, wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(errno, "read");
    if (got == 0) return writer_.zeros(end - offset) ? Status() : stopped();
    writer_.written(static_cast<size_t>(got));
    offset += static_cast<size_t>(got);
    if (has_ended(options_.guard)) return guard_failure();
  }
  return {};
}

/** False when the holes are not worth it. */
bool Packer::find_parts(int file, uint64_t size, TarEntry &header) {
  auto end = static_cast<off_t>(size);
  off_t holes = 0;
  for (off_t at = 0; at < end;) {
    off_t data = lseek(file, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return false;
    if (data < 0 || data > end) data = end;
    holes += data - at;
    if (data == end) break;
    off_t hole = lseek(file, data, SEEK_HOLE);
    if (hole < 0 || header.parts.size() == kMaxParts) return false;
    at = std::min(hole, end);
    header.parts.push_back({static_cast<uint64_t>(data), static_cast<uint64_t>(at - data)});
  }
  // Without it GNU tar makes no hole at the end.
  if (header.parts.empty() || header.parts.back().offset + header.parts.back().length < size) {
    header.parts.push_back({size, 0});
  }
  return holes >= kWorthwhileHoles;
}

Status Packer::pack_file(const WalkEntry &entry, TarEntry &header) {
  auto size = static_cast<uint64_t>(entry.status.st_size);
  if (size == 0) return write_header(header);
  std::string link = entry.link();
  Fd file(open(link.c_str(), O_RDONLY | O_NOATIME | O_CLOEXEC));
  if (!file && errno == EPERM) file.reset(open(link.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_failure(errno, "open", entry.path);
  header.size = size;
  bool has_holes = static_cast<uint64_t>(entry.status.st_blocks) * 512 < size;
  std::string map;
  if (options_.sparse && has_holes && find_parts(file.get(), size, header)) {
    header.sparse = true;
    header.real_size = size;
    map = sparse_map(header);
    header.size = map.size();
    for (const SparsePart &part : header.parts) header.size += part.length;
  } else {
    header.parts = {{0, size}};
  }
  if (Status failure = write_header(header)) return failure;
  if (!writer_.write(map.data(), map.size())) return stopped();
  for (const SparsePart &part : header.parts) {
    if (Status failure = write_range(file.get(), part.offset, part.length)) {
      if (failure->subject.empty()) failure->subject = entry.path;
      return failure;
    }
  }
  return writer_.zeros(tar_padding(header.size)) ? Status() : stopped();
}

bool Packer::is_closed(const WalkEntry &entry) {
  if (entry.path.empty()) return is_kernel_filesystem(entry.fd.get());
  if (!entry.crosses) return false;
  const auto &closed = options_.closed;
  return options_.one_file_system || std::find(closed.begin(), closed.end(), entry.path) != closed.end() ||
         is_kernel_filesystem(entry.fd.get());
}

Status Packer::pack_folder(const WalkEntry &entry, TarEntry &header, TreeWalk &walk) {
  header.type = '5';
  if (header.name.empty()) header.name = ".";
  if (header.name.back() != '/') header.name += '/';
  if (!entry.path.empty() || options_.with_top) {
    if (Status failure = write_header(header)) return failure;
    if (options_.upper && is_opaque(entry.link())) {
      if (Status failure = write_whiteout(entry.path, kOpaqueMarker)) return failure;
    }
  }
  if (is_closed(entry)) walk.skip();
  return {};
}

Status Packer::pack_entry(WalkEntry &entry, TreeWalk &walk) {
  const struct stat &status = entry.status;
  if (options_.upper && is_whiteout(status)) {
    size_t slash = entry.path.rfind('/');
    std::string folder = slash == std::string::npos ? "" : entry.path.substr(0, slash);
    return write_whiteout(folder, kWhiteout + entry.path.substr(slash == std::string::npos ? 0 : slash + 1));
  }
  if (options_.marks && options_.marks->covers(entry.fd.get(), entry.path, status)) {
    walk.skip();
    return {};
  }
  if (options_.changes && !entry.path.empty() && options_.changes->count(entry.path) == 0) {
    walk.skip();
    return {};
  }
  TarEntry header;
  header.name = name_of(entry.path);
  header.mode = status.st_mode & 07777;
  header.uid = status.st_uid;
  header.gid = status.st_gid;
  header.mtime.seconds = status.st_mtim.tv_sec;
  // There is no way to write one.
  if (S_ISSOCK(status.st_mode)) return {};
  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
    auto [link, first] = links_.try_emplace({status.st_dev, status.st_ino}, header.name);
    if (!first) {
      header.type = '1';
      header.link = link->second;
      return write_header(header);
    }
  }
  if (Status failure = read_xattrs(XattrPlace::behind(entry.link()), header.xattrs)) {
    failure->subject = entry.path;
    return failure;
  }
  if (S_ISDIR(status.st_mode)) return pack_folder(entry, header, walk);
  if (S_ISREG(status.st_mode)) return pack_file(entry, header);
  if (S_ISLNK(status.st_mode)) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(entry.fd.get(), "", target, sizeof target);
    if (length < 0) return system_failure(errno, "readlink", entry.path);
    header.type = '2';
    header.link.assign(target, static_cast<size_t>(length));
    return write_header(header);
  }
  header.type = S_ISCHR(status.st_mode) ? '3' : S_ISBLK(status.st_mode) ? '4' : '6';
  if (header.type != '6') {
    header.major = major(status.st_rdev);
    header.minor = minor(status.st_rdev);
  }
  return write_header(header);
}

Status Packer::pack(Fd source) {
  TreeWalk walk(std::move(source));
  for (;;) {
    WalkEntry entry;
    bool end;
    if (has_ended(options_.guard)) return guard_failure();
    if (Status failure = walk.next(entry, end)) return failure;
    if (end) break;
    if (Status failure = pack_entry(entry, walk)) return failure;
  }
  if (options_.changes) {
    for (const auto &[path, kind] : *options_.changes) {
      if (kind != 'D') continue;
      size_t slash = path.rfind('/');
      std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
      std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
      if (Status failure = write_whiteout(folder, kWhiteout + name)) return failure;
    }
  }
  if (!writer_.zeros(kTarEnd)) return stopped();
  writer_.finish();
  stats_.size = writer_.total();
  return {};
}

}  // namespace

Status pack_tree(Fd source, const PackOptions &options, ArchiveWriter &writer, PackStats &stats) {
  Packer packer(options, writer, stats);
  return packer.pack(std::move(source));
}

}  // namespace wherry

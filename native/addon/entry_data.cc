#include "entry_data.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace wherry {
namespace {

Status write_fully(int file, const uint8_t *data, size_t size, off_t offset) {
  while (size > 0) {
    ssize_t put = pwrite(file, data, size, offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_failure(errno, "write");
    data += put;
    size -= static_cast<size_t>(put);
    offset += put;
  }
  return {};
}

}  // namespace

Status write_entry_data(const TarEntry &entry, TarReader &reader, int file) {
  if (!entry.sparse) {
    return reader.read_data([&](uint64_t offset, const uint8_t *data, size_t size) {
      return write_fully(file, data, size, static_cast<off_t>(offset));
    });
  }
  size_t part = 0;
  uint64_t before = 0;  // data of the parts before this one
  Status failure = reader.read_data([&](uint64_t offset, const uint8_t *data, size_t size) -> Status {
    while (size > 0) {
      while (offset >= before + entry.parts[part].length) before += entry.parts[part++].length;
      uint64_t inside = offset - before;
      size_t now = static_cast<size_t>(std::min<uint64_t>(size, entry.parts[part].length - inside));
      if (Status bad = write_fully(file, data, now, static_cast<off_t>(entry.parts[part].offset + inside))) return bad;
      offset += now;
      data += now;
      size -= now;
    }
    return {};
  });
  if (failure) return failure;
  return ftruncate(file, static_cast<off_t>(entry.real_size)) == 0 ? Status() : system_failure(errno, "ftruncate");
}

}  // namespace wherry

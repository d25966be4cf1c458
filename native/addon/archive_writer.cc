#include "archive_writer.h"

#include <algorithm>
#include <cstring>

namespace wherry {

uint8_t *ArchiveWriter::room(size_t &size) {
  if (block_ != nullptr && block_->size == kRingBlockSize) {
    ring_.publish(block_);
    block_ = nullptr;
  }
  if (block_ == nullptr) block_ = ring_.take_free();
  if (block_ == nullptr) return nullptr;
  size = kRingBlockSize - block_->size;
  return block_->bytes + block_->size;
}

void ArchiveWriter::written(size_t size) {
  block_->size += size;
  total_ += size;
}

bool ArchiveWriter::write(const void *data, size_t size) {
  const auto *bytes = static_cast<const uint8_t *>(data);
  while (size > 0) {
    size_t space;
    uint8_t *at = room(space);
    if (at == nullptr) return false;
    size_t now = std::min(space, size);
    memcpy(at, bytes, now);
    written(now);
    bytes += now;
    size -= now;
  }
  return true;
}

bool ArchiveWriter::zeros(uint64_t size) {
  while (size > 0) {
    size_t space;
    uint8_t *at = room(space);
    if (at == nullptr) return false;
    size_t now = static_cast<size_t>(std::min<uint64_t>(space, size));
    memset(at, 0, now);
    written(now);
    size -= now;
  }
  return true;
}

void ArchiveWriter::finish() {
  if (block_ != nullptr) ring_.publish(block_);
  block_ = nullptr;
  ring_.end();
}

}  // namespace wherry

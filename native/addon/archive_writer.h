#pragma once

#include "block_ring.h"

namespace wherry {

/** Puts the bytes of an archive into a ring. When the ring has been stopped, everything is false or null. */
class ArchiveWriter {
 public:
  explicit ArchiveWriter(BlockRing &ring) : ring_(ring) {}

  /** Where the next bytes go. */
  uint8_t *room(size_t &size);
  void written(size_t size);

  bool write(const void *data, size_t size);
  bool zeros(uint64_t size);
  /** Nothing comes afterwards. */
  void finish();

  uint64_t total() const { return total_; }

 private:
  BlockRing &ring_;
  RingBlock *block_ = nullptr;
  uint64_t total_ = 0;
};

}  // namespace wherry

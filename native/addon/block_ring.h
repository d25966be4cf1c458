#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "tar_reader.h"

namespace wherry {

/** A multiple of tar's, so that a header is never in two blocks. */
constexpr size_t kRingBlockSize = 256 << 10;

struct RingBlock {
  size_t size = 0;
  /** Readers that still have it. Under the ring's mutex. */
  size_t users = 0;
  uint8_t bytes[kRingBlockSize];
};

/**
 * Bytes on their way from one thread to others, in blocks that all readers share. There is a fixed number of
 * them, so the slowest sets the pace and the memory is bounded.
 */
class BlockRing {
 public:
  explicit BlockRing(size_t readers, size_t blocks = 24) : queues_(readers), most_(blocks) {}

  /** Null: stopped. */
  RingBlock *take_free();
  void publish(RingBlock *block);
  /** No more blocks will come. */
  void end();

  /** Null: the end, or stopped. */
  RingBlock *next(size_t reader);
  void release(RingBlock *block);

  /** Wakes everybody who waits; nobody gets a block any more. */
  void stop();
  bool stopped();

 private:
  std::mutex mutex_;
  std::condition_variable freed_, added_;
  std::vector<std::unique_ptr<RingBlock>> all_;
  std::vector<RingBlock *> free_;
  std::vector<std::deque<RingBlock *>> queues_;
  const size_t most_;
  bool ended_ = false, stopped_ = false;
};

/** A reader's blocks as the bytes of an archive. */
class RingSource : public TarSource {
 public:
  RingSource(BlockRing &ring, size_t reader) : ring_(ring), reader_(reader) {}
  ~RingSource() override;

  bool next(size_t most, const uint8_t *&data, size_t &size) override;

  /** Takes what is behind the end of the archive, up to the end of the ring. */
  void drain();

 private:
  BlockRing &ring_;
  const size_t reader_;
  RingBlock *block_ = nullptr;
  size_t used_ = 0;
};

}  // namespace wherry

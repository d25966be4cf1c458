#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "decoder.h"
#include "tar_reader.h"
#include "unique_fd.h"

namespace wherry {

struct LayerStats {
  uint64_t size = 0;
  std::string diff_id;
  std::string digest;
  uint64_t fed = 0;
  std::vector<std::string> implied;
  uint64_t entries = 0;
};

/**
 * Three threads: one decodes what is fed and hashes it as it is, one hashes the decoded bytes, one unpacks them.
 * Decoded bytes are in blocks that the last two share; there is a fixed number of them, so the slowest sets the
 * pace and the memory is bounded.
 */
class LayerPipeline : public std::enable_shared_from_this<LayerPipeline> {
 public:
  /** `changed` is called from the threads when somebody may want to look: input was taken, or all have ended. */
  LayerPipeline(UniqueFd root, uint64_t max_size, std::function<void()> changed);
  ~LayerPipeline();

  Status start();
  /** Copies. More than `wants_input` says is taken, too. */
  void feed(const uint8_t *data, size_t size);
  void end_input();
  void abort();

  /** Returns when the threads have ended, or after a while. */
  void wait();

  bool wants_input();
  /** All threads have ended. */
  bool ended();
  Status failure();
  /** Once it has ended without a failure. */
  LayerStats stats();

 private:
  struct Block;
  class Sink;
  class Source;

  void run(void (LayerPipeline::*work)());
  void decode();
  void hash();
  void unpack();

  bool take_input(std::vector<uint8_t> &chunk);
  Block *get_free_block();
  void publish(Block *block);
  Block *next_block(std::deque<Block *> &queue);
  void release(Block *block);
  void fail(Status failure);

  UniqueFd root_;
  const uint64_t max_size_;
  std::function<void()> changed_;

  std::mutex mutex_;
  std::condition_variable input_added_, block_freed_, block_added_, thread_ended_;
  std::deque<std::vector<uint8_t>> input_;
  size_t input_size_ = 0;
  bool input_ended_ = false;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Block *> free_;
  std::deque<Block *> to_hash_, to_unpack_;
  bool decoded_all_ = false;
  std::atomic<bool> aborted_ = false;
  bool plain_ = false;
  int running_ = 0;
  Status failure_;
  LayerStats stats_;
};

}  // namespace wherry

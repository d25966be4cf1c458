#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "block_ring.h"
#include "decoder.h"
#include "kernel/fd.h"
#include "running_work.h"

namespace wherry {

struct LayerStats {
  uint64_t size = 0;
  std::string diff_id;
  std::string digest;
  uint64_t fed = 0;
  std::vector<std::string> implied;
  uint64_t entries = 0;
  /** Bytes that files and links hold. */
  uint64_t content = 0;
};

/**
 * Three threads: one decodes what is fed and hashes it as it is, one hashes the decoded bytes, one unpacks them.
 * Decoded bytes are in a ring of blocks that the last two read.
 */
class LayerPipeline : public RunningWork, public std::enable_shared_from_this<LayerPipeline> {
 public:
  /** `changed` is called from the threads when somebody may want to look: input was taken, or all have ended. */
  LayerPipeline(Fd root, uint64_t max_size, uint64_t max_entries, std::function<void()> changed);
  ~LayerPipeline() override;

  Status start();
  /** Copies. More than `wants_input` says is taken, too. */
  void feed(const uint8_t *data, size_t size);
  void end_input();
  void abort() override;
  void wait() override;

  bool wants_input();
  /** All threads have ended. */
  bool ended();
  Status failure();
  /** Once it has ended without a failure. */
  LayerStats stats();

 private:
  class Sink;

  void run(void (LayerPipeline::*work)());
  void decode();
  void hash();
  void unpack();

  bool take_input(std::vector<uint8_t> &chunk);
  void fail(Status failure);

  Fd root_;
  const uint64_t max_size_, max_entries_;
  std::function<void()> changed_;

  std::mutex mutex_;
  std::condition_variable input_added_, thread_ended_;
  std::deque<std::vector<uint8_t>> input_;
  size_t input_size_ = 0;
  bool input_ended_ = false;
  BlockRing ring_;
  std::atomic<bool> aborted_ = false;
  bool plain_ = false;
  int running_ = 0;
  Status failure_;
  LayerStats stats_;
};

}  // namespace wherry

#include "block_ring.h"

#include <algorithm>

namespace wherry {

RingBlock *BlockRing::take_free() {
  std::unique_lock lock(mutex_);
  if (free_.empty() && all_.size() < most_ && !stopped_) {
    // Not make_unique, which would clear it.
    all_.emplace_back(new RingBlock);
    return all_.back().get();
  }
  freed_.wait(lock, [&] { return stopped_ || !free_.empty(); });
  if (stopped_) return nullptr;
  RingBlock *block = free_.back();
  free_.pop_back();
  block->size = 0;
  return block;
}

void BlockRing::publish(RingBlock *block) {
  std::lock_guard lock(mutex_);
  block->users = queues_.size();
  for (auto &queue : queues_) queue.push_back(block);
  added_.notify_all();
}

void BlockRing::end() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  added_.notify_all();
}

RingBlock *BlockRing::next(size_t reader) {
  std::unique_lock lock(mutex_);
  std::deque<RingBlock *> &queue = queues_[reader];
  added_.wait(lock, [&] { return stopped_ || ended_ || !queue.empty(); });
  if (stopped_ || queue.empty()) return nullptr;
  RingBlock *block = queue.front();
  queue.pop_front();
  return block;
}

void BlockRing::release(RingBlock *block) {
  std::lock_guard lock(mutex_);
  if (--block->users > 0) return;
  free_.push_back(block);
  freed_.notify_one();
}

void BlockRing::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  freed_.notify_all();
  added_.notify_all();
}

bool BlockRing::stopped() {
  std::lock_guard lock(mutex_);
  return stopped_;
}

RingSource::~RingSource() {
  if (block_ != nullptr) ring_.release(block_);
}

bool RingSource::next(size_t most, const uint8_t *&data, size_t &size) {
  if (block_ != nullptr && used_ == block_->size) {
    ring_.release(block_);
    block_ = nullptr;
  }
  if (block_ == nullptr) {
    block_ = ring_.next(reader_);
    used_ = 0;
  }
  if (block_ == nullptr) {
    size = 0;
    return !ring_.stopped();
  }
  size = std::min(most, block_->size - used_);
  data = block_->bytes + used_;
  used_ += size;
  return true;
}

void RingSource::drain() {
  const uint8_t *data;
  size_t size;
  while (next(SIZE_MAX, data, size) && size > 0) continue;
}

}  // namespace wherry

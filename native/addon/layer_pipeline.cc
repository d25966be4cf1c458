#include "layer_pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "layer_writer.h"
#include "sha256.h"

namespace wherry {
namespace {

/** A multiple of tar's, so that a header is never in two blocks. */
constexpr size_t kBlockSize = 256 << 10;
constexpr size_t kBlocks = 24;
constexpr size_t kMaxInput = 4 << 20;
/** A thread may be in a write to a disk that does not answer. */
constexpr std::chrono::seconds kMaxWait(10);

/**
 * The pipelines whose threads run. At the end of the process (process.exit() runs nothing else of ours) they are
 * stopped first: they use OpenSSL, which frees what it has in an exit handler of its own. Never destroyed, since
 * other threads may still come.
 */
class Running {
 public:
  static Running &get() {
    static Running *running = [] {
      auto *made = new Running;
      // Handlers run last registered first: this one before OpenSSL's, which Node set up at its start.
      atexit([] { get().stop(); });
      return made;
    }();
    return *running;
  }

  /** False when the process is ending. */
  bool add(const std::shared_ptr<LayerPipeline> &pipeline) {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    auto is_gone = [](const std::weak_ptr<LayerPipeline> &each) { return each.expired(); };
    pipelines_.erase(std::remove_if(pipelines_.begin(), pipelines_.end(), is_gone), pipelines_.end());
    pipelines_.push_back(pipeline);
    return true;
  }

 private:
  void stop() {
    std::vector<std::weak_ptr<LayerPipeline>> pipelines;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      pipelines = pipelines_;
    }
    std::vector<std::shared_ptr<LayerPipeline>> live;
    for (const auto &weak : pipelines) {
      if (auto pipeline = weak.lock()) live.push_back(std::move(pipeline));
    }
    for (const auto &pipeline : live) pipeline->abort();
    for (const auto &pipeline : live) pipeline->wait();
  }

  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<LayerPipeline>> pipelines_;
};

}  // namespace

struct LayerPipeline::Block {
  size_t size = 0;
  /** Threads that still have it. Under the mutex. */
  int users = 0;
  uint8_t bytes[kBlockSize];
};

/** Fills blocks with what the decoder gives. */
class LayerPipeline::Sink : public DecodedSink {
 public:
  explicit Sink(LayerPipeline &pipeline) : pipeline_(pipeline) {}

  uint8_t *room(size_t &size) override {
    if (too_much) return nullptr;
    if (block_ != nullptr && block_->size == kBlockSize) flush();
    if (block_ == nullptr) block_ = pipeline_.get_free_block();
    if (block_ == nullptr) return nullptr;
    size = kBlockSize - block_->size;
    return block_->bytes + block_->size;
  }

  void written(size_t size) override {
    block_->size += size;
    total += size;
    too_much = total > pipeline_.max_size_;
  }

  void flush() {
    if (block_ != nullptr) pipeline_.publish(block_);
    block_ = nullptr;
  }

  uint64_t total = 0;
  bool too_much = false;

 private:
  LayerPipeline &pipeline_;
  Block *block_ = nullptr;
};

/** The blocks as the bytes of an archive. */
class LayerPipeline::Source : public TarSource {
 public:
  explicit Source(LayerPipeline &pipeline) : pipeline_(pipeline) {}
  ~Source() override {
    if (block_ != nullptr) pipeline_.release(block_);
  }

  bool next(size_t most, const uint8_t *&data, size_t &size) override {
    if (block_ != nullptr && used_ == block_->size) {
      pipeline_.release(block_);
      block_ = nullptr;
    }
    if (block_ == nullptr) {
      block_ = pipeline_.next_block(pipeline_.to_unpack_);
      used_ = 0;
    }
    size = 0;
    if (block_ == nullptr) return !pipeline_.aborted_;
    size = std::min(most, block_->size - used_);
    data = block_->bytes + used_;
    used_ += size;
    return true;
  }

 private:
  LayerPipeline &pipeline_;
  Block *block_ = nullptr;
  size_t used_ = 0;
};

LayerPipeline::LayerPipeline(UniqueFd root, uint64_t max_size, std::function<void()> changed)
    : root_(std::move(root)), max_size_(max_size), changed_(std::move(changed)) {}

LayerPipeline::~LayerPipeline() = default;

Status LayerPipeline::start() {
  if (!Running::get().add(shared_from_this())) return own_failure("ECANCELED", "the process is ending");
  struct Start {
    std::shared_ptr<LayerPipeline> pipeline;
    void (LayerPipeline::*work)();
  };
  for (auto work : {&LayerPipeline::decode, &LayerPipeline::hash, &LayerPipeline::unpack}) {
    auto *argument = new Start{shared_from_this(), work};
    auto body = [](void *data) -> void * {
      std::unique_ptr<Start> start(static_cast<Start *>(data));
      start->pipeline->run(start->work);
      return nullptr;
    };
    {
      std::lock_guard lock(mutex_);
      ++running_;
    }
    pthread_t thread;
    int number = pthread_create(&thread, nullptr, body, argument);
    if (number != 0) {
      delete argument;
      {
        std::lock_guard lock(mutex_);
        --running_;
      }
      Failure failure = system_failure(number, "pthread_create");
      fail(failure);
      return failure;
    }
    pthread_detach(thread);
  }
  return {};
}

void LayerPipeline::run(void (LayerPipeline::*work)()) {
  (this->*work)();
  {
    std::lock_guard lock(mutex_);
    --running_;
    thread_ended_.notify_all();
  }
  changed_();
}

void LayerPipeline::wait() {
  std::unique_lock lock(mutex_);
  thread_ended_.wait_for(lock, kMaxWait, [&] { return running_ == 0; });
}

void LayerPipeline::feed(const uint8_t *data, size_t size) {
  std::lock_guard lock(mutex_);
  stats_.fed += size;
  if (size == 0 || aborted_) return;
  input_.emplace_back(data, data + size);
  input_size_ += size;
  input_added_.notify_one();
}

void LayerPipeline::end_input() {
  std::lock_guard lock(mutex_);
  input_ended_ = true;
  input_added_.notify_one();
}

void LayerPipeline::abort() { fail(own_failure("ECANCELED", "stopped")); }

bool LayerPipeline::wants_input() {
  std::lock_guard lock(mutex_);
  return input_size_ < kMaxInput;
}

bool LayerPipeline::ended() {
  std::lock_guard lock(mutex_);
  return running_ == 0;
}

Status LayerPipeline::failure() {
  std::lock_guard lock(mutex_);
  return failure_;
}

LayerStats LayerPipeline::stats() {
  std::lock_guard lock(mutex_);
  LayerStats stats = stats_;
  if (plain_) stats.digest = stats.diff_id;
  return stats;
}

/** The first failure counts; it stops all threads. */
void LayerPipeline::fail(Status failure) {
  if (!failure) return;
  {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    aborted_ = true;
    input_added_.notify_all();
    block_freed_.notify_all();
    block_added_.notify_all();
  }
  changed_();
}

bool LayerPipeline::take_input(std::vector<uint8_t> &chunk) {
  bool has_room;
  {
    std::unique_lock lock(mutex_);
    input_added_.wait(lock, [&] { return aborted_ || input_ended_ || !input_.empty(); });
    if (aborted_ || input_.empty()) return false;
    chunk = std::move(input_.front());
    input_.pop_front();
    bool was_full = input_size_ >= kMaxInput;
    input_size_ -= chunk.size();
    has_room = was_full && input_size_ < kMaxInput;
  }
  if (has_room) changed_();
  return true;
}

LayerPipeline::Block *LayerPipeline::get_free_block() {
  std::unique_lock lock(mutex_);
  if (free_.empty() && blocks_.size() < kBlocks && !aborted_) {
    // Not make_unique, which would clear it.
    blocks_.emplace_back(new Block);
    return blocks_.back().get();
  }
  block_freed_.wait(lock, [&] { return aborted_ || !free_.empty(); });
  if (aborted_) return nullptr;
  Block *block = free_.back();
  free_.pop_back();
  block->size = 0;
  return block;
}

void LayerPipeline::publish(Block *block) {
  std::lock_guard lock(mutex_);
  block->users = 2;
  to_hash_.push_back(block);
  to_unpack_.push_back(block);
  block_added_.notify_all();
}

LayerPipeline::Block *LayerPipeline::next_block(std::deque<Block *> &queue) {
  std::unique_lock lock(mutex_);
  block_added_.wait(lock, [&] { return aborted_ || decoded_all_ || !queue.empty(); });
  if (aborted_ || queue.empty()) return nullptr;
  Block *block = queue.front();
  queue.pop_front();
  return block;
}

void LayerPipeline::release(Block *block) {
  std::lock_guard lock(mutex_);
  if (--block->users > 0) return;
  free_.push_back(block);
  block_freed_.notify_one();
}

void LayerPipeline::decode() {
  Sha256 digest;
  Sink sink(*this);
  std::unique_ptr<Decoder> decoder;
  std::vector<uint8_t> first, chunk;
  Status failure;
  auto choose = [&] {
    failure = make_decoder(first.data(), first.size(), decoder);
    if (!failure) failure = decoder->decode(first.data(), first.size(), sink);
  };
  while (!failure && !sink.too_much && take_input(chunk)) {
    // Of plain bytes the other thread's digest is the same.
    if (!decoder || !decoder->is_plain()) digest.update(chunk.data(), chunk.size());
    if (decoder) {
      failure = decoder->decode(chunk.data(), chunk.size(), sink);
      continue;
    }
    first.insert(first.end(), chunk.begin(), chunk.end());
    if (first.size() >= kSniffSize) choose();
  }
  if (!failure && !decoder && !first.empty()) choose();
  if (sink.too_much) failure = own_failure("EFBIG", "the layer unpacks to more than " + std::to_string(max_size_) + " bytes");
  if (!failure && decoder) failure = decoder->finish();
  if (failure) return fail(failure);
  sink.flush();
  std::string text = digest.digest();
  std::lock_guard lock(mutex_);
  stats_.digest = std::move(text);
  plain_ = decoder && decoder->is_plain();
  stats_.size = sink.total;
  decoded_all_ = true;
  block_added_.notify_all();
}

void LayerPipeline::hash() {
  Sha256 digest;
  while (Block *block = next_block(to_hash_)) {
    digest.update(block->bytes, block->size);
    release(block);
  }
  std::string text = digest.digest();
  std::lock_guard lock(mutex_);
  stats_.diff_id = std::move(text);
}

void LayerPipeline::unpack() {
  // From here on the working directory and the umask are this thread's own.
  if (unshare(CLONE_FS) != 0) return fail(system_failure(errno, "unshare"));
  umask(0);
  LayerWriter writer(std::move(root_));
  {
    Source source(*this);
    TarReader reader(source);
    if (Status failure = writer.write(reader)) return fail(failure);
    // What is behind the end of the archive belongs to the diff id only.
    const uint8_t *data;
    size_t size;
    while (source.next(SIZE_MAX, data, size) && size > 0) continue;
  }
  std::vector<std::string> implied = writer.implied();
  std::lock_guard lock(mutex_);
  stats_.implied = std::move(implied);
  stats_.entries = writer.entries();
}

}  // namespace wherry

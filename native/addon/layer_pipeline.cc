#include "layer_pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include <chrono>

#include "layer_writer.h"
#include "sha256.h"

namespace wherry {
namespace {

constexpr size_t kHasher = 0, kUnpacker = 1, kReaders = 2;
constexpr size_t kMaxInput = 4 << 20;
/** A thread may be in a write to a disk that does not answer. */
constexpr std::chrono::seconds kMaxWait(10);

}  // namespace

/** Fills blocks with what the decoder gives. */
class LayerPipeline::Sink : public DecodedSink {
 public:
  explicit Sink(LayerPipeline &pipeline) : pipeline_(pipeline) {}

  uint8_t *room(size_t &size) override {
    if (too_much) return nullptr;
    if (block_ != nullptr && block_->size == kRingBlockSize) flush();
    if (block_ == nullptr) block_ = pipeline_.ring_.take_free();
    if (block_ == nullptr) return nullptr;
    size = kRingBlockSize - block_->size;
    return block_->bytes + block_->size;
  }

  void written(size_t size) override {
    block_->size += size;
    total += size;
    too_much = total > pipeline_.max_size_;
  }

  void flush() {
    if (block_ != nullptr) pipeline_.ring_.publish(block_);
    block_ = nullptr;
  }

  uint64_t total = 0;
  bool too_much = false;

 private:
  LayerPipeline &pipeline_;
  RingBlock *block_ = nullptr;
};

LayerPipeline::LayerPipeline(Fd root, uint64_t max_size, uint64_t max_entries, std::function<void()> changed)
    : root_(std::move(root)),
      max_size_(max_size),
      max_entries_(max_entries),
      changed_(std::move(changed)),
      ring_(kReaders) {}

LayerPipeline::~LayerPipeline() = default;

Status LayerPipeline::start() {
  if (!stop_at_exit(shared_from_this())) return own_failure("ECANCELED", "the process is ending");
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
  }
  ring_.stop();
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
  ring_.end();
}

void LayerPipeline::hash() {
  Sha256 digest;
  while (RingBlock *block = ring_.next(kHasher)) {
    digest.update(block->bytes, block->size);
    ring_.release(block);
  }
  std::string text = digest.digest();
  std::lock_guard lock(mutex_);
  stats_.diff_id = std::move(text);
}

void LayerPipeline::unpack() {
  // From here on the working directory and the umask are this thread's own.
  if (unshare(CLONE_FS) != 0) return fail(system_failure(errno, "unshare"));
  umask(0);
  LayerWriter writer(std::move(root_), max_entries_);
  {
    RingSource source(ring_, kUnpacker);
    TarReader reader(source);
    if (Status failure = writer.write(reader)) return fail(failure);
    // What is behind the end of the archive belongs to the diff id only.
    source.drain();
  }
  std::vector<std::string> implied = writer.implied();
  std::lock_guard lock(mutex_);
  stats_.implied = std::move(implied);
  stats_.entries = writer.entries();
  stats_.content = writer.content();
}

}  // namespace wherry

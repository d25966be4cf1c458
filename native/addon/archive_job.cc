#include "archive_job.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "decoder.h"
#include "guard.h"
#include "sha256.h"

namespace wherry {
namespace {

constexpr off_t kWritebackSize = 8 << 20;
/** Milliseconds that an input may be silent behind the archive's end; then nobody waits for more. */
constexpr int kDrainPatience = 200;

/** A thread that has ended when this goes, and what it ended with. */
class Helper {
 public:
  Helper(BlockRing &ring, std::function<Status()> work) : ring_(ring) {
    thread_ = std::thread([this, work = std::move(work)] {
      status_ = work();
      if (status_) ring_.stop();
    });
  }
  ~Helper() { join(); }

  Status join() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  BlockRing &ring_;
  Status status_;
  std::thread thread_;
};

/** The failure that came first is that of the other side, when one's own is only that it was stopped. */
Status first_of(Status own, Status other) {
  if (own && own->code != "ECANCELED") return own;
  return other ? other : own;
}

Status wait_for(int fd, short events, int guard) {
  pollfd watched[2] = {{fd, events, 0}, {guard, POLLIN, 0}};
  while (poll(watched, guard < 0 ? 1 : 2, -1) < 0) {
    if (errno != EINTR) return system_failure(errno, "poll");
  }
  return guard >= 0 && (watched[1].revents & POLLIN) != 0 ? Status(guard_failure()) : Status();
}

class Output {
 public:
  Output(int fd, bool sync, int guard) : fd_(fd), guard_(guard), sync_(sync) {}

  Status write(const uint8_t *data, size_t size) {
    while (size > 0) {
      ssize_t put = ::write(fd_, data, size);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && errno == EAGAIN) {
        if (Status failure = wait_for(fd_, POLLOUT, guard_)) return failure;
        continue;
      }
      if (put < 0) return system_failure(errno, "write");
      data += put;
      size -= static_cast<size_t>(put);
      total_ += put;
    }
    // The disk works while the rest is packed.
    if (sync_ && total_ - sent_ >= kWritebackSize) {
      sync_file_range(fd_, sent_, total_ - sent_, SYNC_FILE_RANGE_WRITE);
      sent_ = total_;
    }
    return {};
  }

  Status finish() {
    if (sync_ && fdatasync(fd_) != 0) return system_failure(errno, "fdatasync");
    return {};
  }

 private:
  int fd_, guard_;
  bool sync_;
  off_t total_ = 0, sent_ = 0;
};

class PackJob : public RunningWork, public std::enable_shared_from_this<PackJob> {
 public:
  explicit PackJob(bool hash) : ring_(hash ? 2 : 1), hash_(hash) {}

  void abort() override { ring_.stop(); }
  void wait() override {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::chrono::seconds(10), [&] { return done_; });
  }

  Status run(int output, Fd source, const PackOptions &options, bool sync, PackResult &result) {
    if (hash_ && !stop_at_exit(shared_from_this())) return own_failure("ECANCELED", "the process is ending");
    Status failure = work(output, std::move(source), options, sync, result);
    std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
    return failure;
  }

 private:
  Status work(int output, Fd source, const PackOptions &options, bool sync, PackResult &result) {
    Helper writer(ring_, [&]() -> Status {
      Output target(output, sync, options.guard);
      while (RingBlock *block = ring_.next(0)) {
        Status failure = target.write(block->bytes, block->size);
        ring_.release(block);
        if (failure) return failure;
      }
      return ring_.stopped() ? Status() : target.finish();
    });
    std::optional<Helper> hasher;
    if (hash_) hasher.emplace(ring_, [&]() -> Status { return digest(result.digest); });
    ArchiveWriter archive(ring_);
    Status own = pack_tree(std::move(source), options, archive, result.stats);
    if (own) ring_.stop();
    Status other = writer.join();
    if (hasher) hasher->join();
    if (!own && !other && ring_.stopped()) return own_failure("ECANCELED", "stopped");
    return first_of(std::move(own), std::move(other));
  }

  Status digest(std::string &text) {
    Sha256 sum;
    while (RingBlock *block = ring_.next(1)) {
      sum.update(block->bytes, block->size);
      ring_.release(block);
    }
    text = sum.digest();
    return {};
  }

  BlockRing ring_;
  const bool hash_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
};

/** Decoded bytes go on into the ring. */
class RingSink : public DecodedSink {
 public:
  explicit RingSink(BlockRing &ring) : writer_(ring) {}
  uint8_t *room(size_t &size) override { return writer_.room(size); }
  void written(size_t size) override { writer_.written(size); }
  void finish() { writer_.finish(); }

 private:
  ArchiveWriter writer_;
};

class Input {
 public:
  Input(int fd, BlockRing &ring, int guard) : fd_(fd), ring_(ring), sink_(ring), guard_(guard) {}

  Status run() {
    std::vector<uint8_t> first, buffer(kRingBlockSize);
    std::unique_ptr<Decoder> decoder;
    for (;;) {
      size_t size = 0;
      if (Status failure = read_some(buffer, size)) return failure;
      if (ring_.stopped()) return {};
      const uint8_t *data = buffer.data();
      bool end = size == 0;
      if (!decoder) {
        first.insert(first.end(), data, data + size);
        if (first.size() < kSniffSize && !end) continue;
        if (first.empty()) break;
        if (Status failure = make_decoder(first.data(), first.size(), decoder)) return failure;
        data = first.data();
        size = first.size();
      }
      if (size > 0) {
        if (Status failure = decoder->decode(data, size, sink_)) return failure;
      }
      if (!end) continue;
      if (Status failure = decoder->finish()) return failure;
      break;
    }
    sink_.finish();
    return {};
  }

 private:
  /** None at the end. What waits is woken when nobody reads the ring any more: it looks now and then. */
  Status read_some(std::vector<uint8_t> &buffer, size_t &size) {
    for (;;) {
      pollfd watched[2] = {{fd_, POLLIN, 0}, {guard_, POLLIN, 0}};
      int ready = poll(watched, guard_ < 0 ? 1 : 2, kDrainPatience);
      if (ready < 0 && errno != EINTR) return system_failure(errno, "poll");
      if (ring_.stopped()) return {};
      if (ready <= 0) continue;
      if (guard_ >= 0 && (watched[1].revents & POLLIN) != 0) return guard_failure();
      ssize_t got = read(fd_, buffer.data(), buffer.size());
      if (got >= 0) {
        size = static_cast<size_t>(got);
        return {};
      }
      if (errno != EINTR && errno != EAGAIN) return system_failure(errno, "read");
    }
  }

  int fd_;
  BlockRing &ring_;
  RingSink sink_;
  int guard_;
};

/** Reads on for as long as something comes, so that whoever writes doesn't fail at the padding behind the end. */
void drain_input(int fd) {
  std::vector<uint8_t> buffer(64 << 10);
  for (;;) {
    pollfd watched = {fd, POLLIN, 0};
    int ready = poll(&watched, 1, kDrainPatience);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || read(fd, buffer.data(), buffer.size()) <= 0) return;
  }
}

/** On a thread whose fs may be made its own: the umask must not count. */
Status unpack_ring(BlockRing &ring, Fd root, UnpackOptions options, uint64_t &entries) {
  if (unshare(CLONE_FS) != 0) return system_failure(errno, "unshare");
  umask(022);
  TreeUnpacker unpacker(std::move(root), std::move(options));
  RingSource source(ring, 0);
  TarReader reader(source);
  Status failure = unpacker.unpack(reader);
  entries = unpacker.entries();
  return failure;
}

}  // namespace

Status pack_to(int output, Fd source, const PackOptions &options, bool hash, bool sync, PackResult &result) {
  return std::make_shared<PackJob>(hash)->run(output, std::move(source), options, sync, result);
}

Status unpack_from(int input, Fd root, UnpackOptions options, uint64_t &entries) {
  BlockRing ring(1);
  int guard = options.guard;
  Helper reader(ring, [&]() -> Status { return Input(input, ring, guard).run(); });
  Status own = unpack_ring(ring, std::move(root), std::move(options), entries);
  // Also when it went well: the input need not have ended.
  ring.stop();
  Status other = reader.join();
  if (!own) {
    drain_input(input);
    return {};
  }
  return first_of(std::move(own), std::move(other));
}

Status transfer(Fd source, const PackOptions &packing, Fd root, UnpackOptions unpacking, PackStats &stats) {
  BlockRing ring(1);
  Helper packer(ring, [&]() -> Status {
    ArchiveWriter archive(ring);
    return pack_tree(std::move(source), packing, archive, stats);
  });
  uint64_t entries = 0;
  Status own = unpack_ring(ring, std::move(root), std::move(unpacking), entries);
  if (own) ring.stop();
  // The packer ends by itself when all has been read, but the end of an archive may fill more than was asked for.
  Status other;
  if (!own) {
    RingSource rest(ring, 0);
    rest.drain();
  }
  other = packer.join();
  return first_of(std::move(own), std::move(other));
}

}  // namespace wherry

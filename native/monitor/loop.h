// One thread, one epoll: descriptors and timers.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <vector>

namespace wherry {

// A descriptor that the loop watches. Its owner closes it, after `Loop::forget`.
class Source {
 public:
  explicit Source(int descriptor = -1) : fd(descriptor) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual void ready(uint32_t events) = 0;

  int fd;

 private:
  friend class Loop;
  uint32_t watched_ = 0;
};

// Calls a method of its owner.
template <class Owner>
class MethodSource : public Source {
 public:
  MethodSource(Owner& owner, void (Owner::*method)(uint32_t)) : owner_(owner), method_(method) {}
  void ready(uint32_t events) override { (owner_.*method_)(events); }

 private:
  Owner& owner_;
  void (Owner::*method_)(uint32_t);
};

// Calls back once, `set` to when.
struct Timer {
  void (*fire)(void* context) = nullptr;
  void* context = nullptr;
  int64_t deadline = 0;  // CLOCK_MONOTONIC in ns; 0: not set
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Watches for the events, in place of what it watched for. With 0 the descriptor leaves the epoll, since a
  // hang-up would be told again and again otherwise.
  void watch(Source& source, uint32_t events);
  void forget(Source& source) { watch(source, 0); }

  void set(Timer& timer, int64_t nanoseconds_from_now);
  void cancel(Timer& timer);

  // Waits for one batch of events and handles it. Calls `idle` when nothing has happened for a second.
  void turn(void (*idle)(void* context), void* context);

 private:
  int epoll_;
  bool quiet_ = false;
  std::vector<Timer*> timers_;
  epoll_event batch_[16];
  int batch_length_ = 0;
};

}  // namespace wherry

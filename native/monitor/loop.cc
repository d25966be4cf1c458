#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "text.h"

namespace wherry {

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Loop::~Loop() { close(epoll_); }

void Loop::watch(Source& source, uint32_t events) {
  if (source.watched_ == events) return;
  epoll_event event = {};
  event.events = events;
  event.data.ptr = &source;
  int operation = events == 0 ? EPOLL_CTL_DEL : source.watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_ctl(epoll_, operation, source.fd, &event);
  source.watched_ = events;
  if (events != 0) return;
  // Its events of the batch under way are void: the source may be gone by their turn.
  for (int i = 0; i < batch_length_; i++)
    if (batch_[i].data.ptr == &source) batch_[i].data.ptr = nullptr;
}

void Loop::set(Timer& timer, int64_t nanoseconds_from_now) {
  if (timer.deadline == 0) timers_.push_back(&timer);
  timer.deadline = steady_clock() + nanoseconds_from_now;
}

void Loop::cancel(Timer& timer) {
  if (timer.deadline == 0) return;
  timer.deadline = 0;
  for (size_t i = 0; i < timers_.size(); i++) {
    if (timers_[i] != &timer) continue;
    timers_[i] = timers_.back();
    timers_.pop_back();
    return;
  }
}

void Loop::turn(void (*idle)(void* context), void* context) {
  int64_t earliest = 0;
  for (Timer* timer : timers_)
    if (earliest == 0 || timer->deadline < earliest) earliest = timer->deadline;
  int64_t wait = -1;
  if (earliest != 0) {
    int64_t left = earliest - steady_clock();
    wait = (left + 999999) / 1000000;
    if (wait < 0) wait = 0;
    if (wait > 3600000) wait = 3600000;
    if (left > 0 && left < 1000000) {
      // epoll_wait(2) counts in milliseconds, its descriptor can be waited for more exactly.
      pollfd ready = {epoll_, POLLIN, 0};
      timespec exact = {0, static_cast<long>(left)};
      ppoll(&ready, 1, &exact, nullptr);
      wait = 0;
    }
  }
  bool wait_for_quiet = !quiet_ && (wait < 0 || wait > 1000);
  int n = epoll_wait(epoll_, batch_, 16, static_cast<int>(wait_for_quiet ? 1000 : wait));
  batch_length_ = n < 0 ? 0 : n;
  if (n == 0 && wait_for_quiet) {
    quiet_ = true;
    idle(context);
  } else if (n > 0) {
    quiet_ = false;
  }
  for (int i = 0; i < batch_length_; i++) {
    Source* source = static_cast<Source*>(batch_[i].data.ptr);
    if (source != nullptr) source->ready(batch_[i].events);
  }
  batch_length_ = 0;
  int64_t now = steady_clock();
  for (size_t i = 0; i < timers_.size();) {
    Timer* timer = timers_[i];
    if (timer->deadline > now) {
      i++;
      continue;
    }
    cancel(*timer);
    timer->fire(timer->context);
    i = 0;  // the handler may have changed the list
  }
}

}  // namespace wherry

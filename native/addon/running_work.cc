#include "running_work.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace wherry {
namespace {

/** Never destroyed, since other threads may still come. */
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

  bool add(const std::shared_ptr<RunningWork> &work) {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    auto is_gone = [](const std::weak_ptr<RunningWork> &each) { return each.expired(); };
    works_.erase(std::remove_if(works_.begin(), works_.end(), is_gone), works_.end());
    works_.push_back(work);
    return true;
  }

 private:
  void stop() {
    std::vector<std::weak_ptr<RunningWork>> works;
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      works = works_;
    }
    std::vector<std::shared_ptr<RunningWork>> live;
    for (const auto &weak : works) {
      if (auto work = weak.lock()) live.push_back(std::move(work));
    }
    for (const auto &work : live) work->abort();
    for (const auto &work : live) work->wait();
  }

  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<RunningWork>> works_;
};

}  // namespace

bool stop_at_exit(const std::shared_ptr<RunningWork> &work) { return Running::get().add(work); }

}  // namespace wherry

#include "restart.h"

namespace wherry {

static constexpr int64_t kSecond = 1000000000;
static constexpr int64_t kFirstDelay = kSecond / 10;
static constexpr int64_t kLongestDelay = 60 * kSecond;
static constexpr int64_t kWell = 10 * kSecond;

int64_t Restart::decide(const Settings& settings, int exit_code, int64_t count, int64_t lived) {
  if (settings.auto_remove) return -1;
  if (lived >= kWell) delay_ = 0;
  delay_ = delay_ == 0 ? kFirstDelay : delay_ * 2;
  if (delay_ > kLongestDelay) delay_ = kLongestDelay;
  switch (settings.restart_policy) {
    case RestartPolicy::kNo: return -1;
    case RestartPolicy::kAlways:
    case RestartPolicy::kUnlessStopped: return delay_;
    case RestartPolicy::kOnFailure:
      return exit_code != 0 && (settings.restart_max == 0 || count < settings.restart_max) ? delay_ : -1;
  }
  return -1;
}

}  // namespace wherry

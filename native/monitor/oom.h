// Tells when the kernel has killed for lack of memory in the container's cgroup.
#pragma once

#include <string>

#include "loop.h"

namespace wherry {

class OomWatch {
 public:
  OomWatch() = default;
  ~OomWatch() { disarm(); }
  OomWatch(const OomWatch&) = delete;
  OomWatch& operator=(const OomWatch&) = delete;

  // `file` is memory.oom_control of a v1 cgroup or memory.events of a v2 one. The descriptor to watch for
  // EPOLLIN, -1 when the kernel can't tell.
  int arm(const std::string& file);
  void disarm();
  // Forgets the notice that made the descriptor readable.
  void acknowledge();
  // Whether there has been a kill since `arm` or the last call.
  bool killed();

 private:
  int64_t count() const;

  std::string file_;
  int notice_ = -1;
  int64_t seen_ = 0;
};

}  // namespace wherry

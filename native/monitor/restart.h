// When a container that has ended is started again: docker's restart manager.
#pragma once

#include <cstdint>

#include "settings.h"

namespace wherry {

class Restart {
 public:
  // How long to wait before the next start in ns, or -1: it stays ended. `count` is how often the policy has
  // started it already, `lived` how long it was up in ns.
  int64_t decide(const Settings& settings, int exit_code, int64_t count, int64_t lived);

 private:
  int64_t delay_ = 0;
};

}  // namespace wherry

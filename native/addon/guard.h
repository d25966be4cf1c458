#pragma once

#include <poll.h>

#include "failure.h"

namespace wherry {

/** Whether the process of a pidfd has ended; never when there is none. */
inline bool has_ended(int pidfd) {
  if (pidfd < 0) return false;
  pollfd watched = {pidfd, POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

inline Failure guard_failure() { return own_failure("ESRCH", "the container stopped meanwhile"); }

}  // namespace wherry

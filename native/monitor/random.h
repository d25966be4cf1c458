#pragma once

#include <errno.h>
#include <sys/random.h>

#include <cstdint>

namespace wherry {

// A number that nobody can guess.
inline uint16_t random_u16() {
  uint16_t number = 0;
  while (getrandom(&number, sizeof number, 0) < 0 && errno == EINTR) {
  }
  return number;
}

}  // namespace wherry

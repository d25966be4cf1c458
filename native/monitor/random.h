#pragma once

#include <errno.h>
#include <sys/random.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

// A number that nobody can guess.
inline uint16_t random_u16() {
  uint16_t number = 0;
  while (getrandom(&number, sizeof number, 0) < 0 && errno == EINTR) {
  }
  return number;
}

// So many hex digits, at most 64.
inline std::string random_hex(size_t digits) {
  uint8_t bytes[32] = {};
  while (getrandom(bytes, sizeof bytes, 0) < 0 && errno == EINTR) {
  }
  std::string text;
  for (size_t at = 0; at < digits && at < 2 * sizeof bytes; at++)
    text += "0123456789abcdef"[at % 2 == 0 ? bytes[at / 2] >> 4 : bytes[at / 2] & 15];
  return text;
}

}  // namespace wherry

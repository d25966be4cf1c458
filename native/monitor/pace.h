// A process that writes many short pieces is read in larger ones: who waits for each piece is woken for each, and
// the process pays for that with half of its time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "loop.h"

namespace wherry {

class Pace {
 public:
  // Takes note of a read of so many bytes. True: the stream should rest until `timer` fires.
  bool note(int pipe, size_t length, int64_t now);
  bool resting() const { return timer.deadline != 0; }

  static constexpr int64_t kRest = 250 * 1000;

  Timer timer;

 private:
  int64_t last_ = 0;
  int streak_ = 0;
  bool widened_ = false;
};

}  // namespace wherry

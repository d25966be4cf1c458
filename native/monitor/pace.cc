#include "pace.h"

#include <fcntl.h>

namespace wherry {

namespace {

// Reads that are shorter than this and follow each other faster than this, so many times, make a busy stream.
constexpr size_t kShort = 16 * 1024;
constexpr int64_t kFast = 100 * 1000;
constexpr int kStreak = 16;

// What a writer of short lines writes during a rest fits.
constexpr int kPipe = 256 * 1024;

}  // namespace

bool Pace::note(int pipe, size_t length, int64_t now) {
  bool fast = now - last_ < kFast;
  last_ = now;
  streak_ = fast && length < kShort ? streak_ + 1 : 0;
  if (streak_ < kStreak) return false;
  streak_ = 0;
  if (!widened_) fcntl(pipe, F_SETPIPE_SZ, kPipe);
  widened_ = true;
  return true;
}

}  // namespace wherry

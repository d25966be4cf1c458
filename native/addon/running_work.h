#pragma once

#include <memory>

namespace wherry {

/** Work on threads of its own that can be told to end. */
class RunningWork {
 public:
  virtual ~RunningWork() = default;
  virtual void abort() = 0;
  /** Returns when the threads have ended, or after a while. */
  virtual void wait() = 0;
};

/**
 * Work whose threads use OpenSSL, which frees what it has in an exit handler of its own (process.exit() runs
 * nothing else of ours): what has been told here is stopped before that. False when the process is ending.
 */
bool stop_at_exit(const std::shared_ptr<RunningWork> &work);

}  // namespace wherry

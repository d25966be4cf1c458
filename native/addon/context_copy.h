#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "failure.h"
#include "ignore_rules.h"
#include "kernel/fd.h"

namespace wherry {

struct CopyRequest {
  /** Of the context; no path leads out of it. */
  Fd root;
  /** A folder in it, '' or without slashes around it. */
  std::string path;
  /** Without exceptions. */
  IgnoreRules rules;
  /** The folder that is filled. */
  Fd target;
  /** -1: as the files have them. */
  int64_t uid = -1;
  int64_t gid = -1;
  int64_t mode = -1;
  /** Of all, in milliseconds; -1: as the files have them. */
  int64_t time = -1;
  unsigned threads = 1;
  std::shared_ptr<std::atomic<bool>> stopped;
};

/**
 * Copies what is in a folder of a build context into another, as COPY does: a folder that is there becomes what the
 * context's is, anything else is replaced. EISDIR: a folder is in the way of what is none. ECANCELED when it was
 * stopped.
 */
Status copy_context(CopyRequest request);

}  // namespace wherry

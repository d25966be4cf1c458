#pragma once

#include <memory>
#include <string>

#include "failure.h"
#include "ignore_rules.h"
#include "kernel/fd.h"
#include "running_work.h"

namespace wherry {

struct ContextRequest {
  /** Of the context; no path leads out of it. */
  Fd root;
  /** A folder in it, '' or without slashes around it. */
  std::string path;
  IgnoreRules rules;
  /** Where digests of files are kept; empty: nowhere. */
  std::string cache;
  unsigned threads = 1;
};

struct ContextSummary {
  /** `sha256:<hex>` of all entries: paths, kinds, modes, contents, extended attributes; not owners, not times. Empty when there are none. */
  std::string digest;
  uint64_t entries = 0;
  /** Of all files. */
  uint64_t bytes = 0;
  /** How many files were read, since nothing was known of them. */
  uint64_t hashed = 0;
};

/** Reads a folder of a build context: what is in it, and a digest of that. */
class ContextWalk : public RunningWork {
 public:
  static std::shared_ptr<ContextWalk> create(ContextRequest request);
  /** ECANCELED when it was aborted. */
  virtual Status run(ContextSummary &summary) = 0;
};

}  // namespace wherry

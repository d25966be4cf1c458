#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "failure.h"

namespace wherry {

/** Copies what is in files: as a reflink, else in the kernel, else by a buffer; holes stay holes. For one thread. */
class ContentCopy {
 public:
  /** `to` is empty. `name` is for messages. */
  Status run(int from, int to, off_t size, const std::string &name);

 private:
  Status range(int from, int to, off_t offset, off_t end, const std::string &name);
  Status by_buffer(int from, int to, off_t offset, off_t end, const std::string &name);

  bool can_clone_ = true;
  bool can_copy_range_ = true;
  std::vector<char> buffer_;
};

}  // namespace wherry

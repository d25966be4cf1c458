#pragma once

#include <optional>
#include <string>
#include <utility>

namespace wherry {

/** An error as a value. Either a failed system call (`number`), or a finding of our own (`code`, `reason`). */
struct Failure {
  int number = 0;
  const char *syscall = "";
  /** What it was about: a path, a name in an archive. */
  std::string subject;
  std::string code;
  std::string reason;
};

/** Empty: it went well. */
using Status = std::optional<Failure>;

inline Failure system_failure(int number, const char *syscall, std::string subject = {}) {
  Failure failure;
  failure.number = number;
  failure.syscall = syscall;
  failure.subject = std::move(subject);
  return failure;
}

inline Failure own_failure(const char *code, std::string reason, std::string subject = {}) {
  Failure failure;
  failure.code = code;
  failure.reason = std::move(reason);
  failure.subject = std::move(subject);
  return failure;
}

}  // namespace wherry

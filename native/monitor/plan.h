// Reads the plan format that src/runtime/plan/sections.ts describes. A plan is checked as a whole before any
// of it is used, so what reads it afterwards needs no checks of bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ops.h"

namespace wherry {

// One decoded operation. Views point into the plan's bytes; every string there is followed by a NUL, and only
// arguments that are raw bytes (programs, netlink messages, contents) have NULs inside.
class Op {
 public:
  OpCode code() const { return info_->code; }
  const char* name() const { return info_->name; }
  int64_t number(unsigned argument) const { return arguments_[argument].number; }
  std::string_view text(unsigned argument) const { return arguments_[argument].text; }
  // NUL-terminated.
  const char* path(unsigned argument) const { return arguments_[argument].text.data(); }
  const std::vector<std::string_view>& list(unsigned argument) const { return arguments_[argument].list; }

 private:
  friend class PlanDecoder;
  struct Argument {
    int64_t number = 0;
    std::string_view text;
    std::vector<std::string_view> list;
  };
  const OpInfo* info_ = nullptr;
  std::vector<Argument> arguments_;
};

// A decoded plan. It refers to the bytes it was decoded from and must not outlive them.
class PlanView {
 public:
  const std::vector<Op>& section(Section section) const;
  bool has(Section section, OpCode code) const;
  // The value of a `set` operation (NUL-terminated), or an empty string.
  const char* setting(std::string_view key) const;
  int64_t setting_number(std::string_view key, int64_t otherwise) const;

 private:
  friend class PlanDecoder;
  static constexpr unsigned kSections = 11;
  std::vector<Op> sections_[kSections];
};

// Fails on anything that is not exactly a plan of this version. `error` says what and where.
bool plan_decode(const uint8_t* bytes, size_t size, PlanView* plan, std::string* error);

// A plan file and its bytes. Moving it keeps its views valid.
struct PlanFile {
  std::vector<uint8_t> bytes;
  PlanView plan;
};
// Reads and decodes a file of at most 64 MiB.
bool plan_load(const char* path, PlanFile* file, std::string* error);

}  // namespace wherry

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry {

/**
 * The patterns of a .dockerignore, compiled by src/engine/build/patterns.ts (`rules`), which says what they mean. A
 * pattern that has matched a folder holds for all that is in it, so a walk takes along which ones have.
 */
class IgnoreRules {
 public:
  /** One flag for each pattern: whether it has matched a path or a folder above it. */
  using Matched = std::vector<bool>;

  /** Each rule: `!` or `=`, the text up to its first wild part, a line end, then its operations with a line end behind each. */
  static std::optional<IgnoreRules> parse(const std::vector<std::string> &rules);

  bool empty() const { return patterns_.empty(); }
  bool has_exceptions() const { return has_exceptions_; }
  Matched none() const { return Matched(patterns_.size(), false); }

  /** Whether a path is left out. `matched` is of its folder, and becomes its own. */
  bool excludes(std::string_view path, Matched &matched) const;
  /** Whether below a folder that is left out something may be an exception. */
  bool may_keep_below(std::string_view folder) const;

 private:
  enum class Kind { literal, within_part, one, any, folders, rest, ending };
  struct Operation {
    Kind kind;
    std::string text;
  };
  struct Pattern {
    bool exception = false;
    /** Ends before a wild part. */
    bool wild = false;
    std::string fixed;
    std::vector<Operation> operations;
  };

  static bool matches(const Pattern &pattern, size_t at, std::string_view rest);

  std::vector<Pattern> patterns_;
  bool has_exceptions_ = false;
};

}  // namespace wherry

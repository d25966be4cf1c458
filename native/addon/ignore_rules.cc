#include "ignore_rules.h"

#include <algorithm>

namespace wherry {
namespace {

bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

/** Whether one path, by whole parts, leads to the other. */
bool leads_to(std::string_view folder, std::string_view path) {
  return begins_with(path, folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/** Bytes of the character that begins here; a byte that begins none is one. */
size_t character_size(std::string_view text) {
  auto first = static_cast<unsigned char>(text[0]);
  size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size > text.size()) return 1;
  for (size_t at = 1; at < size; ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return 1;
  }
  return size;
}

}  // namespace

std::optional<IgnoreRules> IgnoreRules::parse(const std::vector<std::string> &rules) {
  IgnoreRules result;
  for (const std::string &rule : rules) {
    size_t end = rule.find('\n');
    if (end == std::string::npos || end == 0) return std::nullopt;
    Pattern pattern;
    pattern.exception = rule[0] == '!';
    pattern.fixed = rule.substr(1, end - 1);
    for (size_t at = end + 1; at < rule.size();) {
      size_t stop = rule.find('\n', at);
      if (stop == std::string::npos || stop == at) return std::nullopt;
      Operation operation;
      operation.text = rule.substr(at + 1, stop - at - 1);
      switch (rule[at]) {
        case 'l': operation.kind = Kind::literal; break;
        case '*': operation.kind = Kind::within_part; break;
        case '?': operation.kind = Kind::one; break;
        case 'a': operation.kind = Kind::any; break;
        case 'd': operation.kind = Kind::folders; break;
        case 'r': operation.kind = Kind::rest; break;
        case 's': operation.kind = Kind::ending; break;
        case 'w':
          pattern.wild = true;
          at = stop + 1;
          continue;
        default: return std::nullopt;
      }
      pattern.operations.push_back(std::move(operation));
      at = stop + 1;
    }
    result.has_exceptions_ = result.has_exceptions_ || pattern.exception;
    result.patterns_.push_back(std::move(pattern));
  }
  return result;
}

bool IgnoreRules::matches(const Pattern &pattern, size_t at, std::string_view rest) {
  for (; at < pattern.operations.size(); ++at) {
    const Operation &operation = pattern.operations[at];
    switch (operation.kind) {
      case Kind::literal:
        if (!begins_with(rest, operation.text)) return false;
        rest.remove_prefix(operation.text.size());
        break;
      case Kind::one:
        if (rest.empty() || rest[0] == '/') return false;
        rest.remove_prefix(character_size(rest));
        break;
      case Kind::rest: return true;
      case Kind::ending:
        return rest.size() >= operation.text.size() && rest.substr(rest.size() - operation.text.size()) == operation.text;
      case Kind::within_part:
      case Kind::any:
        for (;;) {
          if (matches(pattern, at + 1, rest)) return true;
          if (rest.empty() || rest[0] == (operation.kind == Kind::any ? '\n' : '/')) return false;
          rest.remove_prefix(1);
        }
      case Kind::folders:
        // Nothing, or anything up to a slash.
        if (matches(pattern, at + 1, rest)) return true;
        for (size_t slash = 0; slash < rest.size() && rest[slash] != '\n'; ++slash) {
          if (rest[slash] == '/' && matches(pattern, at + 1, rest.substr(slash + 1))) return true;
        }
        return false;
    }
  }
  return rest.empty();
}

bool IgnoreRules::excludes(std::string_view path, Matched &matched) const {
  bool excluded = false;
  for (size_t index = 0; index < patterns_.size(); ++index) {
    const Pattern &pattern = patterns_[index];
    if (!matched[index]) matched[index] = matches(pattern, 0, path);
    if (matched[index]) excluded = !pattern.exception;
  }
  return excluded;
}

bool IgnoreRules::may_keep_below(std::string_view folder) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern &pattern) {
    if (!pattern.exception) return false;
    if (leads_to(folder, pattern.fixed)) return true;
    // As far as it is written out it must lead there.
    return pattern.wild && (pattern.fixed.empty() || leads_to(pattern.fixed, folder));
  });
}

}  // namespace wherry

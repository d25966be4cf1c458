#include "accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>

#include "kernel/fd.h"
#include "paths.h"

namespace wherry {

namespace {

constexpr size_t kMaxFile = 8 << 20;
constexpr long long kMaxId = 2147483647;

enum class Number { kNone, kValid, kOutOfRange };

Number parse_id(std::string_view text, uint32_t* id) {
  bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  std::string_view digits = text.substr(sign ? 1 : 0);
  if (digits.empty()) return Number::kNone;
  long long value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return Number::kNone;
    if (value <= kMaxId) value = value * 10 + (c - '0');
  }
  if (value > kMaxId || (text[0] == '-' && value != 0)) return Number::kOutOfRange;
  *id = static_cast<uint32_t>(value);
  return Number::kValid;
}

bool out_of_range(Failure* failure) { return fail(failure, 0, "uids and gids must be in range 0-2147483647"); }

// A missing file is an empty one. Only a regular file is read: a FIFO would block, a device could be anything.
bool read_account_file(int root, const char* path, std::string* text, Failure* failure) {
  text->clear();
  Fd found(open_in_root(root, path, O_PATH));
  if (!found) return errno == ENOENT || errno == ENOTDIR || fail(failure, errno, "open %s", path);
  struct stat info;
  if (fstat(found.get(), &info) < 0 || !S_ISREG(info.st_mode)) {
    return fail(failure, 0, "%s is not a regular file", path);
  }
  char way[40];
  snprintf(way, sizeof way, "self/fd/%d", found.get());
  Fd fd(openat(proc_fd(), way, O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(failure, errno, "open %s", path);
  if (read_bounded(fd.get(), kMaxFile, text)) return true;
  if (errno == EFBIG) return fail(failure, 0, "%s is larger than 8 MiB", path);
  return fail(failure, errno, "read %s", path);
}

// The next line, without comments and blank ones.
bool next_line(std::string_view* text, std::string_view* line) {
  while (!text->empty()) {
    size_t end = text->find('\n');
    *line = text->substr(0, end);
    text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
    if (!line->empty() && (*line)[0] != '#') return true;
  }
  return false;
}

std::string_view field(std::string_view line, int index, char separator = ':') {
  for (; index > 0; index--) {
    size_t at = line.find(separator);
    if (at == std::string_view::npos) return {};
    line.remove_prefix(at + 1);
  }
  return line.substr(0, line.find(separator));
}

bool is_member(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    size_t comma = members.find(',');
    if (members.substr(0, comma) == name) return true;
    if (comma == std::string_view::npos) break;
    members.remove_prefix(comma + 1);
  }
  return false;
}

bool find_group(std::string_view text, std::string_view name, gid_t* gid) {
  std::string_view line;
  while (next_line(&text, &line)) {
    uint32_t id;
    if (field(line, 0) == name && parse_id(field(line, 2), &id) == Number::kValid) {
      *gid = id;
      return true;
    }
  }
  return false;
}

bool lookup_group(std::string_view text, std::string_view wanted, gid_t* gid, Failure* failure) {
  switch (parse_id(wanted, gid)) {
    case Number::kValid: return true;
    case Number::kOutOfRange: return out_of_range(failure);
    case Number::kNone: break;
  }
  return find_group(text, wanted, gid) ||
         fail(failure, 0, "unable to find group %.*s: no matching entries in group file",
              static_cast<int>(std::min<size_t>(wanted.size(), 256)), wanted.data());
}

}  // namespace

bool resolve_identity(int root, std::string_view spec, const std::vector<std::string_view>& groups,
                      Identity* identity, Failure* failure) {
  *identity = Identity();
  size_t colon = spec.find(':');
  std::string_view user = spec.substr(0, colon);
  std::string_view group = colon == std::string_view::npos ? std::string_view() : spec.substr(colon + 1);
  uint32_t uid = 0;
  Number number = user.empty() ? Number::kValid : parse_id(user, &uid);
  if (number == Number::kOutOfRange) return out_of_range(failure);

  std::string passwd, group_file;
  if (!read_account_file(root, "/etc/passwd", &passwd, failure) ||
      !read_account_file(root, "/etc/group", &group_file, failure)) {
    return false;
  }
  std::string_view rest = passwd, line, name;
  bool found = false;
  while (!found && next_line(&rest, &line)) {
    uint32_t entry_uid, entry_gid;
    if (parse_id(field(line, 2), &entry_uid) != Number::kValid) continue;
    found = number == Number::kValid ? entry_uid == uid : field(line, 0) == user;
    if (!found) continue;
    uid = entry_uid;
    name = field(line, 0);
    if (parse_id(field(line, 3), &entry_gid) == Number::kValid) identity->gid = entry_gid;
    std::string_view home = field(line, 5);
    if (!home.empty()) identity->home = home;
  }
  if (!found && number == Number::kNone) {
    return fail(failure, 0, "unable to find user %.*s: no matching entries in passwd file",
                static_cast<int>(std::min<size_t>(user.size(), 256)), user.data());
  }
  identity->uid = uid;

  std::vector<gid_t>& all = identity->groups;
  if (!group.empty()) {
    if (!lookup_group(group_file, group, &identity->gid, failure)) return false;
  } else if (!name.empty()) {
    rest = group_file;
    while (next_line(&rest, &line)) {
      uint32_t gid;
      if (is_member(field(line, 3), name) && parse_id(field(line, 2), &gid) == Number::kValid) all.push_back(gid);
    }
  }
  for (std::string_view extra : groups) {
    gid_t gid;
    if (!lookup_group(group_file, extra, &gid, failure)) return false;
    all.push_back(gid);
  }
  // The primary group is among the others too: a program that changes its primary group must not be able to
  // leave it, and so get around a file that denies it access.
  all.push_back(identity->gid);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.size() > 65536) return fail(failure, 0, "too many groups");
  return true;
}

}  // namespace wherry

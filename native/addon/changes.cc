#include "changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "kernel/syscalls.h"
#include "tree_walk.h"

namespace wherry {
namespace {

/** Archives have whole seconds, so a time without a fraction may be the same one. */
bool same_time(const timespec &one, const timespec &other) {
  return one.tv_sec == other.tv_sec && (one.tv_nsec == other.tv_nsec || one.tv_nsec == 0 || other.tv_nsec == 0);
}

std::string capability_of(const std::string &path) {
  char value[64];
  ssize_t size = getxattr(path.c_str(), "security.capability", value, sizeof value);
  return size > 0 ? std::string(value, static_cast<size_t>(size)) : "";
}

class Comparison {
 public:
  Comparison(int base, bool upper, const std::optional<StartMarks> &marks, Changes &changes)
      : base_(base), upper_(upper), marks_(marks), changes_(changes) {}

  Status run(Fd tree);

 private:
  Status compare(const WalkEntry &entry, TreeWalk &walk);
  Status find_deleted(const WalkEntry &folder);
  bool differs(const WalkEntry &entry, const struct stat &below);
  void note(const std::string &path, char kind);

  int base_;
  bool upper_;
  const std::optional<StartMarks> &marks_;
  Changes &changes_;
};

/** The folders above have changed, too, if they are not new. */
void Comparison::note(const std::string &path, char kind) {
  changes_[path] = kind;
  size_t slash = path.size();
  while ((slash = path.rfind('/', slash - 1)) != std::string::npos && slash > 0) {
    if (!changes_.emplace(path.substr(0, slash), 'C').second) return;
  }
}

bool Comparison::differs(const WalkEntry &entry, const struct stat &below) {
  const struct stat &now = entry.status;
  if (now.st_mode != below.st_mode || now.st_uid != below.st_uid || now.st_gid != below.st_gid ||
      now.st_rdev != below.st_rdev) {
    return true;
  }
  if (S_ISDIR(now.st_mode)) return false;
  if (!same_time(now.st_mtim, below.st_mtim) || now.st_size != below.st_size) return true;
  if (!S_ISREG(now.st_mode)) return false;
  Fd old(sys::openat2(base_, entry.path.c_str(), O_PATH | O_NOFOLLOW, 0, sys::kResolveBeneath | sys::kResolveNoSymlinks));
  return !old || capability_of(entry.link()) != capability_of("/proc/self/fd/" + std::to_string(old.get()));
}

/** What the base has in a folder and the tree has not. */
Status Comparison::find_deleted(const WalkEntry &folder) {
  Fd below(sys::openat2(base_, folder.path.empty() ? "." : folder.path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
                         sys::kResolveBeneath | sys::kResolveNoSymlinks));
  if (!below) return {};
  std::vector<DirectoryEntry> entries;
  if (Status failure = list_directory(below.get(), entries)) return failure;
  for (const DirectoryEntry &entry : entries) {
    struct stat status;
    bool is_there = fstatat(folder.fd.get(), entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there || errno != ENOENT) continue;
    note(folder.path.empty() ? entry.name : folder.path + "/" + entry.name, 'D');
  }
  return {};
}

Status Comparison::compare(const WalkEntry &entry, TreeWalk &walk) {
  const std::string &path = entry.path;
  bool is_folder = S_ISDIR(entry.status.st_mode);
  if (path.empty()) return upper_ && !is_opaque(entry.link()) ? Status() : find_deleted(entry);
  struct stat below;
  bool was_there = stat_beneath(base_, path, below);
  if (upper_ && is_whiteout(entry.status)) {
    if (was_there) note(path, 'D');
    return {};
  }
  if (marks_ && marks_->covers(entry.fd.get(), path, entry.status)) {
    walk.skip();
    return {};
  }
  // The folders of a root folder that is no overlay may have others mounted on them.
  if (entry.crosses) walk.skip();
  if (!was_there) {
    note(path, 'A');
    return {};
  }
  if (differs(entry, below)) note(path, 'C');
  if (!is_folder || !S_ISDIR(below.st_mode)) return {};
  return !upper_ || is_opaque(entry.link()) ? find_deleted(entry) : Status();
}

Status Comparison::run(Fd tree) {
  TreeWalk walk(std::move(tree));
  for (;;) {
    WalkEntry entry;
    bool end;
    if (Status failure = walk.next(entry, end)) return failure;
    if (end) return {};
    if (Status failure = compare(entry, walk)) return failure;
  }
}

}  // namespace

Status list_changes(Fd tree, int base, bool upper, const std::optional<StartMarks> &marks, Changes &changes) {
  Comparison comparison(base, upper, marks, changes);
  return comparison.run(std::move(tree));
}

}  // namespace wherry

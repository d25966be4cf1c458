#include "root_paths.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "kernel/syscalls.h"

namespace wherry {
namespace {

/** As the kernel's MAXSYMLINKS. */
constexpr int kMaxLinks = 40;
constexpr uint64_t kInRoot = sys::kResolveInRoot | sys::kResolveNoMagiclinks;

/** In front of what is still to be walked, which ends with the next name. */
void push(std::vector<std::string> &rest, const std::string &path) {
  std::vector<std::string> names;
  for (size_t start = 0; start < path.size();) {
    size_t end = std::min(path.find('/', start), path.size());
    if (end > start) names.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  rest.insert(rest.end(), names.rbegin(), names.rend());
}

std::string join(const std::vector<std::string> &names) {
  std::string path;
  for (const std::string &name : names) path += "/" + name;
  return path.empty() ? "/" : path;
}

}  // namespace

Status resolve_in_root(int root, const std::string &path, std::string &resolved) {
  std::vector<std::string> done, rest;
  push(rest, path);
  int links = 0;
  while (!rest.empty()) {
    std::string name = std::move(rest.back());
    rest.pop_back();
    if (name == ".") continue;
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(name);
    Fd fd(sys::openat2(root, join(done).c_str(), O_PATH | O_NOFOLLOW, 0, kInRoot));
    char target[PATH_MAX];
    ssize_t length = fd ? readlinkat(fd.get(), "", target, sizeof target) : -1;
    if (length <= 0) continue;
    if (++links > kMaxLinks) return system_failure(ELOOP, "readlink", path);
    done.pop_back();
    if (target[0] == '/') done.clear();
    push(rest, std::string(target, static_cast<size_t>(length)));
  }
  resolved = join(done);
  return {};
}

Status make_in_root(int root, const std::string &path, bool folder, Fd &made) {
  made.reset(sys::openat2(root, path.c_str(), O_PATH, 0, kInRoot));
  if (made) return {};
  if (errno != ENOENT) return system_failure(errno, "open", path);
  std::string whole;
  if (Status failure = resolve_in_root(root, path, whole)) return failure;
  for (size_t slash = 0; slash < whole.size();) {
    std::string above = whole.substr(0, std::max<size_t>(slash, 1));
    size_t end = std::min(whole.find('/', slash + 1), whole.size());
    std::string name = whole.substr(slash + 1, end - slash - 1);
    Fd parent(sys::openat2(root, above.c_str(), O_PATH | O_DIRECTORY, 0, kInRoot));
    if (!parent) return system_failure(errno, "open", above);
    if (end == whole.size() && !folder) {
      Fd file(openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755));
      if (!file && errno != EEXIST) return system_failure(errno, "open", whole);
    } else if (mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
      return system_failure(errno, "mkdir", whole);
    }
    slash = end;
  }
  made.reset(sys::openat2(root, path.c_str(), O_PATH, 0, kInRoot));
  if (!made) return system_failure(errno, "open", path);
  return {};
}

}  // namespace wherry

#include "paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <vector>

#include "kernel/syscalls.h"
#include "without.h"

namespace wherry {

namespace sys {
Without without = {};
}

namespace {

constexpr uint64_t kInRoot = sys::kResolveInRoot | sys::kResolveNoMagiclinks;
constexpr int kMaxLinks = 40;
constexpr int kRetries = 32;

// RESOLVE_IN_ROOT fails with EAGAIN when something is renamed anywhere while a `..` is walked.
int open_how(int root, const char* path, int flags, unsigned mode, uint64_t resolve) {
  for (int attempt = 0;; attempt++) {
    int fd = sys::openat2(root, path, static_cast<uint64_t>(static_cast<unsigned>(flags)), mode, resolve);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == kRetries) return fd;
  }
}

void push_components(std::vector<std::string>* rest, const std::string& path) {
  // The next component is at the end.
  std::vector<std::string> parts;
  for (size_t at = 0; at < path.size();) {
    size_t slash = path.find('/', at);
    if (slash == std::string::npos) slash = path.size();
    if (slash > at && path.compare(at, slash - at, ".") != 0) parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  rest->insert(rest->end(), parts.rbegin(), parts.rend());
}

// Walks component by component, making what is missing. `done` is the way so far, free of links.
class Maker {
 public:
  Maker(int root, Make what, unsigned mode) : root_(root), what_(what), mode_(mode) {}

  int walk(const char* path) {
    push_components(&rest_, path);
    Fd here(open_how(root_, ".", O_PATH | O_DIRECTORY, 0, kInRoot));
    while (here && !rest_.empty()) {
      std::string name = rest_.back();
      rest_.pop_back();
      if (name == "..") {
        if (!done_.empty()) done_.pop_back();
        here.reset(reopen());
        continue;
      }
      bool last = rest_.empty();
      int next = open_how(here.get(), name.c_str(), O_PATH | O_NOFOLLOW, 0, kInRoot);
      if (next < 0 && errno == ENOENT) next = create(here.get(), name, last);
      if (next < 0) return -1;
      Fd entry(next);
      struct stat info;
      if (fstat(next, &info) < 0) return -1;
      if (S_ISLNK(info.st_mode)) {
        if (!follow(next)) return -1;
        if (restart_) here.reset(reopen());
        continue;
      }
      if (!last && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        return -1;
      }
      done_.push_back(name);
      here = std::move(entry);
    }
    return here.release();
  }

 private:
  int create(int folder, const std::string& name, bool last) {
    if (last && what_ == Make::kFile) {
      Fd made(openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_));
      if (!made && errno != EEXIST) return -1;
    } else if (mkdirat(folder, name.c_str(), last ? mode_ : 0755) < 0 && errno != EEXIST) {
      return -1;
    }
    return open_how(folder, name.c_str(), O_PATH | O_NOFOLLOW, 0, kInRoot);
  }

  // Puts the link's target in front of the rest of the way.
  bool follow(int link) {
    char target[4096];
    if (++links_ > kMaxLinks) {
      errno = ELOOP;
      return false;
    }
    ssize_t length = readlinkat(link, "", target, sizeof target);
    if (length <= 0 || length == static_cast<ssize_t>(sizeof target)) {
      if (length >= 0) errno = length ? ENAMETOOLONG : ENOENT;
      return false;
    }
    restart_ = target[0] == '/';
    if (restart_) done_.clear();
    push_components(&rest_, std::string(target, static_cast<size_t>(length)));
    return true;
  }

  int reopen() {
    std::string way = ".";
    for (const std::string& name : done_) way += "/" + name;
    return open_how(root_, way.c_str(), O_PATH | O_DIRECTORY, 0, kInRoot | sys::kResolveNoSymlinks);
  }

  int root_;
  Make what_;
  unsigned mode_;
  std::vector<std::string> rest_, done_;
  int links_ = 0;
  bool restart_ = false;
};

int proc = -1;

}  // namespace

int open_in_root(int root, const char* path, int flags, unsigned mode) {
  return open_how(root, path, flags, mode, kInRoot);
}

int open_in_root_plainly(int root, const char* path, int flags) {
  return open_how(root, path, flags, 0, kInRoot | sys::kResolveNoSymlinks);
}

int make_in_root(int root, const char* path, Make what, unsigned mode) {
  int flags = O_PATH | (what == Make::kFolder ? O_DIRECTORY : 0);
  int fd = open_how(root, path, flags, 0, kInRoot);
  if (fd >= 0 || errno != ENOENT) return fd;
  fd = Maker(root, what, mode).walk(path);
  struct stat info;
  if (fd >= 0 && what == Make::kFolder && (fstat(fd, &info) < 0 || !S_ISDIR(info.st_mode))) {
    close(fd);
    errno = ENOTDIR;
    return -1;
  }
  return fd;
}

bool place_in_root(int root, const char* path, Place* place) {
  std::string folder = path;
  while (!folder.empty() && folder.back() == '/') folder.pop_back();
  size_t slash = folder.rfind('/');
  place->name = slash == std::string::npos ? folder : folder.substr(slash + 1);
  folder.resize(slash == std::string::npos ? 0 : slash);
  if (place->name.empty() || place->name == "." || place->name == "..") {
    errno = EINVAL;
    return false;
  }
  place->folder.reset(make_in_root(root, folder.empty() ? "/" : folder.c_str(), Make::kFolder, 0755));
  return static_cast<bool>(place->folder);
}

long filesystem_of(int fd) {
  struct statfs info;
  return fstatfs(fd, &info) == 0 ? static_cast<long>(info.f_type) : 0;
}

int proc_fd() { return proc; }

void open_proc() {
  if (proc < 0) proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool read_bounded(int fd, size_t limit, std::string* text) {
  text->clear();
  char buffer[16384];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    text->append(buffer, static_cast<size_t>(got));
    if (text->size() > limit) {
      errno = EFBIG;
      return false;
    }
  }
}

}  // namespace wherry

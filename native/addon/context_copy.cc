#include "context_copy.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "copy_content.h"
#include "directory.h"
#include "kernel/syscalls.h"
#include "xattrs.h"

namespace wherry {
namespace {

/** What is smaller is written as it was read, without asking the file system for more. */
constexpr off_t kSmall = 256 << 10;

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

struct Folder {
  /** Relative to the folder that is filled; '' is that itself. */
  std::string path;
  IgnoreRules::Matched matched;
  timespec times[2];
};

/** What is said is about the file, not about the way to it. */
Status named(Status failure, const std::string &path) {
  failure->subject = path;
  return failure;
}

int open_beneath(int root, const std::string &path) {
  return sys::openat2(root, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                      sys::kResolveBeneath | sys::kResolveNoSymlinks);
}

class Copier {
 public:
  explicit Copier(CopyRequest request) : request_(std::move(request)) {}

  Status run();

 private:
  /** What a thread needs again and again. */
  struct Room {
    ContentCopy content;
    std::vector<char> buffer = std::vector<char>(kSmall);
    std::vector<Folder> found;
    /** Files in the folder that is filled may get its group instead of the process's. */
    bool inherits = false;
    /** They get an access list of it, which takes from the mode that they are made with. */
    bool inherits_list = false;
    Xattrs xattrs;
  };

  void work_on_folders();
  Status copy_folder(const Folder &folder, Room &room);
  Status copy_entry(int from, int to, const DirectoryEntry &entry, const std::string &path, bool &is_folder,
                    struct stat &status, Room &room);
  Status copy_file(int from, int to, const char *name, const std::string &path, struct stat &status, Room &room);
  Status copy_other(int from, int to, const char *name, const std::string &path, const struct stat &status);
  bool is_first_name(const struct stat &status, const std::string &path);
  Status make_links();
  Status finish_folders();
  Status make_way(int to, const char *name, const std::string &path, bool for_folder, bool &there);
  void times_of(const struct stat &status, timespec (&times)[2]) const;
  mode_t mode_of(const struct stat &status) const {
    return request_.mode >= 0 ? static_cast<mode_t>(request_.mode) : status.st_mode & 07777;
  }
  uid_t uid_of(const struct stat &status) const {
    return request_.uid >= 0 ? static_cast<uid_t>(request_.uid) : status.st_uid;
  }
  gid_t gid_of(const struct stat &status) const {
    return request_.gid >= 0 ? static_cast<gid_t>(request_.gid) : status.st_gid;
  }
  std::string source_of(const std::string &path) const {
    return request_.path.empty() ? path : path.empty() ? request_.path : request_.path + "/" + path;
  }

  CopyRequest request_;
  const uid_t own_uid_ = geteuid();
  const gid_t own_gid_ = getegid();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Folder> waiting_;
  /** Those that are made, for their times; a folder comes before what is in it. */
  std::vector<Folder> made_;
  /** Of those, such as have any: what is made in a folder before must not inherit of them. */
  std::vector<std::pair<std::string, Xattrs>> xattrs_;
  /** The name under which a file with several was copied first, and its others, which become links to that. */
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  std::vector<std::pair<std::string, std::string>> links_;
  size_t open_folders_ = 0;
  bool stopped_ = false;
  Status failure_;
};

void Copier::times_of(const struct stat &status, timespec (&times)[2]) const {
  times[1] = status.st_mtim;
  if (request_.time >= 0) times[1] = {request_.time / 1000, request_.time % 1000 * 1'000'000};
  times[0] = times[1];
}

/** What is no folder gives way; a folder stays for a folder. */
Status Copier::make_way(int to, const char *name, const std::string &path, bool for_folder, bool &there) {
  struct stat status;
  there = false;
  if (fstatat(to, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : system_failure(errno, "lstat", path);
  }
  if (S_ISDIR(status.st_mode)) {
    there = for_folder;
    return for_folder ? Status() : system_failure(EISDIR, "open", path);
  }
  return unlinkat(to, name, 0) == 0 ? Status() : system_failure(errno, "unlink", path);
}

/** What has been copied under another name is linked when all is there. */
bool Copier::is_first_name(const struct stat &status, const std::string &path) {
  std::lock_guard lock(mutex_);
  auto [first, is_first] = first_names_.try_emplace({status.st_dev, status.st_ino}, path);
  if (!is_first) links_.emplace_back(first->second, path);
  return is_first;
}

Status Copier::copy_file(int from, int to, const char *name, const std::string &path, struct stat &status,
                         Room &room) {
  Fd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  // What has gone away meanwhile is noticed when all is read again.
  if (!source) return errno == ENOENT ? Status() : system_failure(errno, "open", path);
  if (fstat(source.get(), &status) != 0) return system_failure(errno, "fstat", path);
  if (!S_ISREG(status.st_mode)) return own_failure("EBUSY", "it is being replaced", path);
  if (status.st_nlink > 1 && !is_first_name(status, path)) {
    bool there;
    return make_way(to, name, path, false, there);
  }
  const mode_t mode = mode_of(status);
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd target(openat(to, name, flags, mode & 0777));
  if (!target && errno == EEXIST) {
    bool there;
    if (Status failure = make_way(to, name, path, false, there)) return failure;
    target.reset(openat(to, name, flags, mode & 0777));
  }
  if (!target) return system_failure(errno, "open", path);
  if (status.st_size > kSmall) {
    if (Status failure = room.content.run(source.get(), target.get(), status.st_size, path)) return failure;
  } else {
    for (off_t left = status.st_size; left > 0;) {
      ssize_t got = read(source.get(), room.buffer.data(), static_cast<size_t>(left));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_failure(errno, "read", path);
      if (got == 0) break;
      for (ssize_t done = 0; done < got;) {
        ssize_t put = write(target.get(), room.buffer.data() + done, static_cast<size_t>(got - done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return system_failure(errno, "write", path);
        done += put;
      }
      left -= got;
    }
  }
  // A new file is the process's own and has the mode that it was made with, but for special bits.
  const uid_t uid = uid_of(status);
  const gid_t gid = gid_of(status);
  if ((room.inherits || uid != own_uid_ || gid != own_gid_) && fchown(target.get(), uid, gid) != 0) {
    return system_failure(errno, "chown", path);
  }
  if (Status failure = read_xattrs(XattrPlace(source.get()), room.xattrs)) return named(failure, path);
  if (Status failure = write_xattrs(XattrPlace(target.get()), room.xattrs)) return named(failure, path);
  const bool has_list = room.inherits_list || has_access_list(room.xattrs);
  if (((mode & 07000) != 0 || has_list) && fchmod(target.get(), mode) != 0) {
    return system_failure(errno, "chmod", path);
  }
  timespec times[2];
  times_of(status, times);
  return futimens(target.get(), times) == 0 ? Status() : system_failure(errno, "utimensat", path);
}

Status Copier::copy_other(int from, int to, const char *name, const std::string &path, const struct stat &status) {
  bool there;
  if (Status failure = make_way(to, name, path, false, there)) return failure;
  if (S_ISLNK(status.st_mode)) {
    char target[4097];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0) return system_failure(errno, "readlink", path);
    target[length] = '\0';
    if (symlinkat(target, to, name) != 0) return system_failure(errno, "symlink", path);
  } else {
    // A socket becomes an empty file.
    mode_t kind = S_ISSOCK(status.st_mode) ? S_IFREG : status.st_mode & S_IFMT;
    if (mknodat(to, name, kind | 0600, S_ISSOCK(status.st_mode) ? 0 : status.st_rdev) != 0) {
      return system_failure(errno, "mknod", path);
    }
  }
  if (fchownat(to, name, uid_of(status), gid_of(status), AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure(errno, "chown", path);
  }
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(from, name), xattrs)) return named(failure, path);
  if (Status failure = write_xattrs(XattrPlace(to, name), xattrs)) return named(failure, path);
  if (!S_ISLNK(status.st_mode) && fchmodat(to, name, mode_of(status), 0) != 0) {
    return system_failure(errno, "chmod", path);
  }
  timespec times[2];
  times_of(status, times);
  return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? Status() : system_failure(errno, "utimensat", path);
}

Status Copier::copy_entry(int from, int to, const DirectoryEntry &entry, const std::string &path, bool &is_folder,
                          struct stat &status, Room &room) {
  const char *name = entry.name.c_str();
  if (entry.type == DT_REG) return copy_file(from, to, name, path, status, room);
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return is_gone(errno) ? Status() : system_failure(errno, "lstat", path);
  }
  is_folder = S_ISDIR(status.st_mode);
  if (S_ISREG(status.st_mode)) return copy_file(from, to, name, path, status, room);
  if (!is_folder) return copy_other(from, to, name, path, status);
  bool there;
  if (Status failure = make_way(to, name, path, true, there)) return failure;
  if (!there && mkdirat(to, name, 0700) != 0) return system_failure(errno, "mkdir", path);
  // A folder that was there becomes what this one is.
  if (fchownat(to, name, uid_of(status), gid_of(status), AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure(errno, "chown", path);
  }
  return fchmodat(to, name, mode_of(status), 0) == 0 ? Status() : system_failure(errno, "chmod", path);
}

Status Copier::copy_folder(const Folder &folder, Room &room) {
  const std::string source = source_of(folder.path);
  Fd from(open_beneath(request_.root.get(), source));
  if (!from) return is_gone(errno) ? Status() : system_failure(errno, "open", source);
  Fd to(open_beneath(request_.target.get(), folder.path));
  if (!to) return system_failure(errno, "open", folder.path);
  struct stat filled;
  if (fstat(to.get(), &filled) != 0) return system_failure(errno, "fstat", folder.path);
  room.inherits = (filled.st_mode & S_ISGID) != 0 || filled.st_gid != own_gid_;
  room.inherits_list = fgetxattr(to.get(), "system.posix_acl_default", nullptr, 0) > 0;
  // Only what is in the folder that was asked for is copied, not what it is itself.
  if (!folder.path.empty()) {
    if (Status failure = read_xattrs(XattrPlace(from.get()), room.xattrs)) return named(failure, folder.path);
    if (!room.xattrs.empty()) {
      std::lock_guard lock(mutex_);
      xattrs_.emplace_back(folder.path, room.xattrs);
    }
  }
  std::vector<DirectoryEntry> entries;
  if (Status failure = list_directory(from.get(), entries)) return failure;
  const std::string above = folder.path.empty() ? "" : folder.path + "/";
  for (const DirectoryEntry &entry : entries) {
    if (*request_.stopped) return own_failure("ECANCELED", "canceled");
    Folder inner;
    inner.path = above + entry.name;
    inner.matched = folder.matched;
    if (!request_.rules.empty() && request_.rules.excludes(source_of(inner.path), inner.matched)) continue;
    bool is_folder = false;
    struct stat status;
    if (Status failure = copy_entry(from.get(), to.get(), entry, inner.path, is_folder, status, room)) {
      return failure;
    }
    if (!is_folder) continue;
    times_of(status, inner.times);
    room.found.push_back(std::move(inner));
  }
  return {};
}

void Copier::work_on_folders() {
  Room room;
  // The thread's own: the mode of a file is what it is made with.
  Status failure = unshare(CLONE_FS) == 0 ? Status() : system_failure(errno, "unshare");
  if (!failure) umask(0);
  std::unique_lock lock(mutex_);
  if (failure) {
    failure_ = std::move(failure);
    stopped_ = true;
    changed_.notify_all();
  }
  for (;;) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty() || open_folders_ == 0; });
    if (stopped_ || open_folders_ == 0) return;
    Folder folder = std::move(waiting_.back());
    waiting_.pop_back();
    lock.unlock();
    room.found.clear();
    failure = copy_folder(folder, room);
    lock.lock();
    if (failure) {
      if (!failure_) failure_ = std::move(failure);
      stopped_ = true;
    }
    open_folders_ += room.found.size();
    for (Folder &found : room.found) {
      made_.push_back(found);
      waiting_.push_back(std::move(found));
    }
    if (--open_folders_ == 0 || stopped_ || room.found.size() > 1) changed_.notify_all();
  }
}

Status Copier::run() {
  Folder top;
  top.matched = request_.rules.none();
  // What the folders above it have matched holds in it.
  const std::string &path = request_.path;
  for (size_t slash = 0; !path.empty() && slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    if (request_.rules.excludes(std::string_view(path).substr(0, slash), top.matched)) return {};
  }
  waiting_.push_back(std::move(top));
  open_folders_ = 1;
  // All of them are new: the thread that waits goes on with other work and must keep its umask.
  std::vector<std::thread> threads;
  for (unsigned at = 0; at < request_.threads; ++at) threads.emplace_back([&] { work_on_folders(); });
  for (std::thread &thread : threads) thread.join();
  if (failure_) return failure_;
  if (Status failure = make_links()) return failure;
  return finish_folders();
}

Status Copier::make_links() {
  const int target = request_.target.get();
  for (const auto &[first, path] : links_) {
    // What has gone away meanwhile is noticed when all is read again.
    if (linkat(target, first.c_str(), target, path.c_str(), 0) == 0 || errno == ENOENT) continue;
    return system_failure(errno, "link", path);
  }
  return {};
}

Status Copier::finish_folders() {
  for (const auto &[path, xattrs] : xattrs_) {
    Fd folder(open_beneath(request_.target.get(), path));
    if (!folder) return system_failure(errno, "open", path);
    if (Status failure = write_xattrs(XattrPlace(folder.get()), xattrs)) return named(failure, path);
    if (request_.mode >= 0 && fchmod(folder.get(), static_cast<mode_t>(request_.mode)) != 0) {
      return system_failure(errno, "chmod", path);
    }
  }
  // Filling a folder has changed its time.
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    if (utimensat(request_.target.get(), folder->path.c_str(), folder->times, AT_SYMLINK_NOFOLLOW) != 0) {
      return system_failure(errno, "utimensat", folder->path);
    }
  }
  return {};
}

}  // namespace

Status copy_context(CopyRequest request) { return Copier(std::move(request)).run(); }

}  // namespace wherry

#include "context_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "kernel/syscalls.h"
#include "sha256.h"
#include "stat_cache.h"
#include "xattrs.h"

namespace wherry {
namespace {

constexpr size_t kListSize = 64 << 10;
constexpr size_t kReadSize = 256 << 10;
/**
 * A file that changes as it is read may get the time that it has already, as long as the kernel's clock of files
 * has not moved on (at most 10 ms). What is younger than this is read again next time, as git does.
 */
constexpr int64_t kRacy = 100'000'000;
/** Less than this is read as fast as looked up. */
constexpr size_t kWorthCaching = 200;

#ifndef BTRFS_SUPER_MAGIC
#define BTRFS_SUPER_MAGIC 0x9123683E
#endif
constexpr long kXfs = 0x58465342, kF2fs = 0xF2F52010, kBcachefs = 0xca451a4e;

/** File systems whose times are of this machine's clock: a server's, or a program's, may be anything. */
bool has_own_clock(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return false;
  switch (static_cast<long>(status.f_type)) {
    case EXT4_SUPER_MAGIC:
    case static_cast<long>(BTRFS_SUPER_MAGIC):
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case kXfs:
    case kF2fs:
    case kBcachefs: return true;
    default: return false;
  }
}

int64_t nanoseconds(const struct statx_timestamp &time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

FileStamp stamp_of(const struct statx &status) {
  FileStamp stamp;
  stamp.size = status.stx_size;
  stamp.modified = nanoseconds(status.stx_mtime);
  stamp.changed = nanoseconds(status.stx_ctime);
  stamp.inode = status.stx_ino;
  stamp.device = makedev(status.stx_dev_major, status.stx_dev_minor);
  return stamp;
}

constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_INO;

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

struct Folder;

struct Entry {
  std::string name;
  uint16_t mode = 0;
  /** The stamp says what the content is. */
  bool lasting = false;
  uint64_t device = 0;
  FileStamp stamp;
  Sha256Bytes digest;
  std::string link;
  /** A digest of its extended attributes, of what is no file (whose digest has them) and no folder; empty: none. */
  std::string xattrs;
  std::unique_ptr<Folder> folder;
};

struct Folder {
  std::string path;
  IgnoreRules::Matched matched;
  /** Left out itself: it is there only for what is in it. */
  bool excluded = false;
  /** Whether its digests may be kept. */
  bool lasting = false;
  /** A digest of its extended attributes; empty: it has none. */
  std::string xattrs;
  std::vector<Entry> entries;
};

struct Listed {
  std::string name;
  unsigned char type;
};

Status list(int fd, std::vector<char> &buffer, std::vector<Listed> &names) {
  buffer.resize(kListSize);
  for (;;) {
    long got = syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (got < 0) return system_failure(errno, "getdents64");
    if (got == 0) break;
    for (long at = 0; at < got;) {
      auto *entry = reinterpret_cast<dirent64 *>(buffer.data() + at);
      at += entry->d_reclen;
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.push_back({std::string(name), entry->d_type});
    }
  }
  auto by_name = [](const Listed &one, const Listed &other) { return one.name < other.name; };
  auto same_name = [](const Listed &one, const Listed &other) { return one.name == other.name; };
  std::sort(names.begin(), names.end(), by_name);
  // A folder that is being changed may tell a name twice.
  names.erase(std::unique(names.begin(), names.end(), same_name), names.end());
  return {};
}

Sha256Bytes bytes_of(const std::string &digest) {
  Sha256Bytes bytes{};
  auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<uint8_t>(value(digest[7 + 2 * at]) << 4 | value(digest[8 + 2 * at]));
  }
  return bytes;
}

class Walk : public ContextWalk, public std::enable_shared_from_this<Walk> {
 public:
  explicit Walk(ContextRequest request) : request_(std::move(request)) {}

  void abort() override {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  void wait() override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return ended_; });
  }

  Status run(ContextSummary &summary) override {
    if (!stop_at_exit(shared_from_this())) return own_failure("ECANCELED", "the process is ending");
    Status failure = work(summary);
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    return failure;
  }

 private:
  /** What a thread needs again and again. */
  struct Room {
    std::vector<char> list;
    std::vector<uint8_t> content;
  };

  Status work(ContextSummary &summary);
  void work_on_folders();
  Status read_folder(Folder &folder, Room &room, std::vector<Folder *> &found);
  Status read_entry(int fd, Folder &folder, Entry &entry, Room &room, bool &there);
  Status read_file(int fd, const Folder &folder, Entry &entry, const struct statx &status, Room &room, bool &there);
  const CachedFile *known(const Folder &folder, const std::string &name) const;
  bool keep_exceptions(Folder &folder) const;
  void tell(const Folder &folder, const std::string &path, Sha256 &hash, ContextSummary &summary) const;
  void save(const Folder &folder, StatCacheWriter &writer, size_t &count) const;
  bool stopped() const { return stopped_; }
  Status at(Status failure, const Folder &folder, const std::string &name) const;

  ContextRequest request_;
  StatCache cache_;
  int64_t begun_ = 0;
  std::atomic<uint64_t> hashed_{0};
  /** Files that the cache has and the tree has too. */
  std::atomic<uint64_t> reused_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Folder *> waiting_;
  size_t open_folders_ = 0;
  std::atomic<bool> stopped_{false};
  bool ended_ = false;
  Status failure_;
};

Status Walk::at(Status failure, const Folder &folder, const std::string &name) const {
  failure->subject = folder.path.empty() ? name : folder.path + "/" + name;
  return failure;
}

const CachedFile *Walk::known(const Folder &folder, const std::string &name) const {
  const std::vector<CachedFile> *files = cache_.folder(folder.path);
  if (files == nullptr) return nullptr;
  auto found = std::lower_bound(files->begin(), files->end(), name,
                                [](const CachedFile &file, const std::string &wanted) { return file.name < wanted; });
  return found != files->end() && found->name == name ? &*found : nullptr;
}

Status Walk::read_file(int fd, const Folder &folder, Entry &entry, const struct statx &status, Room &room,
                       bool &there) {
  entry.stamp = stamp_of(status);
  if (const CachedFile *file = known(folder, entry.name); file != nullptr && file->stamp == entry.stamp) {
    entry.digest = file->digest;
    entry.lasting = true;
    ++reused_;
    return {};
  }
  Fd file(openat(fd, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    there = !is_gone(errno);
    return there ? system_failure(errno, "open") : Status();
  }
  struct statx now;
  if (statx(file.get(), "", AT_EMPTY_PATH, kWanted, &now) != 0) return system_failure(errno, "statx");
  if (!S_ISREG(now.stx_mode)) return own_failure("EBUSY", "it is being replaced");
  Sha256 hash;
  room.content.resize(kReadSize);
  for (;;) {
    if (stopped()) return own_failure("ECANCELED", "canceled");
    ssize_t got = ::read(file.get(), room.content.data(), room.content.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(errno, "read");
    if (got == 0) break;
    hash.update(room.content.data(), static_cast<size_t>(got));
  }
  std::string digest = hash.digest();
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(file.get()), xattrs)) return failure;
  if (!xattrs.empty()) {
    // To set one is a change that the stamp tells of, so that they are kept with the content.
    digest += digest_of_xattrs(xattrs);
    Sha256 both;
    both.update(reinterpret_cast<const uint8_t *>(digest.data()), digest.size());
    digest = both.digest();
  }
  entry.digest = bytes_of(digest);
  ++hashed_;
  struct statx after;
  bool same = statx(file.get(), "", AT_EMPTY_PATH, kWanted, &after) == 0 && stamp_of(after) == entry.stamp;
  entry.lasting = same && folder.lasting && std::max(entry.stamp.modified, entry.stamp.changed) < begun_ - kRacy;
  return {};
}

Status Walk::read_entry(int fd, Folder &folder, Entry &entry, Room &room, bool &there) {
  struct statx status;
  if (statx(fd, entry.name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, kWanted, &status) != 0) {
    // What goes away meanwhile is not a part of the context.
    there = !is_gone(errno);
    return there ? system_failure(errno, "statx") : Status();
  }
  entry.mode = status.stx_mode;
  if (S_ISREG(entry.mode)) return read_file(fd, folder, entry, status, room, there);
  if (S_ISLNK(entry.mode)) {
    char target[4096];
    ssize_t size = readlinkat(fd, entry.name.c_str(), target, sizeof target);
    if (size < 0) {
      there = !is_gone(errno) && errno != EINVAL;
      return there ? system_failure(errno, "readlink") : Status();
    }
    entry.link.assign(target, static_cast<size_t>(size));
  }
  entry.device = makedev(status.stx_rdev_major, status.stx_rdev_minor);
  if (S_ISDIR(entry.mode)) return {};
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(fd, entry.name.c_str()), xattrs)) return failure;
  entry.xattrs = digest_of_xattrs(xattrs);
  return {};
}

Status Walk::read_folder(Folder &folder, Room &room, std::vector<Folder *> &found) {
  Fd fd(sys::openat2(request_.root.get(), folder.path.empty() ? "." : folder.path.c_str(),
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, sys::kResolveBeneath | sys::kResolveNoSymlinks));
  if (!fd) return is_gone(errno) ? Status() : at(system_failure(errno, "open"), folder, "");
  folder.lasting = !request_.cache.empty() && has_own_clock(fd.get());
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(fd.get()), xattrs)) return at(failure, folder, "");
  folder.xattrs = digest_of_xattrs(xattrs);
  std::vector<Listed> names;
  if (Status failure = list(fd.get(), room.list, names)) return at(failure, folder, "");
  folder.entries.reserve(names.size());
  std::string path = folder.path.empty() ? "" : folder.path + "/";
  size_t base = path.size();
  IgnoreRules::Matched matched;
  for (Listed &listed : names) {
    if (stopped()) return own_failure("ECANCELED", "canceled");
    bool excluded = false;
    if (!request_.rules.empty()) {
      path.resize(base);
      path += listed.name;
      matched = folder.matched;
      excluded = request_.rules.excludes(path, matched);
      bool may_be_folder = listed.type == DT_DIR || listed.type == DT_UNKNOWN;
      // A folder that is left out isn't entered, unless something in it may be an exception.
      if (excluded && (!may_be_folder || !request_.rules.has_exceptions() || !request_.rules.may_keep_below(path))) {
        continue;
      }
    }
    Entry entry;
    entry.name = std::move(listed.name);
    bool there = true;
    if (Status failure = read_entry(fd.get(), folder, entry, room, there)) return at(failure, folder, entry.name);
    if (!there || (excluded && !S_ISDIR(entry.mode))) continue;
    if (S_ISDIR(entry.mode)) {
      entry.folder = std::make_unique<Folder>();
      entry.folder->path = folder.path.empty() ? entry.name : folder.path + "/" + entry.name;
      entry.folder->matched = request_.rules.empty() ? folder.matched : matched;
      entry.folder->excluded = excluded;
      found.push_back(entry.folder.get());
    }
    folder.entries.push_back(std::move(entry));
  }
  return {};
}

void Walk::work_on_folders() {
  Room room;
  std::vector<Folder *> found;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty() || open_folders_ == 0; });
    if (stopped_ || open_folders_ == 0) return;
    Folder *folder = waiting_.back();
    waiting_.pop_back();
    lock.unlock();
    found.clear();
    Status failure = read_folder(*folder, room, found);
    lock.lock();
    if (failure) {
      if (!failure_) failure_ = std::move(failure);
      stopped_ = true;
    }
    waiting_.insert(waiting_.end(), found.rbegin(), found.rend());
    open_folders_ += found.size();
    if (--open_folders_ == 0 || stopped_ || found.size() > 1) changed_.notify_all();
  }
}

/** Removes folders that are left out and hold no exception. False: this is one. */
bool Walk::keep_exceptions(Folder &folder) const {
  auto is_empty = [&](Entry &entry) { return entry.folder && !keep_exceptions(*entry.folder); };
  folder.entries.erase(std::remove_if(folder.entries.begin(), folder.entries.end(), is_empty), folder.entries.end());
  return !folder.excluded || !folder.entries.empty();
}

void Walk::tell(const Folder &folder, const std::string &path, Sha256 &hash, ContextSummary &summary) const {
  auto put = [&](std::string_view text) { hash.update(reinterpret_cast<const uint8_t *>(text.data()), text.size()); };
  for (const Entry &entry : folder.entries) {
    const std::string name = path.empty() ? entry.name : path + "/" + entry.name;
    char head[16];
    char kind = entry.folder            ? 'd'
                : S_ISREG(entry.mode)   ? 'f'
                : S_ISLNK(entry.mode)   ? 'l'
                : S_ISSOCK(entry.mode)  ? 's'
                                        : 'x';
    const std::string &xattrs = entry.folder ? entry.folder->xattrs : entry.xattrs;
    if (!xattrs.empty()) kind = static_cast<char>(toupper(kind));
    int size = snprintf(head, sizeof head, "%o", entry.mode & 07777u) + 1;
    head[size++] = kind;
    put({name.c_str(), name.size() + 1});
    put({head, static_cast<size_t>(size)});
    if (kind == 'f') hash.update(entry.digest.data(), entry.digest.size());
    if (!xattrs.empty()) put(xattrs);
    if (kind == 'l' || kind == 'L') put(entry.link);
    if (kind == 'x' || kind == 'X') put(std::to_string(entry.mode & S_IFMT) + ":" + std::to_string(entry.device));
    put({"", 1});
    ++summary.entries;
    if (kind == 'f') summary.bytes += entry.stamp.size;
    if (entry.folder) tell(*entry.folder, name, hash, summary);
  }
}

void Walk::save(const Folder &folder, StatCacheWriter &writer, size_t &count) const {
  bool begun = false;
  for (const Entry &entry : folder.entries) {
    if (!entry.lasting) continue;
    if (!begun) writer.begin_folder(folder.path);
    begun = true;
    writer.add(entry.name, entry.stamp, entry.digest);
    ++count;
  }
  for (const Entry &entry : folder.entries) {
    if (entry.folder) save(*entry.folder, writer, count);
  }
}

Status Walk::work(ContextSummary &summary) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  begun_ = now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
  if (!request_.cache.empty()) cache_.read(request_.cache);
  struct statx status;
  Folder top;
  top.path = request_.path;
  top.matched = request_.rules.none();
  {
    Fd fd(sys::openat2(request_.root.get(), top.path.empty() ? "." : top.path.c_str(), O_PATH | O_NOFOLLOW, 0,
                       sys::kResolveBeneath | sys::kResolveNoSymlinks));
    if (!fd) return system_failure(errno, "open", top.path);
    if (statx(fd.get(), "", AT_EMPTY_PATH, kWanted, &status) != 0) return system_failure(errno, "statx", top.path);
    if (!S_ISDIR(status.stx_mode)) return system_failure(ENOTDIR, "open", top.path);
  }
  // What the folders above it have matched holds in it.
  for (size_t slash = 0; !top.path.empty() && slash != std::string::npos;) {
    slash = top.path.find('/', slash + 1);
    top.excluded = request_.rules.excludes(std::string_view(top.path).substr(0, slash), top.matched);
  }
  waiting_.push_back(&top);
  open_folders_ = 1;
  std::vector<std::thread> others;
  for (unsigned at = 1; at < request_.threads; ++at) others.emplace_back([&] { work_on_folders(); });
  work_on_folders();
  for (std::thread &thread : others) thread.join();
  if (failure_) return failure_;
  if (stopped_) return own_failure("ECANCELED", "canceled");
  Sha256 hash;
  char text[16];
  int size = snprintf(text, sizeof text, "%o", status.stx_mode & 07777u);
  hash.update(reinterpret_cast<const uint8_t *>(text), static_cast<size_t>(size) + 1);
  if (keep_exceptions(top)) {
    tell(top, "", hash, summary);
    ++summary.entries;
    summary.digest = hash.digest();
  }
  summary.hashed = hashed_;
  if (!request_.cache.empty() && (hashed_ > 0 || reused_ != cache_.files())) {
    StatCacheWriter writer;
    size_t count = 0;
    save(top, writer, count);
    // A cache that could not be written is one that has to be read again.
    if (count >= kWorthCaching) (void)writer.write(request_.cache);
  }
  return {};
}

}  // namespace

std::shared_ptr<ContextWalk> ContextWalk::create(ContextRequest request) {
  return std::make_shared<Walk>(std::move(request));
}

}  // namespace wherry

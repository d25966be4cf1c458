#include "tree_unpacker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "directory.h"
#include "entry_data.h"
#include "guard.h"
#include "kernel/syscalls.h"
#include "kernel_filesystems.h"
#include "layer_tree.h"

namespace wherry {
namespace {

constexpr char kDefaultList[] = "system.posix_acl_default";
/** How often somebody else may take a name that we have just made free. */
constexpr int kAttempts = 16;
/** STATX_ATTR_MOUNT_ROOT, Linux 5.8. */
constexpr uint64_t kStatxMountRoot = 0x2000;

Failure refusal(std::string reason) { return own_failure("EREFUSED", std::move(reason)); }

std::string quoted(const std::string &text) { return "\"" + text + "\""; }

/** A descriptor of any kind by a path, for calls that take no O_PATH descriptor. */
std::string link_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

uint64_t resolution(const UnpackOptions &options) {
  return options.beneath ? sys::kResolveBeneath | sys::kResolveNoSymlinks : sys::kResolveInRoot | sys::kResolveNoMagiclinks;
}

}  // namespace

std::string TreeUnpacker::shown(const std::string &path) const {
  std::string folder = options_.folder;
  while (!folder.empty() && folder.back() == '/') folder.pop_back();
  return path.empty() && !folder.empty() ? folder : folder + "/" + path;
}

/** `path` is beneath the folder that is unpacked into; "" is that folder. */
Status TreeUnpacker::open_folder(const std::string &path, Fd &folder) {
  std::string whole = options_.beneath ? (path.empty() ? "." : path) : "./" + options_.folder + "/" + path;
  folder.reset(sys::openat2(root_.get(), whole.c_str(), O_PATH | O_DIRECTORY, 0, resolution(options_)));
  if (!folder) return system_failure(errno, "open", shown(path));
  return {};
}

/** Links on the way are followed, as everywhere in a path; what is missing is made of folders. */
Status TreeUnpacker::make_folders(const std::string &path, Fd &folder) {
  size_t slash = path.rfind('/');
  std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
  std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  Fd parent;
  Status failure = open_folder(above, parent);
  if (failure && failure->number == ENOENT && !above.empty()) failure = make_folders(above, parent);
  if (failure) return failure;
  if (mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    return system_failure(errno, "mkdir", shown(path));
  }
  return open_folder(path, folder);
}

Status TreeUnpacker::find_parent(const std::string &path, bool make, std::string &name) {
  size_t slash = path.rfind('/');
  name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
  if (has_parent_ && folder == parent_path_) return {};
  has_parent_ = false;
  Status failure = open_folder(folder, parent_);
  if (failure && failure->number == ENOENT && make) failure = make_folders(folder, parent_);
  if (failure) return failure;
  // Nothing of the kernel's own is anybody's to change, and docker doesn't even see it.
  if (!options_.beneath && is_kernel_filesystem(parent_.get())) return system_failure(ENOENT, "open", shown(path));
  parent_path_ = std::move(folder);
  has_parent_ = true;
  return {};
}

/**
 * Takes a name away from what is no folder. Not from a mount point: the kernel refuses that only in the mount
 * namespace of whoever asks, and elsewhere unmounts it.
 */
Status TreeUnpacker::remove_file(int folder, const std::string &path, const std::string &name) {
  struct statx found;
  if (statx(folder, name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &found) != 0) {
    return errno == ENOENT ? Status() : system_failure(errno, "lstat", shown(path));
  }
  if ((found.stx_attributes & kStatxMountRoot) != 0) return system_failure(EBUSY, "unlinkat", shown(path));
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return system_failure(errno, "unlinkat", shown(path));
}

/** `merges`: the entry is a folder that is there already. */
Status TreeUnpacker::make_room(const TarEntry &entry, const std::string &path, const std::string &name, bool &merges) {
  struct stat status;
  merges = false;
  if (fstatat(parent_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : system_failure(errno, "lstat", shown(path));
  }
  bool is_folder = S_ISDIR(status.st_mode);
  if (options_.replaces && is_folder != (entry.type == '5')) {
    if (is_folder) return remove_tree(parent_.get(), name);
    Fd behind;
    merges = S_ISLNK(status.st_mode) && !open_folder(path, behind);
    return merges ? Status() : remove_file(parent_.get(), path, name);
  }
  std::string target = quoted(shown(path)), folder = quoted(options_.folder.empty() ? "/" : options_.folder);
  if (is_folder && entry.type != '5') {
    return refusal("cannot overwrite directory " + target + " with non-directory " + folder);
  }
  if (!is_folder && entry.type == '5') {
    return refusal("cannot overwrite non-directory " + target + " with directory " + folder);
  }
  merges = is_folder;
  return is_folder ? Status() : remove_file(parent_.get(), path, name);
}

/** Owner first: chown clears the set-id bits and file capabilities. Not for links' modes, which they don't have. */
Status TreeUnpacker::set_metadata(const TarEntry &entry, const std::string &path, int fd) {
  std::string link = link_of(fd);
  if (options_.owner || options_.owners) {
    auto [uid, gid] = options_.owner ? *options_.owner : std::make_pair(entry.uid, entry.gid);
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0) return system_failure(errno, "lchown", shown(path));
  }
  if (entry.type != '2' && chmod(link.c_str(), entry.mode) != 0) return system_failure(errno, "chmod", shown(path));
  for (const auto &[key, value] : entry.xattrs) {
    if (key == kDefaultList) continue;
    if (setxattr(link.c_str(), key.c_str(), value.data(), value.size(), 0) == 0 || errno == EOPNOTSUPP) continue;
    // Attributes of users are not for links and devices; others are for those only who may.
    if (errno == EPERM) continue;
    return system_failure(errno, "setxattr", shown(path));
  }
  timespec time = {static_cast<time_t>(entry.mtime.seconds), static_cast<long>(entry.mtime.nanoseconds)};
  timespec times[2] = {time, time};
  if (entry.type != '5' && utimensat(fd, "", times, AT_EMPTY_PATH) != 0) {
    return system_failure(errno, "chtimes", shown(path));
  }
  return {};
}

Status TreeUnpacker::remember_folder(const TarEntry &entry, const std::string &path, int fd) {
  Folder folder{path, entry.mtime, {}};
  for (const auto &xattr : entry.xattrs) {
    if (xattr.first == kDefaultList) folder.default_list.push_back(xattr);
  }
  folders_.push_back(std::move(folder));
  return set_metadata(entry, path, fd);
}

Status TreeUnpacker::make_folder(const TarEntry &entry, const std::string &path, const std::string &name, bool merges) {
  if (!merges && mkdirat(parent_.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure(errno, "mkdir", shown(path));
  }
  Fd folder(openat(parent_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder && merges && options_.replaces && (errno == ENOTDIR || errno == ELOOP)) {
    if (Status failure = open_folder(path, folder)) return failure;
  }
  if (!folder) return system_failure(errno, "open", shown(path));
  if (!options_.beneath && is_kernel_filesystem(folder.get())) return {};
  return remember_folder(entry, path, folder.get());
}

Status TreeUnpacker::make_file(const TarEntry &entry, TarReader &reader, const std::string &path,
                               const std::string &name) {
  Fd file;
  for (int attempt = 0; !file; ++attempt) {
    file.reset(openat(parent_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file) break;
    if (errno != EEXIST || attempt == kAttempts) return system_failure(errno, "open", shown(path));
    if (Status failure = remove_file(parent_.get(), path, name)) return failure;
  }
  if (Status failure = write_entry_data(entry, reader, file.get())) {
    if (failure->number != 0 && failure->subject.empty()) failure->subject = shown(path);
    return failure;
  }
  return set_metadata(entry, path, file.get());
}

Status TreeUnpacker::make_link(const TarEntry &entry, const std::string &path, const std::string &name) {
  std::string target_path;
  if (clean_path(entry.link, target_path) || target_path.empty()) {
    return refusal("invalid hardlink " + quoted(shown(path)) + " -> " + quoted(entry.link));
  }
  if (target_path == path) return {};
  Fd folder(fcntl(parent_.get(), F_DUPFD_CLOEXEC, 0)), target;
  if (!folder) return system_failure(errno, "fcntl");
  size_t slash = target_path.rfind('/');
  std::string target_name = target_path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (Status failure = open_folder(slash == std::string::npos ? "" : target_path.substr(0, slash), target)) return failure;
  for (int attempt = 0;; ++attempt) {
    if (linkat(target.get(), target_name.c_str(), folder.get(), name.c_str(), 0) == 0) return {};
    if (errno != EEXIST || attempt == kAttempts) return system_failure(errno, "link", shown(path));
    if (Status failure = remove_file(folder.get(), path, name)) return failure;
  }
}

/** Links, devices and FIFOs. What is then found under the name must be of the kind that was made. */
Status TreeUnpacker::make_other(const TarEntry &entry, const std::string &path, const std::string &name) {
  int parent = parent_.get();
  mode_t kind = entry.type == '2' ? S_IFLNK : entry.type == '3' ? S_IFCHR : entry.type == '4' ? S_IFBLK : S_IFIFO;
  dev_t device = kind == S_IFIFO ? 0 : makedev(entry.major, entry.minor);
  for (int attempt = 0;; ++attempt) {
    int result = kind == S_IFLNK ? symlinkat(entry.link.c_str(), parent, name.c_str())
                                 : mknodat(parent, name.c_str(), kind | 0600, device);
    if (result == 0) break;
    if (errno != EEXIST || attempt == kAttempts) {
      return system_failure(errno, kind == S_IFLNK ? "symlink" : "mknod", shown(path));
    }
    if (Status failure = remove_file(parent, path, name)) return failure;
  }
  Fd made(openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!made || fstat(made.get(), &status) != 0) return system_failure(errno, "lstat", shown(path));
  if ((status.st_mode & S_IFMT) != kind) return system_failure(ESTALE, "lstat", shown(path));
  return set_metadata(entry, path, made.get());
}

Status TreeUnpacker::unpack_entry(const TarEntry &entry, TarReader &reader) {
  std::string path, name;
  if (Status failure = clean_path(entry.name, path)) {
    if (failure->number != 0) return failure;
    return refusal(quoted(entry.name) + " is outside of " + quoted(options_.folder.empty() ? "/" : options_.folder));
  }
  if (path.empty()) {
    // The folder itself, which docker leaves as it is when the archive calls it `.`, but not as `/`.
    if (entry.type != '5') return refusal("cannot overwrite directory " + quoted(shown("")) + " with non-directory");
    if (entry.name[0] != '/') return {};
    Fd folder;
    if (Status failure = open_folder("", folder)) return failure;
    return remember_folder(entry, path, folder.get());
  }
  if (Status failure = find_parent(path, true, name)) return failure;
  bool merges;
  if (Status failure = make_room(entry, path, name, merges)) return failure;
  switch (entry.type) {
    case '0':
      return make_file(entry, reader, path, name);
    case '1':
      return make_link(entry, path, name);
    case '2':
    case '3':
    case '4':
    case '6':
      return make_other(entry, path, name);
    case '5':
      return make_folder(entry, path, name, merges);
    default:
      return refusal(std::string("unhandled tar header type ") + entry.type);
  }
}

/** Last: whatever is put into a folder changes its time. */
Status TreeUnpacker::finish_folders() {
  has_parent_ = false;
  for (const Folder &folder : folders_) {
    Fd fd;
    if (open_folder(folder.path, fd)) continue;  // somebody else has taken it away
    if (Status failure = write_xattrs(XattrPlace::behind(link_of(fd.get())), folder.default_list)) {
      failure->subject = shown(folder.path);
      return failure;
    }
    timespec time = {static_cast<time_t>(folder.mtime.seconds), static_cast<long>(folder.mtime.nanoseconds)};
    timespec times[2] = {time, time};
    if (utimensat(fd.get(), "", times, AT_EMPTY_PATH) != 0) {
      return system_failure(errno, "chtimes", shown(folder.path));
    }
  }
  return {};
}

Status TreeUnpacker::unpack(TarReader &reader) {
  Fd folder;
  if (Status failure = open_folder("", folder)) return failure;
  folder.reset();
  for (;;) {
    TarEntry entry;
    bool end = false;
    if (Status failure = reader.next(entry, end)) return failure;
    if (end) return finish_folders();
    if (has_ended(options_.guard)) return guard_failure();
    ++entries_;
    if (Status failure = unpack_entry(entry, reader)) return failure;
  }
}

}  // namespace wherry

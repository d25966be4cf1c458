#include "layer_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "directory.h"
#include "kernel/syscalls.h"

namespace wherry {
namespace {

/** As the kernel's MAXSYMLINKS. */
constexpr unsigned kMaxLinks = 40;
/** PATH_MAX: what nobody could open by its name later. It bounds the depth of the tree, too. */
constexpr size_t kMaxPath = 4095;
/** Links can lead to where no path of that length does. */
constexpr unsigned kMaxDepth = 2048;
constexpr size_t kMaxOpen = 200;
/** Of folders, whiteouts and attributes: a million folders with short names. */
constexpr size_t kMaxRemembered = 256 << 20, kFolderSize = 256;

constexpr char kOpaque[] = "trusted.overlay.opaque";

}  // namespace

Status clean_path(const std::string &name, std::string &path) {
  bool absolute = !name.empty() && name[0] == '/';
  std::vector<std::pair<size_t, size_t>> parts;
  for (size_t start = 0; start < name.size();) {
    size_t end = std::min(name.find('/', start), name.size());
    size_t length = end - start;
    if (length == 2 && name.compare(start, 2, "..") == 0) {
      if (parts.empty() && !absolute) return own_failure("EBADLAYER", "the name leads out of the layer", name);
      if (!parts.empty()) parts.pop_back();
    } else if (length > 0 && !(length == 1 && name[start] == '.')) {
      parts.emplace_back(start, length);
    }
    start = end + 1;
  }
  path.clear();
  for (const auto &[start, length] : parts) {
    if (!path.empty()) path += '/';
    path.append(name, start, length);
  }
  if (path.size() > kMaxPath) return system_failure(ENAMETOOLONG, "open", path.substr(0, 100) + "...");
  return {};
}

Status set_xattrs(int folder, const char *name, const std::vector<std::pair<std::string, std::string>> &xattrs) {
  if (xattrs.empty()) return {};
  // The thread has a working directory of its own; there is no *at form of these calls before Linux 6.13.
  if (fchdir(folder) != 0) return system_failure(errno, "fchdir", name);
  for (const auto &[key, value] : xattrs) {
    if (lsetxattr(name, key.c_str(), value.data(), value.size(), 0) == 0 || errno == EOPNOTSUPP) continue;
    // Attributes of users are not for links and devices.
    if (errno == EPERM && key.compare(0, 5, "user.") == 0) continue;
    Failure failure = system_failure(errno, "lsetxattr", name);
    failure.reason = key;
    return failure;
  }
  return {};
}

std::string LayerFolder::path() const {
  if (parent == nullptr) return "";
  std::string above = parent->path();
  return above.empty() ? name : above + "/" + name;
}

LayerTree::LayerTree(Fd root) {
  root_.fd = std::move(root);
}

Status LayerTree::remember(size_t size) {
  remembered_ += size;
  if (remembered_ <= kMaxRemembered) return {};
  return own_failure("EFBIG", "its folders, whiteouts and attributes take more than 256 MiB of memory");
}

/** mkdir, with the error of mkdir when something has the name already. */
Status LayerTree::make(LayerFolder &parent, const std::string &name, LayerFolder *&made) {
  if (parent.depth == kMaxDepth) return system_failure(ENAMETOOLONG, "mkdir", name);
  if (Status failure = remember(kFolderSize + 2 * name.size())) return failure;
  if (mkdirat(parent.fd.get(), name.c_str(), 0755) != 0) return system_failure(errno, "mkdir", name);
  auto folder = std::make_unique<LayerFolder>();
  folder->parent = &parent;
  folder->depth = parent.depth + 1;
  folder->name = name;
  made = folder.get();
  parent.folders[name] = std::move(folder);
  return {};
}

void LayerTree::close_all(const LayerFolder *keep) {
  std::vector<LayerFolder *> kept;
  for (LayerFolder *folder : open_) {
    if (folder == keep) {
      kept.push_back(folder);
    } else {
      folder->fd.reset();
    }
  }
  open_ = std::move(kept);
}

Status LayerTree::open(LayerFolder &folder, const LayerFolder *also) {
  if (folder.fd) return {};
  if (open_.size() >= kMaxOpen) close_all(also);
  if (folder.parent->fd) {
    folder.fd.reset(openat(folder.parent->fd.get(), folder.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  } else {
    folder.fd.reset(sys::openat2(root_.fd.get(), folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            sys::kResolveBeneath | sys::kResolveNoSymlinks | sys::kResolveNoXdev));
  }
  if (!folder.fd) return system_failure(errno, "open", folder.path());
  open_.push_back(&folder);
  return {};
}

/** One component. A symbolic link is resolved as if the layer's root were `/`. */
Status LayerTree::enter(LayerFolder &from, const std::string &name, bool make, unsigned &links, LayerFolder *&found) {
  auto known = from.folders.find(name);
  if (known != from.folders.end()) {
    found = known->second.get();
    return {};
  }
  found = nullptr;
  if (Status failure = open(from)) return failure;
  char target[kMaxPath + 1];
  ssize_t length = readlinkat(from.fd.get(), name.c_str(), target, sizeof target);
  if (length > 0) {
    if (++links > kMaxLinks) return system_failure(ELOOP, "open", name);
    std::string path(target, static_cast<size_t>(length));
    return walk(path[0] == '/' ? root_ : from, path, make, links, found);
  }
  if (errno == ENOENT && !make) return {};
  bool was_removed = from.whiteouts.count(name) > 0;
  if (errno == EINVAL && was_removed && make) {
    if (Status failure = remove(from, name)) return failure;
  } else if (errno == EINVAL) {
    return make ? system_failure(ENOTDIR, "mkdir", from.path() + "/" + name) : Status();
  } else if (errno != ENOENT) {
    return system_failure(errno, "readlink", name);
  }
  if (Status failure = this->make(from, name, found)) return failure;
  found->opaque = was_removed;
  return {};
}

Status LayerTree::walk(LayerFolder &from, const std::string &path, bool make, unsigned &links, LayerFolder *&found) {
  LayerFolder *at = &from;
  for (size_t start = 0; start < path.size() && at != nullptr;) {
    size_t end = std::min(path.find('/', start), path.size());
    std::string name = path.substr(start, end - start);
    start = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (at->parent != nullptr) at = at->parent;
    } else if (Status failure = enter(*at, name, make, links, at)) {
      return failure;
    }
  }
  found = at;
  return {};
}

Status LayerTree::find_parent(const std::string &path, bool make, LayerFolder *&folder, std::string &name) {
  size_t slash = path.rfind('/');
  name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (slash == std::string::npos) {
    folder = &root_;
    return {};
  }
  if (last_ != nullptr && path.compare(0, slash, last_path_) == 0) {
    folder = last_;
    return {};
  }
  std::string parent = path.substr(0, slash);
  unsigned links = 0;
  if (Status failure = walk(root_, parent, make, links, folder)) {
    failure->subject = path;
    return failure;
  }
  if (folder != nullptr) {
    last_ = folder;
    last_path_ = std::move(parent);
  }
  return {};
}

Status LayerTree::remove(LayerFolder &parent, const std::string &name) {
  last_ = nullptr;
  if (Status failure = open(parent)) return failure;
  auto known = parent.folders.find(name);
  parent.whiteouts.erase(name);
  if (known == parent.folders.end()) {
    if (unlinkat(parent.fd.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
    return system_failure(errno, "unlink", name);
  }
  close_all(&parent);
  parent.folders.erase(known);
  return remove_tree(parent.fd.get(), name);
}

Status LayerTree::make_folder(LayerFolder &parent, const std::string &name, LayerFolder *&made) {
  auto known = parent.folders.find(name);
  if (known != parent.folders.end()) {
    made = known->second.get();
    return {};
  }
  if (Status failure = open(parent)) return failure;
  // A folder after a whiteout of its name hides what the layers below have there.
  bool was_removed = parent.whiteouts.count(name) > 0;
  Status failure = make(parent, name, made);
  if (failure && failure->number == EEXIST) {
    failure = remove(parent, name);
    if (!failure) failure = make(parent, name, made);
  }
  if (failure) return failure;
  made->opaque = was_removed;
  return {};
}

Status LayerTree::finish_folder(LayerFolder &folder) {
  bool is_root = folder.parent == nullptr;
  LayerFolder &above = is_root ? folder : *folder.parent;
  const char *name = is_root ? "." : folder.name.c_str();
  if (!folder.has_entry && !folder.opaque) return {};
  if (Status failure = open(above)) return failure;
  int at = above.fd.get();
  if (folder.opaque) {
    if (Status failure = set_xattrs(at, name, {{kOpaque, "y"}})) return failure;
  }
  if (!folder.has_entry) return {};
  if ((folder.uid != 0 || folder.gid != 0 || is_root) && fchownat(at, name, folder.uid, folder.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure(errno, "chown", folder.path());
  }
  if ((folder.mode != 0755 || is_root) && fchmodat(at, name, folder.mode, 0) != 0) {
    return system_failure(errno, "chmod", folder.path());
  }
  if (Status failure = set_xattrs(at, name, folder.xattrs)) return failure;
  timespec time = {static_cast<time_t>(folder.mtime.seconds), static_cast<long>(folder.mtime.nanoseconds)};
  timespec times[2] = {time, time};
  if (utimensat(at, name, times, AT_SYMLINK_NOFOLLOW) != 0) return system_failure(errno, "utimensat", folder.path());
  return {};
}

Status LayerTree::finish() {
  // Children before parents, without recursion: a tree may be 2,000 levels deep.
  std::vector<LayerFolder *> order = {&root_};
  for (size_t index = 0; index < order.size(); ++index) {
    for (auto &[name, folder] : order[index]->folders) order.push_back(folder.get());
  }
  for (auto folder = order.rbegin(); folder != order.rend(); ++folder) {
    if (Status failure = finish_folder(**folder)) return failure;
  }
  return {};
}

std::vector<std::string> LayerTree::implied() {
  std::vector<std::string> paths;
  std::vector<LayerFolder *> order = {&root_};
  for (size_t index = 0; index < order.size(); ++index) {
    if (index > 0 && !order[index]->has_entry) paths.push_back(order[index]->path());
    for (auto &[name, folder] : order[index]->folders) order.push_back(folder.get());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace wherry

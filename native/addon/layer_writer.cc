#include "layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "entry_data.h"

namespace wherry {
namespace {

constexpr char kWhiteout[] = ".wh.";
constexpr size_t kWhiteoutSize = 4;
constexpr char kOpaqueMarker[] = ".wh..wh..opq";
/** AUFS kept its own data under these names; docker once stored some in layers. */
constexpr char kAufs[] = ".wh..wh.";

bool starts_with(const std::string &text, const char *start) { return text.rfind(start, 0) == 0; }

timespec to_timespec(const TarTime &time) {
  return {static_cast<time_t>(time.seconds), static_cast<long>(time.nanoseconds)};
}

}  // namespace

LayerWriter::LayerWriter(Fd root, uint64_t max_entries)
    : tree_(std::move(root)), max_entries_(max_entries), uid_(geteuid()), gid_(getegid()) {}

/** Nothing that the root got from the folder around it may pass on to what is made in it. */
Status LayerWriter::prepare_root() {
  int fd = tree_.root().fd.get();
  struct stat status;
  if (fstat(fd, &status) != 0) return system_failure(errno, "fstat");
  // Files take the group of a folder with the set-group bit, and everywhere on a file system mounted with grpid.
  if ((status.st_uid != uid_ || status.st_gid != gid_) && fchown(fd, uid_, gid_) != 0) {
    return system_failure(errno, "chown");
  }
  if ((status.st_mode & S_ISGID) != 0 && fchmod(fd, status.st_mode & 07777 & ~S_ISGID) != 0) {
    return system_failure(errno, "chmod");
  }
  if (fremovexattr(fd, "system.posix_acl_default") != 0 && errno != ENODATA && errno != EOPNOTSUPP) {
    return system_failure(errno, "fremovexattr");
  }
  return {};
}

Status LayerWriter::write(TarReader &reader) {
  if (Status failure = prepare_root()) return failure;
  for (;;) {
    TarEntry entry;
    bool end = false;
    if (Status failure = reader.next(entry, end)) return failure;
    if (end) return tree_.finish();
    if (++entries_ > max_entries_) {
      return own_failure("EFBIG", "the layer has more than " + std::to_string(max_entries_) + " entries");
    }
    if (Status failure = write_entry(entry, reader)) {
      // What is said is about the entry; deeper down only a part of its name may have been known.
      if (failure->code != "ECANCELED") failure->subject = entry.name;
      return failure;
    }
  }
}

Status LayerWriter::write_entry(const TarEntry &entry, TarReader &reader) {
  std::string path;
  if (Status failure = clean_path(entry.name, path)) return failure;
  if (path.empty()) {
    if (entry.type == '5') return write_folder(entry, tree_.root());
    return own_failure("EBADLAYER", "an entry that is not a folder has the name of the root");
  }
  LayerFolder *parent = nullptr;
  std::string name;
  if (Status failure = tree_.find_parent(path, true, parent, name)) return failure;
  if (starts_with(name, kWhiteout)) return write_whiteout(*parent, name);

  Status failure;
  switch (entry.type) {
    case '0':
      return write_file(entry, reader, *parent, name);
    case '1':
      return write_hard_link(entry, path, *parent, name);
    case '2':
      content_ += entry.link.size();
      failure = replace(*parent, name, "symlink", [&] {
        return symlinkat(entry.link.c_str(), parent->fd.get(), name.c_str());
      });
      break;
    case '3':
    case '4':
    case '6': {
      mode_t kind = entry.type == '3' ? S_IFCHR : entry.type == '4' ? S_IFBLK : S_IFIFO;
      dev_t device = makedev(entry.major, entry.minor);
      failure = replace(*parent, name, "mknod", [&] {
        return mknodat(parent->fd.get(), name.c_str(), kind | entry.mode, device);
      });
      break;
    }
    case '5': {
      LayerFolder *folder = nullptr;
      if (Status made = tree_.make_folder(*parent, name, folder)) return made;
      return write_folder(entry, *folder);
    }
    default:
      return own_failure("EBADLAYER", std::string("an entry of the unknown type '") + entry.type + "'");
  }
  if (failure) return failure;
  return set_metadata(entry, *parent, name);
}

/** Makes something that must not exist yet; what has the name is removed first. Leaves `parent` open. */
template <typename Make>
Status LayerWriter::replace(LayerFolder &parent, const std::string &name, const char *syscall, Make make) {
  if (Status failure = tree_.open(parent)) return failure;
  if (make() >= 0) return {};
  if (errno != EEXIST) return system_failure(errno, syscall);
  if (Status failure = tree_.remove(parent, name)) return failure;
  return make() >= 0 ? Status() : system_failure(errno, syscall);
}

/** For what is no file and no folder: by name, links not followed. */
Status LayerWriter::set_metadata(const TarEntry &entry, LayerFolder &parent, const std::string &name) {
  int at = parent.fd.get();
  bool is_link = entry.type == '2';
  if ((entry.uid != uid_ || entry.gid != gid_) && fchownat(at, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure(errno, "chown");
  }
  if (!is_link && (entry.mode & 07000) != 0 && fchmodat(at, name.c_str(), entry.mode, 0) != 0) {
    return system_failure(errno, "chmod");
  }
  if (Status failure = set_xattrs(at, name.c_str(), entry.xattrs)) return failure;
  timespec times[2] = {to_timespec(entry.mtime), to_timespec(entry.mtime)};
  if (utimensat(at, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return system_failure(errno, "utimensat");
  return {};
}

Status LayerWriter::write_file(const TarEntry &entry, TarReader &reader, LayerFolder &parent, const std::string &name) {
  Fd file;
  auto create = [&] {
    file.reset(openat(parent.fd.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry.mode));
    return file.get();
  };
  if (Status failure = replace(parent, name, "open", create)) return failure;
  if (Status failure = write_entry_data(entry, reader, file.get())) return failure;
  content_ += entry.sparse ? entry.real_size : entry.size;
  if ((entry.uid != uid_ || entry.gid != gid_) && fchown(file.get(), entry.uid, entry.gid) != 0) {
    return system_failure(errno, "chown");
  }
  // Writing and chown may clear the set-id bits; the other bits are as open made them, since there is no umask.
  if ((entry.mode & 07000) != 0 && fchmod(file.get(), entry.mode) != 0) return system_failure(errno, "chmod");
  if (Status failure = set_xattrs(parent.fd.get(), name.c_str(), entry.xattrs)) return failure;
  timespec times[2] = {to_timespec(entry.mtime), to_timespec(entry.mtime)};
  if (futimens(file.get(), times) != 0) return system_failure(errno, "utimensat");
  return {};
}

Status LayerWriter::write_hard_link(const TarEntry &entry, const std::string &path, LayerFolder &parent,
                                    const std::string &name) {
  std::string target_path, target_name;
  if (Status failure = clean_path(entry.link, target_path)) {
    failure->reason = "a hard link to '" + entry.link + "', which is out of the layer";
    return failure;
  }
  if (target_path == path) return {};
  LayerFolder *target = nullptr;
  auto missing = [&] {
    return own_failure("EBADLAYER", "a hard link to '" + entry.link + "', which the layer does not contain as a file");
  };
  if (target_path.empty()) return missing();
  if (Status failure = tree_.find_parent(target_path, false, target, target_name)) return failure;
  if (target == nullptr || target->folders.count(target_name) > 0) return missing();
  if (target == &parent && target_name == name) return {};
  // Looked for before anything is removed to make room for the link.
  if (Status failure = tree_.open(*target)) return failure;
  if (faccessat(target->fd.get(), target_name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT || errno == ENOTDIR ? missing() : system_failure(errno, "access");
  }
  // Removing what has the name closes other folders, and may even remove the target's.
  if (Status failure = tree_.open(parent, target)) return failure;
  if (linkat(target->fd.get(), target_name.c_str(), parent.fd.get(), name.c_str(), 0) == 0) return {};
  if (errno != EEXIST) return system_failure(errno, "link");
  if (Status failure = tree_.remove(parent, name)) return failure;
  if (Status failure = tree_.find_parent(target_path, false, target, target_name)) return failure;
  if (target == nullptr) return missing();
  if (Status failure = tree_.open(*target)) return failure;
  if (Status failure = tree_.open(parent, target)) return failure;
  if (linkat(target->fd.get(), target_name.c_str(), parent.fd.get(), name.c_str(), 0) == 0) return {};
  return errno == ENOENT ? missing() : system_failure(errno, "link");
}

Status LayerWriter::write_folder(const TarEntry &entry, LayerFolder &folder) {
  size_t size = 0;
  for (const auto &[key, value] : entry.xattrs) size += key.size() + value.size() + sizeof(std::string) * 2;
  if (Status failure = tree_.remember(size)) return failure;
  folder.has_entry = true;
  folder.mode = entry.mode;
  folder.uid = entry.uid;
  folder.gid = entry.gid;
  folder.mtime = entry.mtime;
  folder.xattrs = entry.xattrs;
  return {};
}

/**
 * image-spec, layer.md, "Whiteouts": they concern the layers below only. So where the layer has a folder of the
 * same name, that folder becomes opaque, and where it has a file, that hides the lower one anyway.
 */
Status LayerWriter::write_whiteout(LayerFolder &parent, const std::string &marker) {
  if (marker == kOpaqueMarker) {
    parent.opaque = true;
    return {};
  }
  if (starts_with(marker, kAufs)) return {};
  std::string name = marker.substr(kWhiteoutSize);
  if (name.empty() || name == "." || name == "..") return own_failure("EBADLAYER", "a whiteout of nothing");
  auto known = parent.folders.find(name);
  if (known != parent.folders.end()) {
    known->second->opaque = true;
    return {};
  }
  if (Status failure = tree_.open(parent)) return failure;
  if (mknodat(parent.fd.get(), name.c_str(), S_IFCHR, makedev(0, 0)) == 0) {
    parent.whiteouts.insert(name);
    return tree_.remember(sizeof(std::string) * 2 + name.size());
  } else if (errno != EEXIST) {
    return system_failure(errno, "mknod");
  }
  return {};
}

}  // namespace wherry

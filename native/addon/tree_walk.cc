#include "tree_walk.h"

#include <fcntl.h>

#include <algorithm>

namespace wherry {
namespace {

/** More open folders than this, and the uppermost are closed until the walk comes back to them. */
constexpr size_t kMaxOpen = 64;
constexpr size_t kReopened = 32;

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

int duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }

}  // namespace

Status TreeWalk::begin(WalkEntry &entry) {
  began_ = true;
  entry.path.clear();
  entry.crosses = false;
  if (fstat(start_.get(), &entry.status) != 0) return system_failure(errno, "fstat");
  entry.fd.reset(duplicate(start_.get()));
  if (!entry.fd) return system_failure(errno, "fcntl");
  return {};
}

Status TreeWalk::enter_last() {
  Frame frame;
  if (Status failure = list_directory(last_.get(), frame.entries)) {
    last_.reset();
    if (is_gone(failure->number)) return {};
    failure->subject = path_;
    return failure;
  }
  auto by_name = [](const DirectoryEntry &one, const DirectoryEntry &other) { return one.name < other.name; };
  auto same_name = [](const DirectoryEntry &one, const DirectoryEntry &other) { return one.name == other.name; };
  std::sort(frame.entries.begin(), frame.entries.end(), by_name);
  // A folder that is being changed may tell a name twice.
  auto end = std::unique(frame.entries.begin(), frame.entries.end(), same_name);
  frame.entries.erase(end, frame.entries.end());
  frame.device = last_status_.st_dev;
  frame.inode = last_status_.st_ino;
  frame.path_size = path_.size();
  frame.fd = std::move(last_);
  frames_.push_back(std::move(frame));
  // The first one stays: the others are found again from it.
  first_open_ = std::min(first_open_, frames_.size() - 1);
  if (frames_.size() - first_open_ > kMaxOpen) frames_[std::max<size_t>(1, first_open_++)].fd.reset();
  return {};
}

/** From the start, name by name. A folder that was moved away meanwhile has nothing more to give. */
Status TreeWalk::reopen(size_t index) {
  int above = frames_[0].fd.get();
  Fd passing;
  // The ones above it will be wanted soon.
  first_open_ = index > kReopened ? index - kReopened : 1;
  for (size_t level = 1; level <= index; ++level) {
    const Frame &parent = frames_[level - 1];
    Frame &frame = frames_[level];
    const std::string &name = parent.entries[parent.at - 1].name;
    Fd fd(openat(above, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && !is_gone(errno)) return system_failure(errno, "open", name);
    struct stat status;
    bool same = fd && fstat(fd.get(), &status) == 0 && status.st_dev == frame.device && status.st_ino == frame.inode;
    if (!same) {
      for (size_t lost = level; lost <= index; ++lost) frames_[lost].at = frames_[lost].entries.size();
      first_open_ = level;
      return {};
    }
    above = fd.get();
    (level < first_open_ ? passing : frame.fd) = std::move(fd);
  }
  return {};
}

Status TreeWalk::next(WalkEntry &entry, bool &end) {
  end = false;
  entry.fd.reset();
  if (enter_ && last_) {
    if (Status failure = enter_last()) return failure;
  }
  last_.reset();
  bool first = !began_;
  if (first) {
    if (Status failure = begin(entry)) return failure;
  }
  while (!entry.fd) {
    while (!frames_.empty() && frames_.back().at == frames_.back().entries.size()) frames_.pop_back();
    if (frames_.empty()) {
      end = true;
      return {};
    }
    size_t index = frames_.size() - 1;
    if (!frames_[index].fd) {
      if (Status failure = reopen(index)) return failure;
      if (!frames_[index].fd) continue;
    }
    Frame &frame = frames_[index];
    const std::string &name = frame.entries[frame.at++].name;
    path_.resize(frame.path_size);
    if (frame.path_size > 0) path_ += '/';
    path_ += name;
    entry.fd.reset(openat(frame.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!entry.fd) {
      if (is_gone(errno)) continue;
      return system_failure(errno, "open", path_);
    }
    if (fstat(entry.fd.get(), &entry.status) != 0) return system_failure(errno, "fstat", path_);
    entry.path = path_;
    entry.crosses = S_ISDIR(entry.status.st_mode) && entry.status.st_dev != frame.device;
  }
  enter_ = S_ISDIR(entry.status.st_mode);
  if (enter_) {
    last_.reset(duplicate(entry.fd.get()));
    if (!last_) return system_failure(errno, "fcntl");
    last_status_ = entry.status;
  }
  return {};
}

}  // namespace wherry

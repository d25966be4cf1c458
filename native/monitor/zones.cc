#include "zones.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>

#include "kernel/fd.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMaxFile = 256 << 10;
constexpr size_t kMaxNames = 16 << 20;
constexpr size_t kMaxName = 253;
// The kernel's clock for files has steps of up to 10 ms: a folder that was read so soon after its change may
// have changed again without its time telling.
constexpr int64_t kSettled = 100 * 1000000ll;

int64_t changed_at(const struct stat& status) {
  return status.st_mtim.tv_sec * 1000000000ll + status.st_mtim.tv_nsec;
}

bool read_file(int folder, const char* name, std::string* content) {
  Fd fd(openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  size_t size = static_cast<size_t>(status.st_size);
  if (size > kMaxFile) return false;
  content->resize(size);
  ssize_t got = read(fd.get(), &(*content)[0], size);
  content->resize(got > 0 ? static_cast<size_t>(got) : 0);
  return true;
}

}  // namespace

void Zones::set(std::vector<std::string> folders) {
  folders_.clear();
  for (std::string& path : folders) {
    folders_.emplace_back();
    folders_.back().path = std::move(path);
  }
  release();
}

void Zones::release() {
  loaded_ = false;
  std::string().swap(names_);
  std::vector<Record>().swap(records_);
  std::vector<uint32_t>().swap(by_name_);
  std::vector<Alias>().swap(aliases_);
}

void Zones::refresh() {
  bool stale = !loaded_ || !settled_;
  int64_t newest = 0;
  for (Folder& folder : folders_) {
    struct stat status;
    bool there = stat(folder.path.c_str(), &status) == 0;
    int64_t changed = there ? changed_at(status) : -1;
    if (changed == folder.changed && (!there || (status.st_ino == folder.inode && status.st_dev == folder.device)))
      continue;
    stale = true;
    folder.changed = changed;
    folder.inode = there ? status.st_ino : 0;
    folder.device = there ? status.st_dev : 0;
  }
  if (!stale) return;
  release();
  for (const Folder& folder : folders_) {
    newest = std::max(newest, folder.changed);
    read_folder(folder.path);
  }
  by_name_.resize(records_.size());
  for (uint32_t i = 0; i < by_name_.size(); i++) by_name_[i] = i;
  std::sort(by_name_.begin(), by_name_.end(), [this](uint32_t a, uint32_t b) {
    int order = name_of(records_[a]).compare(name_of(records_[b]));
    return order != 0 ? order < 0 : a < b;
  });
  loaded_ = true;
  settled_ = wall_clock() - newest > kSettled;
}

void Zones::read_folder(const std::string& path) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return;
  std::vector<std::string> files;
  while (dirent* entry = readdir(folder)) {
    // A file that is being written has a name with a dot in front.
    if (entry->d_name[0] != '.') files.push_back(entry->d_name);
  }
  std::sort(files.begin(), files.end());
  std::string content;
  for (const std::string& name : files) {
    if (!read_file(dirfd(folder), name.c_str(), &content)) continue;
    std::string_view rest = content;
    while (!rest.empty()) {
      size_t end = rest.find('\n');
      read_line(rest.substr(0, end));
      rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
  }
  closedir(folder);
}

void Zones::read_line(std::string_view line) {
  size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > kMaxName || names_.size() > kMaxNames) return;
  std::string_view name = line.substr(0, space);
  std::string value(line.substr(space + 1));
  uint32_t at = static_cast<uint32_t>(names_.size());
  if (value[0] == '@') {
    aliases_.push_back({at, static_cast<uint16_t>(space), value.substr(1)});
  } else {
    IpAddress address;
    if (!IpAddress::parse(value.c_str(), &address)) return;
    records_.push_back({at, static_cast<uint16_t>(space), address});
  }
  names_.append(name.data(), name.size());
}

// An alias may lead to a container on each of several networks. Where it leads to nobody the name itself counts:
// it may be another's name.
std::vector<IpAddress> Zones::find(std::string_view name) {
  refresh();
  std::vector<IpAddress> found;
  for (const Alias& alias : aliases_)
    if (std::string_view(names_.data() + alias.name, alias.length) == name) collect(alias.target, &found);
  if (found.empty()) collect(name, &found);
  return found;
}

void Zones::collect(std::string_view name, std::vector<IpAddress>* found) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [this](uint32_t index, std::string_view wanted) { return name_of(records_[index]) < wanted; });
  for (; at != by_name_.end() && name_of(records_[*at]) == name; ++at) {
    const IpAddress& address = records_[*at].address;
    if (std::find(found->begin(), found->end(), address) == found->end()) found->push_back(address);
  }
}

std::string Zones::reverse(const IpAddress& address) {
  refresh();
  for (const Record& record : records_)
    if (record.address == address) return std::string(name_of(record));
  return "";
}

}  // namespace wherry

#include "xattrs.h"

#include <errno.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "sha256.h"

namespace wherry {
namespace {

/** The kernel's limits of a list and of a value (XATTR_LIST_MAX, XATTR_SIZE_MAX). */
constexpr size_t kLargest = 65536;
/** Most files have none, so the first look costs no memory. */
constexpr size_t kUsual = 512;

constexpr char kAccess[] = "system.posix_acl_access";

bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/** Also what is another user namespace's (capabilities with a root of their own: EOVERFLOW). */
bool is_absent(int number) {
  switch (number) {
    case ENODATA:
    case EOPNOTSUPP:
    case ENOENT:
    case ENOTDIR:
    case EPERM:
    case EACCES:
    case EOVERFLOW: return true;
    default: return false;
  }
}

ssize_t list(const XattrPlace &place, char *names, size_t size) {
  if (place.fd >= 0) return flistxattr(place.fd, names, size);
  return place.follows ? listxattr(place.path.c_str(), names, size) : llistxattr(place.path.c_str(), names, size);
}

ssize_t get(const XattrPlace &place, const char *name, char *value, size_t size) {
  if (place.fd >= 0) return fgetxattr(place.fd, name, value, size);
  return place.follows ? getxattr(place.path.c_str(), name, value, size)
                       : lgetxattr(place.path.c_str(), name, value, size);
}

int set(const XattrPlace &place, const std::string &name, const std::string &value) {
  if (place.fd >= 0) return fsetxattr(place.fd, name.c_str(), value.data(), value.size(), 0);
  return place.follows ? setxattr(place.path.c_str(), name.c_str(), value.data(), value.size(), 0)
                       : lsetxattr(place.path.c_str(), name.c_str(), value.data(), value.size(), 0);
}

}  // namespace

bool is_host_xattr(const char *name) {
  return starts_with(name, "trusted.overlay.") || starts_with(name, "user.overlay.") ||
         strcmp(name, "security.selinux") == 0 || starts_with(name, "security.SMACK64");
}

bool is_portable_xattr(const char *name) {
  if (is_host_xattr(name)) return false;
  return starts_with(name, "user.") || starts_with(name, "trusted.") || starts_with(name, "system.posix_acl_") ||
         strcmp(name, "security.capability") == 0;
}

Status read_xattrs(const XattrPlace &place, Xattrs &xattrs) {
  xattrs.clear();
  char usual[kUsual];
  std::vector<char> more;
  const char *names = usual;
  ssize_t size = list(place, usual, sizeof usual);
  if (size < 0 && errno == ERANGE) {
    more.resize(kLargest);
    names = more.data();
    size = list(place, more.data(), more.size());
  }
  if (size < 0) {
    return is_absent(errno) || errno == ENOSYS ? Status() : system_failure(errno, "listxattr", place.path);
  }
  std::vector<char> value;
  for (const char *name = names; name < names + size; name += strlen(name) + 1) {
    if (!is_portable_xattr(name)) continue;
    value.resize(kLargest);
    ssize_t length = get(place, name, value.data(), value.size());
    if (length < 0 && is_absent(errno)) continue;
    if (length < 0) return system_failure(errno, "getxattr", place.path);
    xattrs.emplace_back(name, std::string(value.data(), static_cast<size_t>(length)));
  }
  std::sort(xattrs.begin(), xattrs.end());
  return {};
}

Status write_xattrs(const XattrPlace &place, const Xattrs &xattrs) {
  for (const auto &[name, value] : xattrs) {
    if (set(place, name, value) == 0 || errno == EOPNOTSUPP || errno == EPERM) continue;
    if (starts_with(name.c_str(), "user.") || starts_with(name.c_str(), "trusted.")) continue;
    Failure failure = system_failure(errno, "setxattr", place.path);
    failure.reason = name;
    return failure;
  }
  return {};
}

bool has_access_list(const Xattrs &xattrs) {
  return std::any_of(xattrs.begin(), xattrs.end(), [](const auto &xattr) { return xattr.first == kAccess; });
}

std::string digest_of_xattrs(const Xattrs &xattrs) {
  if (xattrs.empty()) return {};
  Sha256 hash;
  auto put = [&](const std::string &text) {
    const std::string size = std::to_string(text.size()) + ":";
    hash.update(reinterpret_cast<const uint8_t *>(size.data()), size.size());
    hash.update(reinterpret_cast<const uint8_t *>(text.data()), text.size());
  };
  for (const auto &[name, value] : xattrs) {
    put(name);
    put(value);
  }
  return hash.digest();
}

}  // namespace wherry

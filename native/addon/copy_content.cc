#include "copy_content.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace wherry {
namespace {

bool is_unsupported(int number) {
  return number == EXDEV || number == ENOSYS || number == EINVAL || number == EOPNOTSUPP || number == ENOTTY ||
         number == EPERM || number == ETXTBSY;
}

}  // namespace

Status ContentCopy::by_buffer(int from, int to, off_t offset, off_t end, const std::string &name) {
  if (buffer_.empty()) buffer_.resize(1 << 20);
  while (offset < end) {
    size_t wanted = static_cast<size_t>(std::min<off_t>(end - offset, static_cast<off_t>(buffer_.size())));
    ssize_t got = pread(from, buffer_.data(), wanted, offset);
    if (got < 0) return system_failure(errno, "read", name);
    if (got == 0) return {};
    for (ssize_t done = 0; done < got;) {
      ssize_t put = pwrite(to, buffer_.data() + done, static_cast<size_t>(got - done), offset + done);
      if (put < 0) return system_failure(errno, "write", name);
      done += put;
    }
    offset += got;
  }
  return {};
}

Status ContentCopy::range(int from, int to, off_t offset, off_t end, const std::string &name) {
  while (can_copy_range_ && offset < end) {
    loff_t in = offset, out = offset;
    ssize_t done = copy_file_range(from, &in, to, &out, static_cast<size_t>(end - offset), 0);
    if (done < 0 && !is_unsupported(errno)) return system_failure(errno, "copy_file_range", name);
    if (done < 0) can_copy_range_ = false;
    if (done == 0) break;  // shorter than it was, or a file system that cannot: the buffer finds out
    if (done > 0) offset += done;
  }
  return by_buffer(from, to, offset, end, name);
}

Status ContentCopy::run(int from, int to, off_t size, const std::string &name) {
  if (size == 0) return {};
  if (can_clone_) {
    if (ioctl(to, FICLONE, from) == 0) return {};
    if (!is_unsupported(errno)) return system_failure(errno, "ioctl", name);
    can_clone_ = false;
  }
  off_t offset = 0;
  while (offset < size) {
    off_t data = lseek(from, offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole up to the end
    if (data < 0) data = offset;            // no such operation here: all is data
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0 || hole > size) hole = size;
    if (Status failure = range(from, to, data, hole, name)) return failure;
    offset = hole;
  }
  if (ftruncate(to, size) != 0) return system_failure(errno, "ftruncate", name);
  return {};
}

}  // namespace wherry

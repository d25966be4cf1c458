#include "backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace wherry {

Backlog::~Backlog() {
  free(memory_);
  if (file_ >= 0) close(file_);
}

bool Backlog::open_file() {
  if (file_ >= 0) return true;
  if (no_file_) return false;
  file_ = open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) file_ = memfd_create("output", MFD_CLOEXEC);
  no_file_ = file_ < 0;
  return file_ >= 0;
}

bool Backlog::ring(bool writing, char* data, size_t length, size_t offset) {
  while (length > 0) {
    offset %= kLimit;
    size_t piece = kLimit - offset < length ? kLimit - offset : length;
    ssize_t n = writing ? pwrite(file_, data, piece, static_cast<off_t>(offset))
                        : pread(file_, data, piece, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    offset += static_cast<size_t>(n);
    length -= static_cast<size_t>(n);
  }
  return true;
}

bool Backlog::add_to_memory(const char* data, size_t length) {
  if (start_ > 0 && start_ + length_ + length > capacity_) {
    memmove(memory_, memory_ + start_, length_);
    start_ = 0;
  }
  if (length_ + length > capacity_) {
    size_t want = length_ + length < 4096 ? 4096 : length_ + length;
    char* grown = static_cast<char*>(realloc(memory_, want));
    if (grown == nullptr) return false;
    memory_ = grown;
    capacity_ = want;
  }
  memcpy(memory_ + start_ + length_, data, length);
  length_ += length;
  return true;
}

bool Backlog::add(const char* data, size_t length) {
  if (file_length_ == 0 && length_ + length <= kMemory) return add_to_memory(data, length);
  if (file_length_ + length <= kLimit && open_file() &&
      ring(true, const_cast<char*>(data), length, file_start_ + file_length_)) {
    file_length_ += length;
    return true;
  }
  // No room: all that waits in the file comes before this.
  while (file_length_ > 0) {
    size_t before = file_length_;
    refill();
    if (file_length_ == before) return false;
  }
  return add_to_memory(data, length);
}

void Backlog::refill() {
  size_t piece = file_length_ < kMemory ? file_length_ : kMemory;
  char* buffer = static_cast<char*>(malloc(piece));
  if (buffer == nullptr) return;
  if (ring(false, buffer, piece, file_start_) && add_to_memory(buffer, piece)) {
    file_start_ = (file_start_ + piece) % kLimit;
    file_length_ -= piece;
  }
  free(buffer);
  if (file_length_ == 0 && file_ >= 0) {
    close(file_);
    file_ = -1;
    file_start_ = 0;
  }
}

const char* Backlog::front(size_t* length) const {
  *length = length_;
  return memory_ + start_;
}

void Backlog::take(size_t length) {
  start_ += length;
  length_ -= length;
  if (length_ > 0) return;
  start_ = 0;
  if (file_length_ > 0) {
    refill();
  } else {
    free(memory_);
    memory_ = nullptr;
    capacity_ = 0;
  }
}

}  // namespace wherry

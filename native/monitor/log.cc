#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gzip.h"
#include "kernel/syscalls.h"
#include "text.h"

namespace wherry {

namespace {

// Docker splits longer lines.
constexpr size_t kMaxLine = 16384;
// Room for the longest line when every byte of it is escaped, and for a burst of ordinary ones.
constexpr size_t kOutSize = 256 * 1024;
constexpr int64_t kIndexDistance = 64 * 1024;
constexpr size_t kFrameBound = 96;  // the JSON around a line, without the attributes
constexpr size_t kMaxAttributes = 64 * 1024;

struct IndexRecord {
  uint64_t offset;
  uint64_t line;
  uint64_t time;
};
static_assert(sizeof(IndexRecord) == 24, "the record of the index is three u64");

int write_all(int fd, const char* data, size_t length, size_t* written) {
  *written = 0;
  while (*written < length) {
    ssize_t n = write(fd, data + *written, length - *written);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (n == 0) return ENOSPC;
    *written += static_cast<size_t>(n);
  }
  return 0;
}

// Counts the newlines from an offset to the end and finds the end of the last whole line.
void count_lines(int fd, int64_t from, uint64_t* lines, int64_t* end) {
  char buffer[8192];
  *end = from;
  for (int64_t at = from;;) {
    ssize_t n = pread(fd, buffer, sizeof buffer, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    for (const char* p = buffer; (p = static_cast<const char*>(memchr(p, '\n', buffer + n - p))) != nullptr;) {
      ++*lines;
      p++;
      *end = at + (p - buffer);
    }
    at += n;
  }
}

}  // namespace

Log::~Log() {
  await_compressor(false);
  close_files();
  release();
  for (Partial& partial : partial_) free(partial.text);
}

std::string Log::name(int64_t number, const char* suffix) const {
  std::string text = settings_.path;
  if (number > 0) {
    char digits[20];
    text += '.';
    text.append(digits, format_number(digits, number));
  }
  return text + suffix;
}

std::string Log::index_name(int64_t number) const {
  std::string text = name(number, ".idx");
  return text.insert(text.rfind('/') + 1, 1, '.');
}

int Log::open(const LogSettings& settings) {
  settings_ = settings;
  if (settings_.path.empty()) return 0;
  bool attributes = !settings_.attributes.empty() && settings_.attributes.size() <= kMaxAttributes;
  for (int stream = 0; stream < 2; stream++) {
    std::string& text = middle_[stream];
    text = stream == 0 ? "\",\"stream\":\"stdout\"" : "\",\"stream\":\"stderr\"";
    if (attributes) text += ",\"attrs\":" + settings_.attributes;
    text += ",\"time\":\"";
  }
  return open_files(false);
}

void Log::change(const LogSettings& settings) {
  settings_.max_size = settings.max_size;
  settings_.max_files = settings.max_files;
}

int Log::open_files(bool fresh) {
  int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  file_ = ::open(name(0).c_str(), flags, 0640);
  if (file_ < 0) return errno;
  // Without its index a log is only slower to read.
  index_ = ::open(index_name(0).c_str(), flags | (fresh ? O_TRUNC : 0), 0640);
  size_ = next_index_ = 0;
  lines_ = 0;
  struct stat status;
  if (fstat(file_, &status) != 0 || status.st_size == 0) {
    if (index_ >= 0 && ftruncate(index_, 0) != 0) { close(index_); index_ = -1; }
    return 0;
  }
  IndexRecord last = {0, 0, 0};
  struct stat index_status;
  if (index_ >= 0 && fstat(index_, &index_status) == 0) {
    off_t whole = index_status.st_size / sizeof last * sizeof last;
    bool valid = whole > 0 && pread(index_, &last, sizeof last, whole - sizeof last) == sizeof last &&
                 last.offset < static_cast<uint64_t>(status.st_size);
    if (!valid) {
      last = {0, 0, 0};
      whole = 0;
    }
    if (whole != index_status.st_size && ftruncate(index_, whole) != 0) { close(index_); index_ = -1; }
    if (valid) next_index_ = static_cast<int64_t>(last.offset) + kIndexDistance;
  }
  lines_ = last.line;
  count_lines(file_, static_cast<int64_t>(last.offset), &lines_, &size_);
  if (size_ < status.st_size && ftruncate(file_, size_) != 0) size_ = status.st_size;
  return 0;
}

void Log::close_files() {
  if (file_ >= 0) close(file_);
  if (index_ >= 0) close(index_);
  file_ = index_ = -1;
}

void Log::append(Stream stream, const char* data, size_t length, int64_t now) {
  if (settings_.path.empty()) return;
  now_ = now;
  Partial& partial = partial_[static_cast<int>(stream)];
  while (length > 0) {
    size_t room = kMaxLine - partial.length;
    size_t reach = length < room ? length : room;
    const char* newline = static_cast<const char*>(memchr(data, '\n', reach));
    size_t take = newline != nullptr ? static_cast<size_t>(newline - data) : reach;
    if (newline != nullptr && partial.length == 0) {
      emit(stream, data, take, true);
    } else {
      if (partial.text == nullptr) partial.text = static_cast<char*>(malloc(kMaxLine));
      if (partial.text == nullptr) return drop(1, ENOMEM);
      memcpy(partial.text + partial.length, data, take);
      partial.length += take;
      if (newline != nullptr) {
        emit(stream, partial.text, partial.length, true);
        partial.length = 0;
      } else if (partial.length == kMaxLine) {
        emit_part(partial, stream);
      }
    }
    if (newline != nullptr) take++;
    data += take;
    length -= take;
  }
  flush();
}

// A character that the border of two parts would cut goes to the second.
void Log::emit_part(Partial& partial, Stream stream) {
  size_t keep = incomplete_tail(partial.text, partial.length);
  emit(stream, partial.text, partial.length - keep, false);
  memmove(partial.text, partial.text + partial.length - keep, keep);
  partial.length = keep;
}

void Log::finish(int64_t now) {
  now_ = now;
  for (Stream stream : {Stream::kStdout, Stream::kStderr}) {
    Partial& partial = partial_[static_cast<int>(stream)];
    if (partial.length > 0) emit(stream, partial.text, partial.length, false);
    partial.length = 0;
  }
  flush();
}

void Log::emit(Stream stream, const char* text, size_t length, bool newline) {
  if (out_ == nullptr) {
    void* map = mmap(nullptr, kOutSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return drop(1, ENOMEM);
    out_ = static_cast<char*>(map);
  }
  const std::string& middle = middle_[static_cast<int>(stream)];
  if (kOutSize - out_length_ < escaped_bound(length) + middle.size() + kFrameBound) flush();
  if (formatted_ != now_) {
    format_time(time_text_, now_);
    formatted_ = now_;
  }
  char* start = out_ + out_length_;
  char* o = start;
  memcpy(o, "{\"log\":\"", 8);
  o += 8;
  o += escape_json(o, text, length, settings_.keep_bytes);
  if (newline) {
    memcpy(o, "\\n", 2);
    o += 2;
  }
  memcpy(o, middle.data(), middle.size());
  o += middle.size();
  memcpy(o, time_text_, kTimeLength);
  o += kTimeLength;
  memcpy(o, "\"}\n", 3);
  o += 3;
  size_t line = static_cast<size_t>(o - start);
  int64_t used = size_ + static_cast<int64_t>(out_length_);
  if (settings_.max_size > 0 && used > 0 && used + static_cast<int64_t>(line) > settings_.max_size) {
    flush();
    if (size_ > 0) rotate();
    if (start != out_) memmove(out_, start, line);
  }
  if (size_ + static_cast<int64_t>(out_length_) >= next_index_) {
    if (out_length_ > 0) {
      flush();
      memmove(out_, start, line);
    }
    write_index();
  }
  out_length_ += line;
  out_lines_++;
}

// Called before the line at the end of the file is written. A file that somebody has truncated goes on at
// its new end.
void Log::write_index() {
  struct stat status;
  if (file_ >= 0 && fstat(file_, &status) == 0 && status.st_size < size_) {
    size_ = status.st_size;
    lines_ = 0;
    if (size_ > 0) count_lines(file_, 0, &lines_, &size_);
    if (index_ >= 0 && ftruncate(index_, 0) != 0) { close(index_); index_ = -1; }
  }
  next_index_ = size_ + kIndexDistance;
  if (index_ < 0) return;
  IndexRecord record = {static_cast<uint64_t>(size_), lines_, static_cast<uint64_t>(now_)};
  off_t before = lseek(index_, 0, SEEK_END);
  ssize_t n = write(index_, &record, sizeof record);
  if (n >= 0 && n < static_cast<ssize_t>(sizeof record) && ftruncate(index_, before) != 0) {
    close(index_);
    index_ = -1;
  }
}

void Log::flush() {
  if (out_length_ == 0) return;
  size_t length = out_length_;
  uint64_t lines = out_lines_;
  out_length_ = 0;
  out_lines_ = 0;
  if (file_ < 0) {
    int error = open_files(false);
    if (error != 0) return drop(lines, error);
  }
  size_t written;
  int error = write_all(file_, out_, length, &written);
  if (error == 0) {
    size_ += static_cast<int64_t>(length);
    lines_ += lines;
    return;
  }
  // What lines got through whole stay; the torn one is cut off.
  size_t kept = written;
  while (kept > 0 && out_[kept - 1] != '\n') kept--;
  uint64_t whole = 0;
  for (size_t i = 0; i < kept; i++) whole += out_[i] == '\n';
  size_ += static_cast<int64_t>(kept);
  lines_ += whole;
  if (kept != written && ftruncate(file_, size_) != 0) size_ += static_cast<int64_t>(written - kept);
  drop(lines - whole, error);
}

int64_t Log::oldest() const {
  int64_t last = settings_.max_files - 1;
  return last > 99 ? 99 : last;
}

void Log::rotate() {
  close_files();
  // It works on the names that change now.
  await_compressor(true);
  int64_t last = oldest();
  if (last < 1) {
    unlink(index_name(0).c_str());
    unlink(name(0).c_str());
  } else {
    // A new file takes only the place of one of its own kind.
    unlink(name(last).c_str());
    unlink(name(last, ".gz").c_str());
  }
  for (int64_t i = last; i >= 1; i--) {
    // The index first: a log without one is only slow to read, one with another's would be read wrongly.
    unlink(index_name(i).c_str());
    bool plain = rename(name(i - 1).c_str(), name(i).c_str()) == 0;
    bool packed = i > 1 && rename(name(i - 1, ".gz").c_str(), name(i, ".gz").c_str()) == 0;
    if (plain || packed) rename(index_name(i - 1).c_str(), index_name(i).c_str());
  }
  int error = open_files(true);
  if (error != 0) drop(0, error);
  if (settings_.compress) compress_full();
}

// In a process of its own, so that nobody waits for it. It may be killed at any moment: a file has its packed form
// under its name before the plain one goes, and what it leaves undone is done the next time.
void Log::compress_full() {
  compressor_ = fork();
  if (compressor_ != 0) return;
  // What the monitor holds open must not stay open for that.
  sys::close_range(0, ~0u);
  setpriority(PRIO_PROCESS, 0, 10);
  for (int64_t i = oldest(); i >= 1; i--) {
    std::string from = name(i), packed = name(i, ".gz"), half = name(i, ".gz.new");
    int in = ::open(from.c_str(), O_RDONLY | O_NOFOLLOW);
    if (in < 0) continue;
    int out = ::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
    bool ok = out >= 0 && gzip(in, out) && rename(half.c_str(), packed.c_str()) == 0;
    unlink(ok ? from.c_str() : half.c_str());
    close(in);
    if (out >= 0) close(out);
  }
  _exit(0);
}

void Log::await_compressor(bool wait) {
  if (compressor_ < 0) return;
  pid_t ended;
  do ended = waitpid(compressor_, nullptr, wait ? 0 : WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended != 0) compressor_ = -1;
}

void Log::drop(uint64_t lines, int reason) {
  if (drop_reason_ == 0) drop_reason_ = reason;
  dropped_ += lines;
}

void Log::sync() {
  if (file_ >= 0) fdatasync(file_);
}

void Log::release() {
  await_compressor(false);
  if (out_ != nullptr && out_length_ == 0) {
    munmap(out_, kOutSize);
    out_ = nullptr;
  }
  for (Partial& partial : partial_) {
    if (partial.length > 0) continue;
    free(partial.text);
    partial.text = nullptr;
  }
}

}  // namespace wherry

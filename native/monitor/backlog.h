// Bytes that a client hasn't taken yet: a little in memory, then a nameless file used as a ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

class Backlog {
 public:
  // The file is made in `directory`, or in memory where that can't be.
  explicit Backlog(const std::string& directory) : directory_(directory) {}
  ~Backlog();
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  bool empty() const { return length_ == 0 && file_length_ == 0; }
  // No more should be added until some has been taken. What is added all the same is kept in memory.
  bool full() const { return length_ + file_length_ >= kLimit || length_ > 2 * kMemory; }
  bool half_empty() const { return length_ + file_length_ < kLimit / 2 && length_ <= kMemory; }

  // False: no memory.
  bool add(const char* data, size_t length);
  // The oldest bytes; `take` says how many of them have gone.
  const char* front(size_t* length) const;
  void take(size_t length);

 private:
  static constexpr size_t kMemory = 64 * 1024;
  static constexpr size_t kLimit = 16 * 1024 * 1024;

  bool add_to_memory(const char* data, size_t length);
  bool open_file();
  bool ring(bool writing, char* data, size_t length, size_t offset);
  void refill();

  const std::string& directory_;
  char* memory_ = nullptr;
  size_t start_ = 0, length_ = 0, capacity_ = 0;
  int file_ = -1;
  bool no_file_ = false;
  size_t file_start_ = 0, file_length_ = 0;
};

}  // namespace wherry

// The log of a container: docker's json-file lines, rotated, with an index of byte offsets beside each file
// (src/runtime/monitor-protocol.ts has the format).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

enum class Stream : uint8_t { kStdout = 0, kStderr = 1 };

struct LogSettings {
  std::string path;  // empty: nothing is logged
  int64_t max_size = -1;
  int64_t max_files = 1;
  std::string attributes;   // of every line, the text of a JSON object; empty: none
  bool keep_bytes = false;  // bytes that are no UTF-8 can be had back
  bool compress = false;    // files that are full become .gz
};

class Log {
 public:
  Log() = default;
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Opens or makes the file and finds its last index entry. 0 or an errno. A torn last line, which a killed
  // monitor leaves, is cut off.
  int open(const LogSettings& settings);
  void change(const LogSettings& settings);

  // Takes output; whole lines are written to the file before this returns. `now` is the time of the lines.
  void append(Stream stream, const char* data, size_t length, int64_t now);
  // Writes the half-line at the end of the output.
  void finish(int64_t now);
  void sync();
  // Gives buffers back that the next burst of output would need.
  void release();

  // Lines that could not be written and the errno of the first.
  uint64_t dropped() const { return dropped_; }
  int drop_reason() const { return drop_reason_; }

 private:
  // What came after the last newline of a stream.
  struct Partial {
    char* text = nullptr;
    size_t length = 0;
  };

  void emit(Stream stream, const char* text, size_t length, bool newline);
  void emit_part(Partial& partial, Stream stream);
  void flush();
  void write_index();
  void rotate();
  void compress_full();
  void await_compressor(bool wait);
  int open_files(bool fresh);
  void close_files();
  void drop(uint64_t lines, int reason);
  std::string name(int64_t number, const char* suffix = "") const;
  std::string index_name(int64_t number) const;
  int64_t oldest() const;

  LogSettings settings_;
  std::string middle_[2];   // what is between the text of a line and its time, by stream
  int file_ = -1;
  int index_ = -1;
  Partial partial_[2];
  char* out_ = nullptr;     // lines on their way to the file
  size_t out_length_ = 0;
  uint64_t out_lines_ = 0;
  int64_t size_ = 0;        // bytes in the file, and lines
  uint64_t lines_ = 0;
  int64_t next_index_ = 0;  // an index entry is due for the first line at or after this offset
  int64_t now_ = 0;
  int64_t formatted_ = -1;  // the time that time_text_ shows
  char time_text_[32];
  pid_t compressor_ = -1;
  uint64_t dropped_ = 0;
  int drop_reason_ = 0;
};

}  // namespace wherry

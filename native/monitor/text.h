// JSON text and times, as the log, the state file and the events journal write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

// Bytes that escape_json may write for n bytes of input.
constexpr size_t escaped_bound(size_t n) { return n * 6; }

// Writes the inside of a JSON string for arbitrary bytes and returns its length. Every byte that is no
// part of valid UTF-8 becomes one U+FFFD, as Go's encoder (and so docker's log) does; with `keep_bytes` it becomes
// the low surrogate U+DC00 + byte, which stands for nothing else, so that a reader can have the byte back.
size_t escape_json(char* out, const char* in, size_t length, bool keep_bytes = false);

// Length of an incomplete but so far valid UTF-8 sequence at the end of the text: 0 to 3.
size_t incomplete_tail(const char* text, size_t length);

constexpr size_t kTimeLength = 30;

// RFC 3339 in UTC with nine digits of a second: `2024-01-02T03:04:05.000000006Z`, kTimeLength bytes, no NUL.
void format_time(char* out, int64_t nanoseconds);

std::string time_text(int64_t nanoseconds);

// CLOCK_REALTIME and CLOCK_MONOTONIC in nanoseconds.
int64_t wall_clock();
int64_t steady_clock();

size_t format_number(char* out, int64_t value);  // at most 20 bytes, no NUL

// Appends `"key":"value"` with the value escaped.
void append_member(std::string& out, const char* key, const std::string& value);
void append_member(std::string& out, const char* key, int64_t value);

}  // namespace wherry

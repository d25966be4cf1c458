#include "text.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

namespace wherry {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// Length of the valid UTF-8 sequence at the start of the text (2 to 4), or 0. The ranges of the second
// byte exclude overlong forms, surrogates and what is above U+10FFFF (Unicode, table 3-7).
// `complete` is set to false when the text ends inside a sequence that is valid so far.
size_t utf8_length(const unsigned char* s, size_t available, bool* complete) {
  *complete = true;
  unsigned char lead = s[0];
  size_t need;
  unsigned char low = 0x80, high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    need = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    need = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    need = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  for (size_t i = 1; i < need; i++) {
    if (i >= available) {
      *complete = false;
      return 0;
    }
    if (s[i] < low || s[i] > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return need;
}

bool plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// True when one of the eight bytes is no plain character.
bool needs_escape(uint64_t word) {
  constexpr uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  uint64_t quote = word ^ (ones * '"');
  uint64_t backslash = word ^ (ones * '\\');
  uint64_t control = (word - ones * 0x20) & ~word;
  return ((word | control | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & tops) != 0;
}

}  // namespace

size_t escape_json(char* out, const char* in, size_t length, bool keep_bytes) {
  const unsigned char* s = reinterpret_cast<const unsigned char*>(in);
  char* o = out;
  size_t i = 0;
  while (i < length) {
    while (i + 8 <= length) {
      uint64_t word;
      memcpy(&word, s + i, 8);
      if (needs_escape(word)) break;
      memcpy(o, &word, 8);
      o += 8;
      i += 8;
    }
    if (i >= length) break;
    unsigned char c = s[i];
    if (plain(c)) {
      *o++ = static_cast<char>(c);
      i++;
    } else if (c < 0x80) {
      *o++ = '\\';
      i++;
      switch (c) {
        case '"': *o++ = '"'; break;
        case '\\': *o++ = '\\'; break;
        case '\n': *o++ = 'n'; break;
        case '\r': *o++ = 'r'; break;
        case '\t': *o++ = 't'; break;
        default:
          memcpy(o, "u00", 3);
          o[3] = kHex[c >> 4];
          o[4] = kHex[c & 15];
          o += 5;
      }
    } else {
      bool complete;
      size_t n = utf8_length(s + i, length - i, &complete);
      if (n == 0) {
        memcpy(o, keep_bytes ? "\\udc00" : "\\ufffd", 6);
        if (keep_bytes) {
          o[4] = kHex[c >> 4];
          o[5] = kHex[c & 15];
        }
        o += 6;
        i++;
      } else {
        memcpy(o, s + i, n);
        o += n;
        i += n;
      }
    }
  }
  return static_cast<size_t>(o - out);
}

size_t incomplete_tail(const char* text, size_t length) {
  const unsigned char* s = reinterpret_cast<const unsigned char*>(text);
  for (size_t back = 1; back <= 3 && back <= length; back++) {
    unsigned char c = s[length - back];
    if (c < 0x80) return 0;
    if (c < 0xc0) continue;
    bool complete;
    utf8_length(s + length - back, back, &complete);
    return complete ? 0 : back;
  }
  return 0;
}

int64_t wall_clock() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t steady_clock() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void digits(char* out, int count, uint64_t value) {
  while (count > 0) {
    out[--count] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

void format_time(char* out, int64_t nanoseconds) {
  int64_t seconds = nanoseconds / 1000000000;
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  // Civil date from days since 1970-01-01, in eras of 400 years that begin on the first of March.
  int64_t shifted = days + 719468;
  int64_t era = shifted / 146097;
  int64_t day_of_era = shifted % 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_index = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  memcpy(out, "0000-00-00T00:00:00.000000000Z", kTimeLength);
  digits(out, 4, year);
  digits(out + 5, 2, month);
  digits(out + 8, 2, day);
  digits(out + 11, 2, rest / 3600);
  digits(out + 14, 2, rest / 60 % 60);
  digits(out + 17, 2, rest % 60);
  digits(out + 20, 9, nanoseconds % 1000000000);
}

std::string time_text(int64_t nanoseconds) {
  char text[kTimeLength];
  format_time(text, nanoseconds);
  return std::string(text, kTimeLength);
}

size_t format_number(char* out, int64_t value) {
  char reversed[20];
  size_t n = 0, at = 0;
  uint64_t left = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do reversed[n++] = static_cast<char>('0' + left % 10);
  while ((left /= 10) != 0);
  if (value < 0) out[at++] = '-';
  while (n > 0) out[at++] = reversed[--n];
  return at;
}

static void append_key(std::string& out, const char* key) {
  if (!out.empty() && out.back() != '{' && out.back() != ',') out += ',';
  out += '"';
  out += key;
  out += "\":";
}

void append_member(std::string& out, const char* key, const std::string& value) {
  append_key(out, key);
  size_t start = out.size() + 1;
  out.resize(start + escaped_bound(value.size()));
  out[start - 1] = '"';
  out.resize(start + escape_json(&out[start], value.data(), value.size()));
  out += '"';
}

void append_member(std::string& out, const char* key, int64_t value) {
  append_key(out, key);
  char text[20];
  out.append(text, format_number(text, value));
}

}  // namespace wherry

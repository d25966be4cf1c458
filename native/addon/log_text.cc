#include <cstring>
#include <string_view>

#include "binding.h"

/** Lines of a log as the monitor writes them (docker's json-file format) to the text that `logs` prints. */
namespace wherry {
namespace {

constexpr std::string_view kHead = "{\"log\":\"";
constexpr std::string_view kStdout = ",\"stream\":\"stdout\",";
constexpr std::string_view kStderr = ",\"stream\":\"stderr\",";
constexpr std::string_view kTime = "\"time\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr size_t kStampLength = 30;
constexpr size_t kTail = kTime.size() + kStampLength + kEnd.size();

bool starts_with(const char *at, const char *end, std::string_view what) {
  return static_cast<size_t>(end - at) >= what.size() && memcmp(at, what.data(), what.size()) == 0;
}

/** Four hex digits; -1 when they are none. */
int hex4(const char *at, const char *end) {
  if (end - at < 4) return -1;
  int value = 0;
  for (int digit = 0; digit < 4; digit++) {
    char c = at[digit];
    int number = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (number < 0) return -1;
    value = value << 4 | number;
  }
  return value;
}

char *put_utf8(char *out, int code) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xc0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xe0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 63));
    *out++ = static_cast<char>(0x80 | (code & 63));
  } else {
    *out++ = static_cast<char>(0xf0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 63));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 63));
    *out++ = static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

/** `\uXXXX`, perhaps a pair of them. The low surrogates U+DC80 to U+DCFF alone stand for a byte. */
bool unescape_unicode(const char *&at, const char *end, char *&out) {
  int code = hex4(at + 2, end);
  if (code < 0) return false;
  at += 6;
  if (code >= 0xdc80 && code <= 0xdcff) {
    *out++ = static_cast<char>(code - 0xdc00);
    return true;
  }
  if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    int low = hex4(at + 2, end);
    if (low >= 0xdc00 && low < 0xe000) {
      at += 6;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  out = put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  return true;
}

/** The inside of a JSON string up to its quote, behind which `at` is then. */
bool unescape(const char *&at, const char *end, char *&out) {
  for (;;) {
    auto quote = static_cast<const char *>(memchr(at, '"', static_cast<size_t>(end - at)));
    if (quote == nullptr) return false;
    auto escape = static_cast<const char *>(memchr(at, '\\', static_cast<size_t>(quote - at)));
    const char *stop = escape == nullptr ? quote : escape;
    memcpy(out, at, static_cast<size_t>(stop - at));
    out += stop - at;
    at = stop;
    if (escape == nullptr) {
      at++;
      return true;
    }
    if (end - at < 2) return false;
    char letter = at[1];
    if (letter == 'u') {
      if (!unescape_unicode(at, end, out)) return false;
      continue;
    }
    static constexpr std::string_view kLetters = "nrt\"\\/bf";
    static constexpr std::string_view kValues = "\n\r\t\"\\/\b\f";
    size_t which = kLetters.find(letter);
    if (which == std::string_view::npos) return false;
    *out++ = kValues[which];
    at += 2;
  }
}

/** One line without its newline. `out` has room for as many bytes. False: it is written in another way. */
bool format_line(const char *at, const char *end, bool timestamps, char *&out, bool &is_stderr) {
  if (static_cast<size_t>(end - at) < kHead.size() + kStdout.size() + kTail || !starts_with(at, end, kHead)) return false;
  const char *tail = end - kTail;
  if (!starts_with(tail, end, kTime) || !starts_with(end - kEnd.size(), end, kEnd)) return false;
  char *start = out;
  if (timestamps) {
    memcpy(out, tail + kTime.size(), kStampLength);
    out += kStampLength;
    *out++ = ' ';
  }
  at += kHead.size();
  is_stderr = false;
  if (unescape(at, tail, out)) {
    is_stderr = starts_with(at, tail, kStderr);
    if (is_stderr || starts_with(at, tail, kStdout)) return true;
  }
  out = start;
  return false;
}

bool get_bytes(const Napi::CallbackInfo &info, size_t index, Napi::Uint8Array &value) {
  if (info[index].IsTypedArray() && info[index].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    value = info[index].As<Napi::Uint8Array>();
    return true;
  }
  Napi::TypeError::New(info.Env(), "a Uint8Array was expected").ThrowAsJavaScriptException();
  return false;
}

/** formatLog(lines: Uint8Array, out: Uint8Array, timestamps: boolean): number[], see native.ts */
Napi::Value format_log(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::Uint8Array lines, text;
  bool timestamps = false;
  if (!get_bytes(info, 0, lines) || !get_bytes(info, 1, text) || !get_argument(info, 2, timestamps)) return env.Undefined();
  if (text.ByteLength() < lines.ByteLength()) {
    Napi::TypeError::New(env, "the output must be as long as the input").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const char *first = reinterpret_cast<const char *>(lines.Data());
  const char *end = first + lines.ByteLength();
  const char *at = first;
  char *start = reinterpret_cast<char *>(text.Data());
  char *out = start;
  std::vector<double> runs;
  bool run_is_stderr = false;
  while (at < end) {
    auto newline = static_cast<const char *>(memchr(at, '\n', static_cast<size_t>(end - at)));
    bool is_stderr = false;
    char *before = out;
    if (newline == nullptr || !format_line(at, newline, timestamps, out, is_stderr)) break;
    if (is_stderr != run_is_stderr) {
      runs.push_back(static_cast<double>(before - start));
      run_is_stderr = is_stderr;
    }
    at = newline + 1;
  }
  runs.push_back(static_cast<double>(out - start));
  Napi::Array result = Napi::Array::New(env, runs.size() + 1);
  result.Set(0u, Napi::Number::New(env, static_cast<double>(at - first)));
  for (size_t run = 0; run < runs.size(); run++) result.Set(static_cast<uint32_t>(run + 1), Napi::Number::New(env, runs[run]));
  return result;
}

}  // namespace

void export_log_text(Napi::Env env, Napi::Object exports) {
  exports.Set("formatLog", Napi::Function::New(env, format_log, "formatLog"));
}

}  // namespace wherry

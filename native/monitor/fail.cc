#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace wherry {

std::string error_words(int err) {
  std::string words = strerror(err);
  // "No such file", but "RPC ...": only a first letter that stands alone as a capital is lowered.
  if (words.size() > 1 && words[0] >= 'A' && words[0] <= 'Z' && !(words[1] >= 'A' && words[1] <= 'Z')) {
    words[0] = static_cast<char>(words[0] - 'A' + 'a');
  }
  return words;
}

int exit_code_for(int err) {
  if (err == ENOENT || err == ENOTDIR) return 127;
  if (err == EACCES || err == EISDIR) return 126;
  return 125;
}

bool fail(Failure* failure, int err, const char* format, ...) {
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  failure->code = 125;
  failure->err = err;
  failure->message = text;
  if (err) failure->message += ": " + error_words(err);
  return false;
}

}  // namespace wherry

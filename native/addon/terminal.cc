#include <termios.h>

#include "binding.h"

namespace wherry {
namespace {

/**
 * rawTerminal(fd): what Node's raw mode leaves out. libuv keeps the output's processing (ONLCR), so a line
 * feed that a program in a container means as "down" would also go to the first column.
 */
Napi::Value raw_terminal(const Napi::CallbackInfo &info) {
  int fd;
  if (!get_arguments(info, fd)) return info.Env().Undefined();
  termios state;
  if (::tcgetattr(fd, &state) < 0) return throw_failure(info.Env(), system_failure(errno, "tcgetattr"));
  ::cfmakeraw(&state);
  int result;
  do {
    result = ::tcsetattr(fd, TCSADRAIN, &state);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return throw_failure(info.Env(), system_failure(errno, "tcsetattr"));
  return info.Env().Undefined();
}

}  // namespace

void export_terminal(Napi::Env env, Napi::Object exports) {
  exports.Set("rawTerminal", Napi::Function::New(env, raw_terminal, "rawTerminal"));
}

}  // namespace wherry

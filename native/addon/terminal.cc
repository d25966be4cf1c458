#include <sys/ioctl.h>
#include <termios.h>

#include "binding.h"

namespace wherry {
namespace {

bool set_mode(int fd, const termios &state) {
  int result;
  do {
    result = ::tcsetattr(fd, TCSADRAIN, &state);
  } while (result < 0 && errno == EINTR);
  return result == 0;
}

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
  if (!set_mode(fd, state)) return throw_failure(info.Env(), system_failure(errno, "tcsetattr"));
  return info.Env().Undefined();
}

/**
 * hushTerminal(fd): what libuv's raw mode does, for one who hasn't its stream yet. Returns a function that puts
 * the mode of before back, for libuv restores at the exit what it found.
 */
Napi::Value hush_terminal(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  int fd;
  if (!get_arguments(info, fd)) return env.Undefined();
  termios before;
  if (::tcgetattr(fd, &before) < 0) return throw_failure(env, system_failure(errno, "tcgetattr"));
  termios state = before;
  state.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  state.c_oflag |= ONLCR;
  state.c_cflag |= CS8;
  state.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
  state.c_cc[VMIN] = 1;
  state.c_cc[VTIME] = 0;
  if (!set_mode(fd, state)) return throw_failure(env, system_failure(errno, "tcsetattr"));
  const auto restore = [fd, before](const Napi::CallbackInfo &call) -> Napi::Value {
    if (!set_mode(fd, before)) return throw_failure(call.Env(), system_failure(errno, "tcsetattr"));
    return call.Env().Undefined();
  };
  return Napi::Function::New(env, restore, "restore");
}

/** terminalSize(fd): [columns, rows], both 0 where nobody has said; undefined: no terminal. */
Napi::Value terminal_size(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  int fd;
  if (!get_arguments(info, fd)) return env.Undefined();
  winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) < 0) return env.Undefined();
  const Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Number::New(env, size.ws_col));
  pair.Set(1u, Napi::Number::New(env, size.ws_row));
  return pair;
}

}  // namespace

void export_terminal(Napi::Env env, Napi::Object exports) {
  exports.Set("hushTerminal", Napi::Function::New(env, hush_terminal, "hushTerminal"));
  exports.Set("terminalSize", Napi::Function::New(env, terminal_size, "terminalSize"));
  exports.Set("rawTerminal", Napi::Function::New(env, raw_terminal, "rawTerminal"));
}

}  // namespace wherry

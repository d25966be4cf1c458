#include <sys/file.h>

#include <memory>

#include "binding.h"

namespace wherry {
namespace {

int flock_uninterrupted(int fd, int operation) {
  int result;
  do {
    result = ::flock(fd, operation);
  } while (result < 0 && errno == EINTR);
  return result;
}

int mode(bool exclusive) { return exclusive ? LOCK_EX : LOCK_SH; }

/** flock(fd, exclusive, wait): Promise<boolean> */
Napi::Value flock_on_thread(const Napi::CallbackInfo &info) {
  int fd;
  bool exclusive, wait;
  if (!get_arguments(info, fd, exclusive, wait)) return info.Env().Undefined();
  auto taken = std::make_shared<bool>(false);
  return run_on_thread(
      info.Env(),
      [=]() -> Status {
        int result = flock_uninterrupted(fd, mode(exclusive) | (wait ? 0 : LOCK_NB));
        if (result < 0 && (wait || errno != EWOULDBLOCK)) return system_failure(errno, "flock");
        *taken = result == 0;
        return {};
      },
      [taken](Napi::Env env) { return Napi::Boolean::New(env, *taken); });
}

/** flockNow(fd, exclusive): boolean */
Napi::Value flock_now(const Napi::CallbackInfo &info) {
  int fd;
  bool exclusive;
  if (!get_arguments(info, fd, exclusive)) return info.Env().Undefined();
  int result = flock_uninterrupted(fd, mode(exclusive) | LOCK_NB);
  if (result < 0 && errno != EWOULDBLOCK) return throw_failure(info.Env(), system_failure(errno, "flock"));
  return Napi::Boolean::New(info.Env(), result == 0);
}

}  // namespace

void export_locks(Napi::Env env, Napi::Object exports) {
  exports.Set("flock", Napi::Function::New(env, flock_on_thread, "flock"));
  exports.Set("flockNow", Napi::Function::New(env, flock_now, "flockNow"));
}

}  // namespace wherry

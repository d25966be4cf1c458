#include <time.h>

#include "binding.h"

namespace wherry {
namespace {

/** wallClock(): bigint, nanoseconds since the epoch */
Napi::Value wall_clock(const Napi::CallbackInfo &info) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return Napi::BigInt::New(info.Env(), static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
}

}  // namespace

void export_clock(Napi::Env env, Napi::Object exports) {
  exports.Set("wallClock", Napi::Function::New(env, wall_clock, "wallClock"));
}

}  // namespace wherry

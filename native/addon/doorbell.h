#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

namespace wherry {

/**
 * The way of other threads to the JavaScript thread. Node frees a thread-safe function when its environment ends,
 * whoever still has it; a doorbell may be rung at any time, and is then mute.
 */
class Doorbell {
 public:
  /** Runs on the JavaScript thread; `env` is null when the environment is ending. Such data must hold the bell. */
  using Answer = void (*)(napi_env env, void *context, void *data);

  /** Null with an exception pending when it can't be made. Keeps the event loop alive until `unref`. */
  static std::shared_ptr<Doorbell> create(Napi::Env env, Answer answer, void *context);

  /** From any thread. False: nobody will answer, `data` is still the caller's. */
  bool ring(void *data);

  // The rest on the JavaScript thread only.
  void ref(Napi::Env env);
  void unref(Napi::Env env);
  void close();

 private:
  static void call(napi_env env, napi_value, void *context, void *data);

  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
  Answer answer_ = nullptr;
  void *context_ = nullptr;
};

}  // namespace wherry

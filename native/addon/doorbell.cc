#include "doorbell.h"

namespace wherry {

std::shared_ptr<Doorbell> Doorbell::create(Napi::Env env, Answer answer, void *context) {
  auto bell = std::make_shared<Doorbell>();
  bell->answer_ = answer;
  bell->context_ = context;
  auto *held = new std::shared_ptr<Doorbell>(bell);
  auto finalize = [](napi_env, void *data, void *) {
    auto *shared = static_cast<std::shared_ptr<Doorbell> *>(data);
    {
      std::lock_guard lock((*shared)->mutex_);
      (*shared)->function_ = nullptr;
    }
    delete shared;
  };
  Napi::String name = Napi::String::New(env, "wherry");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, held, finalize, bell.get(), call,
                                      &bell->function_) == napi_ok) {
    return bell;
  }
  delete held;
  Napi::Error::New(env, "no thread-safe function could be made").ThrowAsJavaScriptException();
  return nullptr;
}

void Doorbell::call(napi_env env, napi_value, void *context, void *data) {
  // Left over when the function went away, and perhaps the bell, too. Data that needs an answer holds the bell.
  if (env == nullptr && data == nullptr) return;
  auto *bell = static_cast<Doorbell *>(context);
  bell->answer_(env, bell->context_, data);
}

bool Doorbell::ring(void *data) {
  std::lock_guard lock(mutex_);
  if (function_ == nullptr) return false;
  napi_status status = napi_call_threadsafe_function(function_, data, napi_tsfn_nonblocking);
  if (status == napi_closing) function_ = nullptr;
  return status == napi_ok;
}

void Doorbell::ref(Napi::Env env) {
  if (function_ != nullptr) napi_ref_threadsafe_function(env, function_);
}

void Doorbell::unref(Napi::Env env) {
  if (function_ != nullptr) napi_unref_threadsafe_function(env, function_);
}

void Doorbell::close() {
  napi_threadsafe_function function;
  {
    std::lock_guard lock(mutex_);
    function = function_;
    function_ = nullptr;
  }
  if (function != nullptr) napi_release_threadsafe_function(function, napi_tsfn_abort);
}

}  // namespace wherry

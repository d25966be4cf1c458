#include "binding.h"

#include <pthread.h>

#include <cmath>
#include <memory>

#include "doorbell.h"

// From libuv, which every Node exports; its ABI has not changed since 1.0.
extern "C" const char *uv_err_name(int error);
extern "C" const char *uv_strerror(int error);

namespace wherry {

Napi::Error to_error(Napi::Env env, const Failure &failure) {
  std::string code = failure.code;
  std::string message = failure.reason;
  if (failure.number != 0) {
    code = uv_err_name(-failure.number);
    message = code + ": " + uv_strerror(-failure.number) + ", " + failure.syscall;
    if (!failure.reason.empty()) message = failure.reason + ": " + message;
    if (!failure.subject.empty()) message += " '" + failure.subject + "'";
  } else if (!failure.subject.empty()) {
    message = failure.subject + ": " + message;
  }
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  if (failure.number != 0) {
    error.Set("errno", Napi::Number::New(env, failure.number));
    error.Set("syscall", Napi::String::New(env, failure.syscall));
  }
  if (!failure.subject.empty()) error.Set("path", Napi::String::New(env, failure.subject));
  return error;
}

Napi::Value throw_failure(Napi::Env env, const Failure &failure) {
  to_error(env, failure).ThrowAsJavaScriptException();
  return env.Undefined();
}

namespace {

struct ThreadTask {
  std::function<Status()> work;
  std::function<Napi::Value(Napi::Env)> value;
  Status status;
  napi_deferred deferred = nullptr;
  std::shared_ptr<Doorbell> bell;
};

void settle(napi_env raw, void *, void *data) {
  std::unique_ptr<ThreadTask> task(static_cast<ThreadTask *>(data));
  if (raw == nullptr) return;
  Napi::Env env(raw);
  Napi::HandleScope scope(env);
  if (task->status) {
    napi_reject_deferred(raw, task->deferred, to_error(env, *task->status).Value());
  } else {
    napi_resolve_deferred(raw, task->deferred, task->value(env));
  }
  task->bell->close();
}

void *run_task(void *data) {
  auto *task = static_cast<ThreadTask *>(data);
  std::shared_ptr<Doorbell> bell = task->bell;
  task->status = task->work();
  if (!bell->ring(task)) delete task;
  return nullptr;
}

bool wrong_argument(const Napi::CallbackInfo &info, size_t index, const char *wanted) {
  std::string message = "argument " + std::to_string(index + 1) + " must be " + wanted;
  Napi::TypeError::New(info.Env(), message).ThrowAsJavaScriptException();
  return false;
}

}  // namespace

Napi::Value run_on_thread(Napi::Env env, std::function<Status()> work,
                          std::function<Napi::Value(Napi::Env)> value) {
  auto task = std::make_unique<ThreadTask>();
  task->work = std::move(work);
  task->value = std::move(value);
  napi_value promise;
  if (napi_create_promise(env, &task->deferred, &promise) != napi_ok) return env.Undefined();
  task->bell = Doorbell::create(env, settle, nullptr);
  if (!task->bell) return env.Undefined();
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  int number = pthread_create(&thread, &attributes, run_task, task.get());
  pthread_attr_destroy(&attributes);
  if (number != 0) {
    task->bell->close();
    napi_reject_deferred(env, task->deferred, to_error(env, system_failure(number, "pthread_create")).Value());
  } else {
    task.release();
  }
  return Napi::Value(env, promise);
}

bool get_argument(const Napi::CallbackInfo &info, size_t index, int64_t &value) {
  if (!info[index].IsNumber()) return wrong_argument(info, index, "a number");
  double number = info[index].As<Napi::Number>().DoubleValue();
  if (number != std::floor(number) || std::abs(number) > 9007199254740991.0) {
    return wrong_argument(info, index, "a whole number");
  }
  value = static_cast<int64_t>(number);
  return true;
}

bool get_argument(const Napi::CallbackInfo &info, size_t index, int &value) {
  int64_t wide = 0;
  if (!get_argument(info, index, wide)) return false;
  if (wide < INT32_MIN || wide > UINT32_MAX) return wrong_argument(info, index, "a 32-bit number");
  value = static_cast<int>(wide);
  return true;
}

bool get_argument(const Napi::CallbackInfo &info, size_t index, bool &value) {
  if (!info[index].IsBoolean()) return wrong_argument(info, index, "a boolean");
  value = info[index].As<Napi::Boolean>().Value();
  return true;
}

bool get_argument(const Napi::CallbackInfo &info, size_t index, std::string &value) {
  if (!info[index].IsString()) return wrong_argument(info, index, "a string");
  value = info[index].As<Napi::String>().Utf8Value();
  if (value.find('\0') != std::string::npos) return wrong_argument(info, index, "a string without null bytes");
  return true;
}

bool get_argument(const Napi::CallbackInfo &info, size_t index, std::vector<std::string> &value) {
  if (!info[index].IsArray()) return wrong_argument(info, index, "an array of strings");
  Napi::Array array = info[index].As<Napi::Array>();
  for (uint32_t item = 0; item < array.Length(); ++item) {
    Napi::Value element = array.Get(item);
    if (!element.IsString()) return wrong_argument(info, index, "an array of strings");
    value.push_back(element.As<Napi::String>().Utf8Value());
    if (value.back().find('\0') != std::string::npos) {
      return wrong_argument(info, index, "an array of strings without null bytes");
    }
  }
  return true;
}

}  // namespace wherry

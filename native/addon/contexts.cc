#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "binding.h"
#include "context_copy.h"
#include "context_walk.h"

namespace wherry {
namespace {

/** More than this wait for each other in the kernel. */
constexpr unsigned kMostThreads = 8;

/** readContext(root, path, rules, cache): [Promise<{digest, entries, bytes, hashed}>, stop] */
Napi::Value read_context(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int root;
  std::vector<std::string> rules;
  ContextRequest request;
  if (!get_arguments(info, root, request.path, rules, request.cache)) return env.Undefined();
  auto parsed = IgnoreRules::parse(rules);
  if (!parsed) {
    Napi::TypeError::New(env, "argument 3 must be rules").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  request.rules = std::move(*parsed);
  // Whoever asks may close it before the walk has come to its end.
  request.root.reset(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!request.root) return throw_failure(env, system_failure(errno, "fcntl"));
  request.threads = std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
  auto walk = ContextWalk::create(std::move(request));
  auto summary = std::make_shared<ContextSummary>();
  Napi::Value promise = run_on_thread(
      env, [walk, summary] { return walk->run(*summary); },
      [summary](Napi::Env here) -> Napi::Value {
        Napi::Object result = Napi::Object::New(here);
        result.Set("digest", summary->digest);
        result.Set("entries", static_cast<double>(summary->entries));
        result.Set("bytes", static_cast<double>(summary->bytes));
        result.Set("hashed", static_cast<double>(summary->hashed));
        return result;
      });
  if (env.IsExceptionPending()) return env.Undefined();
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, promise);
  pair.Set(1u, Napi::Function::New(env, [walk](const Napi::CallbackInfo &) { walk->abort(); }, "stop"));
  return pair;
}

/** copyContext(root, path, rules, target, uid, gid, mode, time): [Promise<void>, stop] */
Napi::Value copy_on_threads(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int root, target;
  std::vector<std::string> rules;
  auto request = std::make_shared<CopyRequest>();
  if (!get_arguments(info, root, request->path, rules, target, request->uid, request->gid, request->mode,
                     request->time)) {
    return env.Undefined();
  }
  auto parsed = IgnoreRules::parse(rules);
  if (!parsed || parsed->has_exceptions()) {
    Napi::TypeError::New(env, "argument 3 must be rules without exceptions").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  request->rules = std::move(*parsed);
  request->root.reset(fcntl(root, F_DUPFD_CLOEXEC, 0));
  request->target.reset(fcntl(target, F_DUPFD_CLOEXEC, 0));
  if (!request->root || !request->target) return throw_failure(env, system_failure(errno, "fcntl"));
  request->threads = std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
  auto stopped = request->stopped = std::make_shared<std::atomic<bool>>(false);
  Napi::Value promise = run_on_thread(
      env, [request] { return copy_context(std::move(*request)); },
      [](Napi::Env here) -> Napi::Value { return here.Undefined(); });
  if (env.IsExceptionPending()) return env.Undefined();
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, promise);
  auto stop = [stopped](const Napi::CallbackInfo &) { *stopped = true; };
  pair.Set(1u, Napi::Function::New(env, stop, "stop"));
  return pair;
}

}  // namespace

void export_contexts(Napi::Env env, Napi::Object exports) {
  exports.Set("readContext", Napi::Function::New(env, read_context, "readContext"));
  exports.Set("copyContext", Napi::Function::New(env, copy_on_threads, "copyContext"));
}

}  // namespace wherry

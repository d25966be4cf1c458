#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "binding.h"
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

}  // namespace

void export_contexts(Napi::Env env, Napi::Object exports) {
  exports.Set("readContext", Napi::Function::New(env, read_context, "readContext"));
}

}  // namespace wherry

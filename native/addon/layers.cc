#include <fcntl.h>

#include <cmath>

#include "binding.h"
#include "doorbell.h"
#include "layer_pipeline.h"

namespace wherry {
namespace {

/** The LayerUnpacker of src/kernel/native.ts. */
class LayerUnpacker : public Napi::ObjectWrap<LayerUnpacker> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "LayerUnpacker",
                       {InstanceMethod("write", &LayerUnpacker::write), InstanceMethod("finish", &LayerUnpacker::finish),
                        InstanceMethod("abort", &LayerUnpacker::abort)});
  }

  explicit LayerUnpacker(const Napi::CallbackInfo &info) : Napi::ObjectWrap<LayerUnpacker>(info) {
    Napi::Env env = info.Env();
    std::string directory;
    if (!get_argument(info, 0, directory)) return;
    const uint64_t max_size = limit(info[1]), max_entries = limit(info[2]);
    Fd root(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
      throw_failure(env, system_failure(errno, "open", directory));
      return;
    }
    bell_ = Doorbell::create(env, on_change, this);
    if (!bell_) return;
    bell_->unref(env);
    std::shared_ptr<Doorbell> bell = bell_;
    pipeline_ = std::make_shared<LayerPipeline>(std::move(root), max_size, max_entries, [bell] { bell->ring(nullptr); });
    if (Status failure = pipeline_->start()) throw_failure(env, *failure);
  }

  ~LayerUnpacker() override {
    if (pipeline_) pipeline_->abort();
    if (bell_) bell_->close();
  }

 private:
  /** What is no number limits nothing. */
  static uint64_t limit(const Napi::Value &value) {
    if (!value.IsNumber()) return UINT64_MAX;
    double number = value.As<Napi::Number>().DoubleValue();
    return number >= 0 && number < 9e15 ? static_cast<uint64_t>(number) : UINT64_MAX;
  }

  using Deferreds = std::vector<Napi::Promise::Deferred>;

  Napi::Value write(const Napi::CallbackInfo &info) {
    if (!info[0].IsTypedArray()) {
      Napi::TypeError::New(info.Env(), "argument 1 must be a Uint8Array").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    auto chunk = info[0].As<Napi::Uint8Array>();
    if (pipeline_) pipeline_->feed(chunk.Data(), chunk.ByteLength());
    return wait(info, writes_);
  }

  Napi::Value finish(const Napi::CallbackInfo &info) {
    if (pipeline_) pipeline_->end_input();
    return wait(info, finishes_);
  }

  Napi::Value abort(const Napi::CallbackInfo &info) {
    if (pipeline_) pipeline_->abort();
    return wait(info, aborts_);
  }

  /** A promise that `settle` will look at, at once and whenever the threads ring. */
  Napi::Value wait(const Napi::CallbackInfo &info, Deferreds &deferreds) {
    Napi::Env env = info.Env();
    auto deferred = Napi::Promise::Deferred::New(env);
    deferreds.push_back(deferred);
    // The object and the event loop live as long as somebody waits.
    if (waiting_++ == 0) {
      Ref();
      if (bell_) bell_->ref(env);
    }
    settle(env);
    return deferred.Promise();
  }

  void settle(Napi::Env env) {
    bool ended = !pipeline_ || pipeline_->ended();
    Status failure = pipeline_ ? pipeline_->failure() : Status(own_failure("ECANCELED", "not started"));
    if (failure) {
      // A failure is told when no thread works on the folder any more, so that the caller can remove it.
      if (ended) {
        reject(env, writes_, *failure);
        reject(env, finishes_, *failure);
      }
    } else if (pipeline_->wants_input()) {
      resolve(env, writes_, env.Undefined());
    }
    if (!ended) return;
    resolve(env, aborts_, env.Undefined());
    if (!failure && !finishes_.empty()) resolve(env, finishes_, stats(env));
  }

  Napi::Value stats(Napi::Env env) {
    LayerStats stats = pipeline_->stats();
    Napi::Object result = Napi::Object::New(env);
    result.Set("size", Napi::Number::New(env, static_cast<double>(stats.size)));
    result.Set("diffId", Napi::String::New(env, stats.diff_id));
    result.Set("digest", Napi::String::New(env, stats.digest));
    result.Set("fed", Napi::Number::New(env, static_cast<double>(stats.fed)));
    Napi::Array implied = Napi::Array::New(env, stats.implied.size());
    for (size_t index = 0; index < stats.implied.size(); ++index) {
      implied.Set(static_cast<uint32_t>(index), Napi::String::New(env, stats.implied[index]));
    }
    result.Set("implied", implied);
    result.Set("entries", Napi::Number::New(env, static_cast<double>(stats.entries)));
    result.Set("content", Napi::Number::New(env, static_cast<double>(stats.content)));
    return result;
  }

  void resolve(Napi::Env env, Deferreds &deferreds, Napi::Value value) {
    Deferreds taken = std::move(deferreds);
    deferreds.clear();
    for (auto &deferred : taken) deferred.Resolve(value);
    done(env, taken.size());
  }

  void reject(Napi::Env env, Deferreds &deferreds, const Failure &failure) {
    Deferreds taken = std::move(deferreds);
    deferreds.clear();
    for (auto &deferred : taken) deferred.Reject(to_error(env, failure).Value());
    done(env, taken.size());
  }

  void done(Napi::Env env, size_t count) {
    if (count == 0) return;
    waiting_ -= count;
    if (waiting_ > 0) return;
    if (bell_) bell_->unref(env);
    Unref();
  }

  static void on_change(napi_env raw, void *context, void *) {
    if (raw == nullptr) return;
    Napi::HandleScope scope{Napi::Env(raw)};
    auto *unpacker = static_cast<LayerUnpacker *>(context);
    if (unpacker->waiting_ > 0) unpacker->settle(Napi::Env(raw));
  }

  std::shared_ptr<Doorbell> bell_;
  std::shared_ptr<LayerPipeline> pipeline_;
  Deferreds writes_, finishes_, aborts_;
  size_t waiting_ = 0;
};

/** unpackLayer(directory, maxSize?, maxEntries?): LayerUnpacker */
Napi::Value unpack_layer(const Napi::CallbackInfo &info) {
  auto *constructor = static_cast<Napi::FunctionReference *>(info.Data());
  return constructor->New({info[0], info[1], info[2]});
}

}  // namespace

void export_layers(Napi::Env env, Napi::Object exports) {
  auto *constructor = new Napi::FunctionReference(Napi::Persistent(LayerUnpacker::define(env)));
  env.AddCleanupHook([constructor] { delete constructor; });
  exports.Set("unpackLayer", Napi::Function::New(env, unpack_layer, "unpackLayer", constructor));
}

}  // namespace wherry

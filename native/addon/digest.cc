#include "binding.h"
#include "sha256.h"

namespace wherry {
namespace {

/** sha256(data: Uint8Array): string, `sha256:<hex>` */
Napi::Value sha256(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Napi::TypeError::New(env, "a Uint8Array was expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto data = info[0].As<Napi::Uint8Array>();
  Sha256 hash;
  hash.update(data.Data(), data.ByteLength());
  return Napi::String::New(env, hash.digest());
}

}  // namespace

void export_digest(Napi::Env env, Napi::Object exports) {
  exports.Set("sha256", Napi::Function::New(env, sha256, "sha256"));
}

}  // namespace wherry

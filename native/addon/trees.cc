#include <fcntl.h>

#include "binding.h"
#include "directory.h"
#include "kernel/fd.h"

namespace wherry {
namespace {

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

/** copyTree(from, to): Promise<void> */
Napi::Value copy_tree_on_thread(const Napi::CallbackInfo &info) {
  int from, to;
  if (!get_arguments(info, from, to)) return info.Env().Undefined();
  return run_on_thread(
      info.Env(),
      [=]() -> Status { return copy_tree(from, to); },
      undefined);
}

/** removeTree(path): Promise<void> */
Napi::Value remove_tree_on_thread(const Napi::CallbackInfo &info) {
  std::string path;
  if (!get_arguments(info, path)) return info.Env().Undefined();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return run_on_thread(
      info.Env(),
      [=]() -> Status {
        size_t slash = path.rfind('/');
        std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
        std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
        if (name.empty() || name == "." || name == "..") return system_failure(EINVAL, "rmdir", path);
        Fd folder(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!folder) return errno == ENOENT ? Status() : system_failure(errno, "open", parent);
        Status failure = remove_tree(folder.get(), name);
        if (failure) failure->subject = path + (failure->subject == name ? "" : ": " + failure->subject);
        return failure;
      },
      undefined);
}

}  // namespace

void export_trees(Napi::Env env, Napi::Object exports) {
  exports.Set("copyTree", Napi::Function::New(env, copy_tree_on_thread, "copyTree"));
  exports.Set("removeTree", Napi::Function::New(env, remove_tree_on_thread, "removeTree"));
}

}  // namespace wherry

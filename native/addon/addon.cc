#include "binding.h"

namespace wherry {

static Napi::Object register_functions(Napi::Env env, Napi::Object exports) {
  export_locks(env, exports);
  export_paths(env, exports);
  export_overlay(env, exports);
  export_trees(env, exports);
  export_processes(env, exports);
  export_archives(env, exports);
  export_container_root(env, exports);
  export_layers(env, exports);
  export_netlink(env, exports);
  export_terminal(env, exports);
  export_digest(env, exports);
  export_clock(env, exports);
  export_sockets(env, exports);
  export_log_text(env, exports);
  export_volume_mounts(env, exports);
  export_files(env, exports);
  export_quota(env, exports);
  export_contexts(env, exports);
  return exports;
}

}  // namespace wherry

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return wherry::register_functions(env, exports);
}

NODE_API_MODULE(wherry, initialize)

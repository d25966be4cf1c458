#pragma once

#include <napi.h>

#include <functional>

#include "failure.h"

/** What the files with functions for JavaScript share. */
namespace wherry {

/** An `Error` with `code`, `errno`, `syscall` and `path`, worded as Node's own. */
Napi::Error to_error(Napi::Env env, const Failure &failure);

/** Throws and gives undefined, to be returned at once. */
Napi::Value throw_failure(Napi::Env env, const Failure &failure);

/**
 * Runs `work` on a thread of its own (which may block for as long as it likes: libuv's pool is not touched)
 * and settles a promise with `value`, or rejects with what `work` returned. Both see the same captured state.
 */
Napi::Value run_on_thread(Napi::Env env, std::function<Status()> work, std::function<Napi::Value(Napi::Env)> value);

// Checked arguments: each throws a TypeError and gives false when the argument is something else.
bool get_argument(const Napi::CallbackInfo &info, size_t index, int &value);
bool get_argument(const Napi::CallbackInfo &info, size_t index, int64_t &value);
bool get_argument(const Napi::CallbackInfo &info, size_t index, bool &value);
/** A string without a NUL, which would end early in the kernel. */
bool get_argument(const Napi::CallbackInfo &info, size_t index, std::string &value);
bool get_argument(const Napi::CallbackInfo &info, size_t index, std::vector<std::string> &value);

template <typename... Values>
bool get_arguments(const Napi::CallbackInfo &info, Values &...values) {
  size_t index = 0;
  return (get_argument(info, index++, values) && ...);
}

void export_archives(Napi::Env env, Napi::Object exports);
void export_container_root(Napi::Env env, Napi::Object exports);
void export_locks(Napi::Env env, Napi::Object exports);
void export_paths(Napi::Env env, Napi::Object exports);
void export_overlay(Napi::Env env, Napi::Object exports);
void export_trees(Napi::Env env, Napi::Object exports);
void export_processes(Napi::Env env, Napi::Object exports);
void export_layers(Napi::Env env, Napi::Object exports);
void export_netlink(Napi::Env env, Napi::Object exports);
void export_terminal(Napi::Env env, Napi::Object exports);
void export_digest(Napi::Env env, Napi::Object exports);
void export_clock(Napi::Env env, Napi::Object exports);
void export_sockets(Napi::Env env, Napi::Object exports);
void export_log_text(Napi::Env env, Napi::Object exports);
void export_volume_mounts(Napi::Env env, Napi::Object exports);
void export_files(Napi::Env env, Napi::Object exports);
void export_quota(Napi::Env env, Napi::Object exports);
void export_contexts(Napi::Env env, Napi::Object exports);

}  // namespace wherry

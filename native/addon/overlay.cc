#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <thread>

#include "binding.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"

namespace wherry {
namespace {

/**
 * A layer of a stranger must not be able to send overlay elsewhere (redirect) or to data that it only names
 * (metacopy), and what is mounted here must not depend on how the kernel's defaults were built. index would
 * tie an upper directory to its first lower ones.
 */
constexpr const char *kOptions[][2] = {
    {"redirect_dir", "nofollow"}, {"metacopy", "off"}, {"index", "off"}, {"xino", "off"}};

struct Layers {
  std::vector<std::string> lowers;
  std::string upper, work;
};

/** The folders by descriptor: no path is too long for fsconfig's 255 bytes, and none needs escaping. */
struct OpenLayers {
  std::vector<Fd> fds;
  std::vector<std::string> lowers;
  std::string upper, work;

  Status add(const std::string &path, std::string &name) {
    Fd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return system_failure(errno, "open", path);
    name = "/proc/self/fd/" + std::to_string(fd.get());
    fds.push_back(std::move(fd));
    return {};
  }
};

Status open_layers(const Layers &layers, OpenLayers &open_layers) {
  for (const std::string &lower : layers.lowers) {
    open_layers.lowers.emplace_back();
    if (Status failure = open_layers.add(lower, open_layers.lowers.back())) return failure;
  }
  if (layers.upper.empty()) return {};
  if (Status failure = open_layers.add(layers.upper, open_layers.upper)) return failure;
  return open_layers.add(layers.work, open_layers.work);
}

/** What the kernel says about a mount that it refused is in the context's message log. */
std::string last_message(int context) {
  char text[512];
  std::string last;
  for (ssize_t size; (size = read(context, text, sizeof text - 1)) > 0;) {
    last.assign(text, static_cast<size_t>(size));
  }
  while (!last.empty() && last.back() == '\n') last.pop_back();
  return last;
}

Failure context_failure(int context, const char *syscall, const std::string &subject) {
  Failure failure = system_failure(errno, syscall, subject);
  failure.reason = last_message(context);
  return failure;
}

int set_string(int context, const char *key, const char *value) {
  return sys::fsconfig(context, sys::kFsconfigString, key, value, 0);
}

/** Linux 6.5 and newer. `unsupported` is set when the kernel does not know lowerdir+. */
Status mount_by_context(const OpenLayers &layers, Fd &mount, bool &unsupported) {
  Fd context(sys::fsopen("overlay", sys::kFsopenCloexec));
  if (!context) return system_failure(errno, "fsopen", "overlay");
  for (size_t index = 0; index < layers.lowers.size(); ++index) {
    if (set_string(context.get(), "lowerdir+", layers.lowers[index].c_str()) == 0) continue;
    unsupported = index == 0 && errno == EINVAL;
    return context_failure(context.get(), "fsconfig", "lowerdir+");
  }
  if (!layers.upper.empty()) {
    if (set_string(context.get(), "upperdir", layers.upper.c_str()) != 0) {
      return context_failure(context.get(), "fsconfig", "upperdir");
    }
    if (set_string(context.get(), "workdir", layers.work.c_str()) != 0) {
      return context_failure(context.get(), "fsconfig", "workdir");
    }
  }
  for (const auto &option : kOptions) {
    if (set_string(context.get(), option[0], option[1]) != 0 && errno != EINVAL) {
      return context_failure(context.get(), "fsconfig", option[0]);
    }
  }
  if (sys::fsconfig(context.get(), sys::kFsconfigCreate, nullptr, nullptr, 0) != 0) {
    return context_failure(context.get(), "fsconfig", "overlay");
  }
  uint64_t attributes = layers.upper.empty() ? sys::kAttrRdonly : 0;
  mount.reset(sys::fsmount(context.get(), sys::kFsmountCloexec, attributes));
  if (!mount) return system_failure(errno, "fsmount", "overlay");
  return {};
}

/** The same with mount(2), in a mount namespace that ends with the thread; the clone outlives it. */
Status mount_in_namespace(const Layers &layers, Fd &mount) {
  if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return system_failure(errno, "unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return system_failure(errno, "mount", "/");
  // Descriptors of another mount namespace can't be lower directories: they are opened again in this one.
  OpenLayers opened;
  if (Status failure = open_layers(layers, opened)) return failure;
  const char *target = layers.lowers[0].c_str();
  if (layers.lowers.size() == 1 && layers.upper.empty()) {
    if (::mount(target, target, nullptr, MS_BIND, nullptr) != 0 ||
        ::mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
      return system_failure(errno, "mount", target);
    }
  } else {
    std::string options = "lowerdir=";
    for (size_t index = 0; index < opened.lowers.size(); ++index) {
      options += (index > 0 ? ":" : "") + opened.lowers[index];
    }
    if (!opened.upper.empty()) options += ",upperdir=" + opened.upper + ",workdir=" + opened.work;
    for (const auto &option : kOptions) options += std::string(",") + option[0] + "=" + option[1];
    if (options.size() >= 4096) return own_failure("E2BIG", "too many layers for the mount options of this kernel");
    if (::mount("overlay", target, "overlay", layers.upper.empty() ? MS_RDONLY : 0, options.c_str()) != 0) {
      return system_failure(errno, "mount", "overlay");
    }
  }
  mount.reset(sys::open_tree(AT_FDCWD, target, sys::kOpenTreeClone | sys::kOpenTreeCloexec));
  if (!mount) return system_failure(errno, "open_tree", target);
  return {};
}

/** Overlay wants two lower directories where there is no upper one: one alone is a read-only bind mount. */
Status mount_single(const std::string &lower, Fd &mount, bool &unsupported) {
  mount.reset(sys::open_tree(AT_FDCWD, lower.c_str(), sys::kOpenTreeClone | sys::kOpenTreeCloexec));
  if (!mount) return system_failure(errno, "open_tree", lower);
  if (sys::mount_setattr(mount.get(), "", AT_EMPTY_PATH, {sys::kAttrRdonly, 0, 0, 0}) == 0) return {};
  unsupported = errno == ENOSYS;
  return system_failure(errno, "mount_setattr", lower);
}

/** mountOverlay(lowers, upper, work, classic = false): number */
Napi::Value mount_overlay(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Layers layers;
  if (!get_argument(info, 0, layers.lowers)) return env.Undefined();
  if (!info[1].IsUndefined() && (!get_argument(info, 1, layers.upper) || !get_argument(info, 2, layers.work))) {
    return env.Undefined();
  }
  bool classic = info[3].IsBoolean() && info[3].As<Napi::Boolean>().Value();
  if (layers.lowers.empty()) return throw_failure(env, own_failure("EINVAL", "an overlay needs a lower directory"));

  Fd mount;
  Status failure;
  if (!classic) {
    if (layers.lowers.size() == 1 && layers.upper.empty()) {
      failure = mount_single(layers.lowers[0], mount, classic);
    } else {
      OpenLayers opened;
      failure = open_layers(layers, opened);
      if (!failure) failure = mount_by_context(opened, mount, classic);
    }
  }
  if (classic) {
    std::thread thread([&] { failure = mount_in_namespace(layers, mount); });
    thread.join();
  }
  if (failure) return throw_failure(env, *failure);
  return Napi::Number::New(env, mount.release());
}

}  // namespace

void export_overlay(Napi::Env env, Napi::Object exports) {
  exports.Set("mountOverlay", Napi::Function::New(env, mount_overlay, "mountOverlay"));
}

}  // namespace wherry

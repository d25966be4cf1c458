#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "binding.h"
#include "kernel/fd.h"

namespace wherry {
namespace {

using Contents = std::vector<std::optional<std::string>>;

/** A file of the kernel's has no size to ask for: it is read until its end. */
std::optional<std::string> read_file(const std::string &path, size_t most) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return std::nullopt;
  std::string content;
  char buffer[16384];
  while (content.size() < most) {
    ssize_t got = read(fd.get(), buffer, std::min(sizeof buffer, most - content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    content.append(buffer, static_cast<size_t>(got));
  }
  return content;
}

/** Below so many files a further thread costs more than it takes over. */
constexpr size_t kFilesOfThread = 200;

void read_all(const std::vector<std::string> &paths, size_t most, Contents &contents) {
  contents.resize(paths.size());
  size_t threads = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), 8);
  threads = std::clamp<size_t>(paths.size() / kFilesOfThread, 1, threads);
  auto read_share = [&](size_t share) {
    for (size_t at = paths.size() * share / threads; at < paths.size() * (share + 1) / threads; ++at) {
      contents[at] = read_file(paths[at], most);
    }
  };
  std::vector<std::thread> others;
  for (size_t share = 1; share < threads; ++share) others.emplace_back(read_share, share);
  read_share(0);
  for (std::thread &other : others) other.join();
}

/** readFiles(paths, most): Promise<(string | undefined)[]>, each byte a character */
Napi::Value read_files(const Napi::CallbackInfo &info) {
  std::vector<std::string> paths;
  int64_t most = 0;
  if (!get_arguments(info, paths, most)) return info.Env().Undefined();
  auto contents = std::make_shared<Contents>();
  return run_on_thread(
      info.Env(),
      [contents, paths = std::move(paths), most]() -> Status {
        read_all(paths, static_cast<size_t>(most), *contents);
        return {};
      },
      [contents](Napi::Env env) -> Napi::Value {
        Napi::Array result = Napi::Array::New(env, contents->size());
        for (uint32_t index = 0; index < contents->size(); ++index) {
          const auto &content = (*contents)[index];
          napi_value text = env.Undefined();
          if (content) napi_create_string_latin1(env, content->data(), content->size(), &text);
          result.Set(index, Napi::Value(env, text));
        }
        return result;
      });
}

}  // namespace

void export_files(Napi::Env env, Napi::Object exports) {
  exports.Set("readFiles", Napi::Function::New(env, read_files, "readFiles"));
}

}  // namespace wherry

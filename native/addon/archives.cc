#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "archive_job.h"
#include "binding.h"
#include "changes.h"
#include "decoder.h"

namespace wherry {
namespace {

/** Options are our own code's, checked by its types; what is absent is left as it is. */
struct Options {
  Napi::Object object;

  explicit Options(const Napi::Value &value)
      : object(value.IsObject() ? value.As<Napi::Object>() : Napi::Object::New(value.Env())) {}

  Napi::Value get(const char *name) const { return object.Get(name); }

  bool flag(const char *name, bool otherwise = false) const {
    Napi::Value value = get(name);
    return value.IsBoolean() ? value.As<Napi::Boolean>().Value() : otherwise;
  }
  int number(const char *name, int otherwise) const {
    Napi::Value value = get(name);
    return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : otherwise;
  }
  std::string text(const char *name) const {
    Napi::Value value = get(name);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  }
  std::vector<std::string> texts(const char *name) const {
    std::vector<std::string> list;
    Napi::Value value = get(name);
    if (!value.IsArray()) return list;
    Napi::Array array = value.As<Napi::Array>();
    for (uint32_t at = 0; at < array.Length(); ++at) list.push_back(array.Get(at).ToString().Utf8Value());
    return list;
  }
};

std::optional<StartMarks> read_marks(const Options &options) {
  Napi::Value value = options.get("marks");
  if (!value.IsObject()) return std::nullopt;
  Options marks(value);
  StartMarks result;
  result.files = marks.texts("files");
  result.folders = marks.texts("folders");
  result.links = marks.texts("links");
  result.base = marks.number("base", -1);
  return result;
}

PackOptions read_packing(const Options &options) {
  PackOptions packing;
  packing.name = options.text("name");
  packing.with_top = options.flag("withTop", true);
  packing.upper = options.flag("upper");
  packing.marks = read_marks(options);
  packing.sparse = options.flag("sparse");
  packing.one_file_system = options.flag("oneFileSystem");
  packing.closed = options.texts("closed");
  packing.guard = options.number("guard", -1);
  return packing;
}

UnpackOptions read_unpacking(const Options &options) {
  UnpackOptions unpacking;
  unpacking.folder = options.text("folder");
  unpacking.beneath = options.flag("beneath");
  unpacking.owners = options.flag("owners", true);
  unpacking.replaces = options.flag("replaces");
  unpacking.guard = options.number("guard", -1);
  int uid = options.number("uid", -1), gid = options.number("gid", -1);
  if (uid >= 0 && gid >= 0) {
    unpacking.owner = std::make_pair(static_cast<uint32_t>(uid), static_cast<uint32_t>(gid));
  }
  return unpacking;
}

/** The caller may close its own while the thread works. Null with an exception pending when there is none. */
std::shared_ptr<Fd> keep(Napi::Env env, int fd) {
  auto copy = std::make_shared<Fd>(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (*copy) return copy;
  throw_failure(env, system_failure(errno, "fcntl"));
  return nullptr;
}

Napi::Object describe(Napi::Env env, const PackStats &stats) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("size", Napi::Number::New(env, static_cast<double>(stats.size)));
  result.Set("entries", Napi::Number::New(env, static_cast<double>(stats.entries)));
  return result;
}

/** packTree(source, output, options): Promise<{size, entries, digest}> */
Napi::Value pack_tree_on_thread(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int source_fd, output_fd;
  if (!get_arguments(info, source_fd, output_fd)) return env.Undefined();
  Options options(info[2]);
  auto source = keep(env, source_fd), output = keep(env, output_fd);
  if (!source || !output) return env.Undefined();
  auto result = std::make_shared<PackResult>();
  bool hash = options.flag("hash"), sync = options.flag("sync");
  int base_fd = options.number("base", -1);
  std::shared_ptr<Fd> base;
  if (base_fd >= 0 && !(base = keep(env, base_fd))) return env.Undefined();
  return run_on_thread(
      env,
      [=, packing = read_packing(options)]() mutable -> Status {
        if (base) {
          Fd tree(fcntl(source->get(), F_DUPFD_CLOEXEC, 0));
          packing.changes.emplace();
          Status failure = list_changes(std::move(tree), base->get(), false, packing.marks, *packing.changes);
          base->reset();
          if (failure) return failure;
        }
        Status failure = pack_to(output->get(), std::move(*source), packing, hash, sync, *result);
        output->reset();
        return failure;
      },
      [result](Napi::Env env) {
        Napi::Object object = describe(env, result->stats);
        object.Set("digest", Napi::String::New(env, result->digest));
        return object;
      });
}

/** unpackTree(root, input, options): Promise<number> */
Napi::Value unpack_tree_on_thread(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int root_fd, input_fd;
  if (!get_arguments(info, root_fd, input_fd)) return env.Undefined();
  auto root = keep(env, root_fd), input = keep(env, input_fd);
  if (!root || !input) return env.Undefined();
  auto entries = std::make_shared<uint64_t>(0);
  return run_on_thread(
      env,
      [=, unpacking = read_unpacking(Options(info[2]))]() -> Status {
        Status failure = unpack_from(input->get(), std::move(*root), unpacking, *entries);
        input->reset();
        return failure;
      },
      [entries](Napi::Env env) { return Napi::Number::New(env, static_cast<double>(*entries)); });
}

/** transferTree(source, packing, root, unpacking): Promise<{size, entries}> */
Napi::Value transfer_tree_on_thread(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int source_fd, root_fd;
  if (!get_argument(info, 0, source_fd) || !get_argument(info, 2, root_fd)) return env.Undefined();
  auto source = keep(env, source_fd), root = keep(env, root_fd);
  if (!source || !root) return env.Undefined();
  auto stats = std::make_shared<PackStats>();
  return run_on_thread(
      env,
      [=, packing = read_packing(Options(info[1])), unpacking = read_unpacking(Options(info[3]))]() -> Status {
        return transfer(std::move(*source), packing, std::move(*root), unpacking, *stats);
      },
      [stats](Napi::Env env) { return describe(env, *stats); });
}

/** listChanges(tree, base, options): Promise<string[]> */
Napi::Value list_changes_on_thread(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int tree_fd, base_fd;
  if (!get_arguments(info, tree_fd, base_fd)) return env.Undefined();
  Options options(info[2]);
  auto tree = keep(env, tree_fd), base = keep(env, base_fd);
  if (!tree || !base) return env.Undefined();
  auto changes = std::make_shared<Changes>();
  bool upper = options.flag("upper");
  return run_on_thread(
      env,
      [=, marks = read_marks(options)]() -> Status {
        return list_changes(std::move(*tree), base->get(), upper, marks, *changes);
      },
      [changes](Napi::Env env) {
        Napi::Array list = Napi::Array::New(env, changes->size());
        uint32_t at = 0;
        for (const auto &[path, kind] : *changes) list.Set(at++, Napi::String::New(env, std::string(1, kind) + " " + path));
        return list;
      });
}

/** The first bytes of a decoded file. */
class HeadSink : public DecodedSink {
 public:
  explicit HeadSink(size_t size) : head_(size) {}
  uint8_t *room(size_t &size) override {
    size = head_.size() - used;
    return size == 0 ? nullptr : head_.data() + used;
  }
  void written(size_t size) override { used += size; }
  const uint8_t *data() const { return head_.data(); }
  size_t used = 0;

 private:
  std::vector<uint8_t> head_;
};

/** decodeHead(input, size): Buffer | undefined */
Napi::Value decode_head(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int input, size;
  if (!get_arguments(info, input, size)) return env.Undefined();
  constexpr size_t kPiece = 64 << 10;
  // bzip2 gives nothing before it has seen a block of up to 900 kB.
  constexpr off_t kMost = 4 << 20;
  HeadSink sink(static_cast<size_t>(std::clamp(size, 1, 1 << 16)));
  std::vector<uint8_t> piece(kPiece);
  std::unique_ptr<Decoder> decoder;
  size_t room;
  for (off_t at = 0; at < kMost && sink.room(room) != nullptr;) {
    ssize_t count = pread(input, piece.data(), piece.size(), at);
    if (count <= 0) break;
    size_t length = static_cast<size_t>(count);
    if (!decoder && make_decoder(piece.data(), length, decoder)) return env.Undefined();
    if (decoder->decode(piece.data(), length, sink)) return env.Undefined();
    at += count;
  }
  return Napi::Buffer<uint8_t>::Copy(env, sink.data(), sink.used);
}

/** Decoded bytes on their way to a descriptor. */
class FileSink : public DecodedSink {
 public:
  explicit FileSink(int fd) : fd_(fd), buffer_(1 << 18) {}
  uint8_t *room(size_t &size) override {
    size = failure ? 0 : buffer_.size();
    return failure ? nullptr : buffer_.data();
  }
  void written(size_t size) override {
    for (size_t at = 0; at < size && !failure;) {
      ssize_t count = write(fd_, buffer_.data() + at, size - at);
      if (count >= 0) at += static_cast<size_t>(count);
      else if (errno != EINTR) failure = system_failure(errno, "write");
    }
  }
  Status failure;

 private:
  int fd_;
  std::vector<uint8_t> buffer_;
};

Status decode_all(int input, int output) {
  std::vector<uint8_t> piece(1 << 18);
  std::unique_ptr<Decoder> decoder;
  FileSink sink(output);
  for (;;) {
    ssize_t count = read(input, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(errno, "read");
    if (count == 0) break;
    size_t length = static_cast<size_t>(count);
    if (!decoder) {
      if (Status failure = make_decoder(piece.data(), length, decoder)) return failure;
    }
    Status failure = decoder->decode(piece.data(), length, sink);
    if (sink.failure) return std::move(sink.failure);
    if (failure) return failure;
  }
  return decoder ? decoder->finish() : Status{};
}

/** decodeFile(input, output): Promise<void> */
Napi::Value decode_file_on_thread(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int input_fd, output_fd;
  if (!get_arguments(info, input_fd, output_fd)) return env.Undefined();
  auto input = keep(env, input_fd), output = keep(env, output_fd);
  if (!input || !output) return env.Undefined();
  return run_on_thread(
      env, [=]() -> Status { return decode_all(input->get(), output->get()); },
      [](Napi::Env env) { return env.Undefined(); });
}

}  // namespace

void export_archives(Napi::Env env, Napi::Object exports) {
  exports.Set("packTree", Napi::Function::New(env, pack_tree_on_thread, "packTree"));
  exports.Set("decodeHead", Napi::Function::New(env, decode_head, "decodeHead"));
  exports.Set("decodeFile", Napi::Function::New(env, decode_file_on_thread, "decodeFile"));
  exports.Set("unpackTree", Napi::Function::New(env, unpack_tree_on_thread, "unpackTree"));
  exports.Set("transferTree", Napi::Function::New(env, transfer_tree_on_thread, "transferTree"));
  exports.Set("listChanges", Napi::Function::New(env, list_changes_on_thread, "listChanges"));
}

}  // namespace wherry

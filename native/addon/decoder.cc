#include "decoder.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "compressed_decoders.h"

namespace wherry {
namespace {

template <typename Function>
bool look_up(Function &function, const char *name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

class PlainDecoder : public Decoder {
 public:
  Status decode(const uint8_t *data, size_t size, DecodedSink &sink) override {
    while (size > 0) {
      size_t room = 0;
      uint8_t *target = sink.room(room);
      if (target == nullptr) return {};
      size_t part = std::min(room, size);
      memcpy(target, data, part);
      sink.written(part);
      data += part;
      size -= part;
    }
    return {};
  }
  Status finish() override { return {}; }
  bool is_plain() const override { return true; }
};

/** ZSTD_inBuffer and ZSTD_outBuffer of zstd.h, stable since 1.0. */
struct ZstdInput {
  const void *data;
  size_t size;
  size_t position;
};
struct ZstdOutput {
  void *data;
  size_t size;
  size_t position;
};

/** The zstd inside Node (22.15 and newer). Its limit for the window, 128 MiB, bounds the memory. */
class ZstdDecoder : public Decoder {
 public:
  ~ZstdDecoder() override {
    if (context_ != nullptr) free_(context_);
  }

  Status start() {
    void *(*create)() = nullptr;
    if (!look_up(create, "ZSTD_createDCtx") || !look_up(free_, "ZSTD_freeDCtx") ||
        !look_up(decompress_, "ZSTD_decompressStream") || !look_up(is_error_, "ZSTD_isError") ||
        !look_up(error_name_, "ZSTD_getErrorName")) {
      return own_failure("ENOTSUP", "this Node does not offer its zstd, so zstd layers can't be unpacked");
    }
    context_ = create();
    if (context_ == nullptr) return system_failure(ENOMEM, "ZSTD_createDCtx");
    return {};
  }

  Status decode(const uint8_t *data, size_t size, DecodedSink &sink) override {
    ZstdInput input = {data, size, 0};
    for (;;) {
      size_t room = 0;
      uint8_t *target = sink.room(room);
      if (target == nullptr) return {};
      ZstdOutput output = {target, room, 0};
      size_t result = decompress_(context_, &output, &input);
      sink.written(output.position);
      if (is_error_(result)) return own_failure("EBADLAYER", std::string("broken zstd data: ") + error_name_(result));
      complete_ = result == 0;
      // A full output may hide more of it; otherwise all input is used.
      if (input.position == input.size && output.position < output.size) return {};
      if (complete_ && input.position == input.size) return {};
    }
  }

  Status finish() override {
    if (complete_) return {};
    return own_failure("EBADLAYER", "unexpected end of the zstd data");
  }

 private:
  void *context_ = nullptr;
  bool complete_ = false;
  size_t (*free_)(void *) = nullptr;
  size_t (*decompress_)(void *, ZstdOutput *, ZstdInput *) = nullptr;
  unsigned (*is_error_)(size_t) = nullptr;
  const char *(*error_name_)(size_t) = nullptr;
};

template <typename Kind>
Status start_decoder(std::unique_ptr<Decoder> &decoder) {
  auto kind = std::make_unique<Kind>();
  if (Status failure = kind->start()) return failure;
  decoder = std::move(kind);
  return {};
}

bool starts_with(const uint8_t *data, size_t size, const char *magic, size_t length) {
  return size >= length && memcmp(data, magic, length) == 0;
}

}  // namespace

Status make_decoder(const uint8_t *first, size_t size, std::unique_ptr<Decoder> &decoder) {
  if (starts_with(first, size, "\x1f\x8b\x08", 3)) {
    decoder = make_gzip_decoder();
    return {};
  }
  if (starts_with(first, size, "\x28\xb5\x2f\xfd", 4)) return start_decoder<ZstdDecoder>(decoder);
  // A frame that decoders skip, as zstd:chunked and pzstd put one first: 0x184D2A50 to 0x184D2A5F.
  if (size >= 4 && (first[0] & 0xf0) == 0x50 && starts_with(first + 1, size - 1, "\x2a\x4d\x18", 3)) {
    return start_decoder<ZstdDecoder>(decoder);
  }
  if (starts_with(first, size, "BZh", 3)) {
    decoder = make_bzip2_decoder();
  } else if (starts_with(first, size, "\xfd" "7zXZ", 5)) {
    decoder = make_xz_decoder();
  } else {
    decoder = std::make_unique<PlainDecoder>();
  }
  return {};
}

}  // namespace wherry

#pragma once

/** Our decoder of deflate beside zlib's, on the same bytes in pieces of other sizes. */
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "../../native/addon/inflate.h"

namespace wherry {

constexpr size_t kMaxInflated = 256 << 10;

struct Inflated {
  std::vector<uint8_t> bytes;
  /** As zlib's inflate: 1 at the end of the stream, -3 when it is broken, otherwise input is missing. */
  int result = 0;
  /** What behind the stream was not taken. */
  size_t left = 0;
};

/** Pieces and rooms are memory of their own, so that a sanitizer sees what is beyond them. */
inline Inflated inflate_here(const std::vector<uint8_t> &input, size_t piece, size_t room) {
  Inflated inflated;
  auto inflater = std::make_unique<Inflater>();
  inflater->start();
  for (size_t at = 0; at < input.size() || at == 0; at += piece) {
    size_t size = std::min(piece, input.size() - at);
    std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
    std::copy_n(input.begin() + static_cast<long>(at), size, copy.get());
    const uint8_t *next = copy.get(), *end = next + size;
    for (;;) {
      std::unique_ptr<uint8_t[]> out(new uint8_t[room]);
      size_t written = 0;
      Inflater::Result result = inflater->run(next, end, out.get(), room, written);
      inflated.bytes.insert(inflated.bytes.end(), out.get(), out.get() + written);
      if (inflated.bytes.size() > kMaxInflated) return inflated;
      if (result == Inflater::Result::kNeedsRoom) continue;
      if (result == Inflater::Result::kNeedsInput) break;
      inflated.result = result == Inflater::Result::kEnd ? 1 : -3;
      if (inflated.result == 1) {
        uint8_t byte;
        while (inflater->next_byte(next, end, byte)) ++inflated.left;
        inflated.left += input.size() - at - size;
      }
      return inflated;
    }
  }
  return inflated;
}

/** False when there is no zlib here, or it makes more than `kMaxInflated` bytes of it. */
inline bool inflate_by_zlib(const std::vector<uint8_t> &input, Inflated &inflated) {
  /** z_stream of zlib.h, unchanged since 1.0. */
  struct Stream {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *message;
    void *state, *allocate, *free, *opaque;
    int data_type;
    unsigned long adler, reserved;
  };
  static const auto init = reinterpret_cast<int (*)(Stream *, int, const char *, int)>(dlsym(RTLD_DEFAULT, "inflateInit2_"));
  static const auto inflate = reinterpret_cast<int (*)(Stream *, int)>(dlsym(RTLD_DEFAULT, "inflate"));
  static const auto end = reinterpret_cast<int (*)(Stream *)>(dlsym(RTLD_DEFAULT, "inflateEnd"));
  if (init == nullptr || inflate == nullptr || end == nullptr) return false;
  Stream stream = {};
  if (init(&stream, -15, "1.2.11", sizeof stream) != 0) return false;
  inflated.bytes.resize(kMaxInflated);
  stream.next_in = input.data();
  stream.avail_in = static_cast<unsigned>(input.size());
  stream.next_out = inflated.bytes.data();
  stream.avail_out = static_cast<unsigned>(inflated.bytes.size());
  int result = inflate(&stream, 0);
  inflated.result = result == 1 || result == -3 ? result : 0;
  inflated.left = result == 1 ? stream.avail_in : 0;
  inflated.bytes.resize(inflated.bytes.size() - stream.avail_out);
  end(&stream);
  return inflated.bytes.size() < kMaxInflated;
}

/** The same outcome and the same bytes; of a broken stream both have some of what is before the fault. */
inline bool agrees_with_zlib(const std::vector<uint8_t> &input, size_t piece, size_t room) {
  Inflated theirs, ours = inflate_here(input, piece, room);
  if (!inflate_by_zlib(input, theirs)) return true;
  auto both = static_cast<long>(std::min(ours.bytes.size(), theirs.bytes.size()));
  // Of a block whose codes for lengths have no code zlib reads all lengths before it says that there are none.
  bool refuses_earlier = ours.result == -3 && theirs.result == 0;
  bool same = (ours.result == theirs.result || refuses_earlier) && ours.left == theirs.left &&
              std::equal(ours.bytes.begin(), ours.bytes.begin() + both, theirs.bytes.begin()) &&
              (ours.result == -3 || ours.bytes.size() == theirs.bytes.size());
  if (!same) {
    fprintf(stderr, "inflate: %d, %zu bytes, %zu left; zlib's: %d, %zu bytes, %zu left\n", ours.result, ours.bytes.size(),
            ours.left, theirs.result, theirs.bytes.size(), theirs.left);
  }
  return same;
}

}  // namespace wherry

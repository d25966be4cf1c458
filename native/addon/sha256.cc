#include "sha256.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

namespace wherry {
namespace {

/** OpenSSL's digest functions, the same since 1.1. Looked up at run time, since a Node may be built without them. */
struct OpenSsl {
  void *(*new_context)() = nullptr;
  void (*free_context)(void *) = nullptr;
  const void *(*sha256)() = nullptr;
  int (*start)(void *, const void *, void *) = nullptr;
  int (*update)(void *, const void *, size_t) = nullptr;
  int (*finish)(void *, unsigned char *, unsigned *) = nullptr;

  bool complete() const { return new_context && free_context && sha256 && start && update && finish; }
};

template <typename Function>
void look_up(Function &function, const char *name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

const OpenSsl &openssl() {
  static const OpenSsl functions = [] {
    OpenSsl found;
    look_up(found.new_context, "EVP_MD_CTX_new");
    look_up(found.free_context, "EVP_MD_CTX_free");
    look_up(found.sha256, "EVP_sha256");
    look_up(found.start, "EVP_DigestInit_ex");
    look_up(found.update, "EVP_DigestUpdate");
    look_up(found.finish, "EVP_DigestFinal_ex");
    return found;
  }();
  return functions;
}

// FIPS 180-4, section 4.2.2.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t rotate(uint32_t value, int bits) { return (value >> bits) | (value << (32 - bits)); }

}  // namespace

Sha256::Sha256() {
  memcpy(state_, kInitial, sizeof state_);
  const OpenSsl &ssl = openssl();
  if (!ssl.complete()) return;
  context_ = ssl.new_context();
  if (context_ != nullptr && ssl.start(context_, ssl.sha256(), nullptr) != 1) {
    ssl.free_context(context_);
    context_ = nullptr;
  }
}

Sha256::~Sha256() {
  if (context_ != nullptr) openssl().free_context(context_);
}

void Sha256::update(const uint8_t *data, size_t size) {
  if (context_ != nullptr) {
    openssl().update(context_, data, size);
    return;
  }
  total_ += size;
  while (size > 0) {
    if (pending_size_ == 0 && size >= 64) {
      compress(data);
      data += 64;
      size -= 64;
      continue;
    }
    size_t part = std::min(size, sizeof pending_ - pending_size_);
    memcpy(pending_ + pending_size_, data, part);
    pending_size_ += part;
    data += part;
    size -= part;
    if (pending_size_ < sizeof pending_) continue;
    compress(pending_);
    pending_size_ = 0;
  }
}

void Sha256::compress(const uint8_t *block) {
  uint32_t words[64];
  for (int i = 0; i < 16; ++i) {
    words[i] = uint32_t{block[4 * i]} << 24 | uint32_t{block[4 * i + 1]} << 16 | uint32_t{block[4 * i + 2]} << 8 |
               block[4 * i + 3];
  }
  for (int i = 16; i < 64; ++i) {
    uint32_t small0 = rotate(words[i - 15], 7) ^ rotate(words[i - 15], 18) ^ (words[i - 15] >> 3);
    uint32_t small1 = rotate(words[i - 2], 17) ^ rotate(words[i - 2], 19) ^ (words[i - 2] >> 10);
    words[i] = words[i - 16] + small0 + words[i - 7] + small1;
  }
  uint32_t s[8];
  memcpy(s, state_, sizeof s);
  for (int i = 0; i < 64; ++i) {
    uint32_t big1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
    uint32_t first = s[7] + big1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kRound[i] + words[i];
    uint32_t big0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
    uint32_t second = big0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += first;
    s[0] = first + second;
  }
  for (int i = 0; i < 8; ++i) state_[i] += s[i];
}

std::string Sha256::digest() {
  uint8_t bytes[32];
  if (context_ != nullptr) {
    unsigned length = sizeof bytes;
    openssl().finish(context_, bytes, &length);
  } else {
    uint64_t bits = total_ * 8;
    const uint8_t end = 0x80, zero = 0;
    update(&end, 1);
    while (pending_size_ != 56) update(&zero, 1);
    uint8_t length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    update(length, 8);
    for (int i = 0; i < 32; ++i) bytes[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  std::string text = "sha256:";
  for (uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace wherry

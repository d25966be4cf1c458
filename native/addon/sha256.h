#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

/** SHA-256 by the OpenSSL inside Node (which uses the processor's instructions), else by our own code. */
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256 &) = delete;
  Sha256 &operator=(const Sha256 &) = delete;

  void update(const uint8_t *data, size_t size);
  /** `sha256:<hex>`. Nothing may be added afterwards. */
  std::string digest();

 private:
  void compress(const uint8_t *block);

  void *context_ = nullptr;
  uint32_t state_[8];
  uint8_t pending_[64];
  size_t pending_size_ = 0;
  uint64_t total_ = 0;
};

}  // namespace wherry

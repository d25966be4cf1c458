#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "failure.h"

namespace wherry {

/** Where decoded bytes go: gives room to write to, then is told how much was written. Null: stop. */
class DecodedSink {
 public:
  virtual ~DecodedSink() = default;
  virtual uint8_t *room(size_t &size) = 0;
  virtual void written(size_t size) = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /** Decodes all of the input. A sink that stops is not a failure. */
  virtual Status decode(const uint8_t *data, size_t size, DecodedSink &sink) = 0;
  /** At the end of the input: a failure when that came too early. */
  virtual Status finish() = 0;
  /** What comes out is what goes in. */
  virtual bool is_plain() const { return false; }
};

/** How many first bytes `make_decoder` wants to see (it takes fewer at the end of the input). */
constexpr size_t kSniffSize = 6;

/** gzip, bzip2 and xz (several members too), zstd or plain bytes, told by the first ones. */
Status make_decoder(const uint8_t *first, size_t size, std::unique_ptr<Decoder> &decoder);

}  // namespace wherry

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "decoder.h"

namespace wherry {

/** The chunks of LZMA2 and the window that they share. What it reads may be anything. */
class Lzma2 {
 public:
  /** False: the dictionary is larger than we allow. */
  bool start(uint8_t dictionary);

  enum class Result { kMore, kChunk, kEnd, kBroken, kStopped };
  /** Decodes the chunk at `data`, of which `used` bytes are then done; kMore: it is not all there yet. */
  Result chunk(const uint8_t *data, size_t size, size_t &used, DecodedSink &sink);

  /** What the chunk gave, in up to two pieces. */
  struct Piece {
    const uint8_t *data;
    size_t size;
  };
  Piece pieces[2] = {};

 private:
  class Range;
  struct Lengths {
    uint16_t choice, choice2, low[16][8], middle[16][8], high[256];
  };

  bool decode(const uint8_t *data, size_t size, size_t unpacked);
  unsigned length(Range &range, Lengths &lengths, unsigned position);
  bool copy(size_t distance, unsigned length, size_t &left);
  void put(uint8_t byte);
  uint8_t back(size_t distance) const;
  void reset_state();
  bool set_properties(uint8_t byte);
  void mark() { begin_ = position_; }
  bool give_out(DecodedSink &sink, size_t size);

  std::unique_ptr<uint8_t[]> window_;
  size_t capacity_ = 0, dictionary_ = 0, position_ = 0, begin_ = 0;
  /** Bytes since the dictionary was forgotten. */
  uint64_t total_ = 0;
  bool has_dictionary_ = false, has_properties_ = false, has_state_ = false;
  unsigned lc_ = 0, lp_ = 0, pb_ = 0, state_ = 0;
  uint32_t rep_[4] = {};
  uint16_t literal_[0x300 << 4], is_match_[12][16], is_rep_[12], is_rep0_[12], is_rep1_[12], is_rep2_[12],
      is_rep0_long_[12][16], slot_[4][64], special_[128], align_[16];
  Lengths match_length_, rep_length_;
};

}  // namespace wherry

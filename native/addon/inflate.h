#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry {

/**
 * Decodes deflate (RFC 1951) in pieces of any size. Refuses what zlib refuses. Every read and write is checked
 * against the ends of its buffer: the input is a stranger's.
 *
 * Codes of up to 11 bits (of distances up to 8) are looked up in one table, longer ones in a second; the next 56 to
 * 63 bits are in a register, which gets all of them with one load; matches are copied 16 bytes at a time.
 */
class Inflater {
 public:
  enum class Result { kNeedsInput, kNeedsRoom, kEnd, kBroken };

  /** A new stream, of the bytes that come next. */
  void start();

  /**
   * `in` moves on over what was taken. `written`: bytes that are now at `out`; what is in `out` behind them is
   * undefined. `kNeedsInput` and `kNeedsRoom`: of the input all is taken, of the room all is used.
   */
  Result run(const uint8_t *&in, const uint8_t *in_end, uint8_t *out, size_t room, size_t &written);

  /** After `kEnd`: the next of the bytes behind the stream, some of which may have been taken already. */
  bool next_byte(const uint8_t *&in, const uint8_t *in_end, uint8_t &byte);

  /** After `kBroken`. */
  const char *reason() const { return reason_; }

 private:
  enum class State { kBlock, kStoredSize, kStored, kTableSizes, kCodeLengthLengths, kLengths, kSymbols, kEnd };
  enum class Step { kOn, kNeedsInput, kNeedsRoom, kBroken };

  struct FixedTables;

  static constexpr unsigned kLiteralBits = 11, kDistanceBits = 8, kLengthBits = 7;
  static constexpr size_t kLiterals = 288, kDistances = 32, kLengthCodes = 19;
  /** The most entries that tables of that many symbols and first bits can have (zlib's examples/enough.c). */
  static constexpr size_t kLiteralTable = 2342, kDistanceTable = 402, kLengthTable = 128;
  static constexpr size_t kWindow = 32768;

  struct Output {
    uint8_t *begin, *at, *end;
  };

  void fill(const uint8_t *&in, const uint8_t *in_end);
  bool take(unsigned size, const uint8_t *&in, const uint8_t *in_end, uint64_t &value);
  Step broken(const char *reason);
  Step read_block(const uint8_t *&in, const uint8_t *in_end);
  Step read_lengths(const uint8_t *&in, const uint8_t *in_end);
  Step copy_stored(const uint8_t *&in, const uint8_t *in_end, Output &output);
  Step decode_fast(const uint8_t *&in, const uint8_t *in_end, Output &output);
  Step decode_loop(const uint8_t *&in, const uint8_t *in_end, Output &output);
  Step decode_plain(const uint8_t *&in, const uint8_t *in_end, Output &output);
  Step decode_bmi2(const uint8_t *&in, const uint8_t *in_end, Output &output);
  Step decode_slowly(const uint8_t *&in, const uint8_t *in_end, Output &output);
  bool reaches(const Output &output, size_t distance) const;
  void copy_match(Output &output, size_t distance, size_t size) const;
  bool copy_pending(Output &output);
  void remember(const uint8_t *data, size_t size);
  Step make_tables();

  State state_ = State::kBlock;
  bool is_last_ = false;
  /** The next bits of the stream, lowest first; zeros above `count_`. */
  uint64_t bits_ = 0;
  unsigned count_ = 0;
  const char *reason_ = nullptr;

  size_t stored_ = 0;
  /** What of a match did not fit the room. */
  size_t pending_size_ = 0, pending_distance_ = 0;

  size_t literals_ = 0, distances_ = 0, length_codes_ = 0, lengths_read_ = 0;
  uint8_t lengths_[kLiterals + kDistances + kLengthCodes];
  uint32_t length_table_[kLengthTable];
  uint32_t literal_table_[kLiteralTable];
  uint32_t distance_table_[kDistanceTable];
  /** Those of this block: its own, or the fixed ones. */
  const uint32_t *literal_codes_ = nullptr, *distance_codes_ = nullptr;

  /** The last output before this run's; room for twice what is needed, so that it is seldom moved. */
  size_t window_size_ = 0;
  uint8_t window_[2 * kWindow];
};

}  // namespace wherry

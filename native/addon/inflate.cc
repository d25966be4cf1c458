#include "inflate.h"

#include <endian.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace wherry {
namespace {

// An entry of a table. Bits 0 to 7: how many bits of the stream it stands for, extra ones included; 8 to 11: how many
// of them are the code; 16 to 30: the literal, or the least length or distance.
constexpr uint32_t kLiteral = 1u << 31;
/** No literal, length or distance: an error when neither of the two that follow is set. */
constexpr uint32_t kSpecial = 1u << 15;
/** Another table follows, at the index in bits 16 to 30, of as many bits as 8 to 11 say. */
constexpr uint32_t kPointer = 1u << 14;
constexpr uint32_t kEndOfBlock = 1u << 13;

constexpr unsigned kLongestCode = 15;

constexpr uint32_t value_of(uint32_t entry) { return entry >> 16 & 0x7fff; }
constexpr unsigned bits_of(uint32_t entry) { return entry & 0xff; }
constexpr unsigned code_bits_of(uint32_t entry) { return entry >> 8 & 15; }
constexpr uint64_t low_bits(uint64_t bits, unsigned size) { return bits & ((uint64_t{1} << size) - 1); }

/** The value with its extra bits; `bits` begins with the code. */
constexpr size_t whole_value(uint32_t entry, uint64_t bits) {
  return value_of(entry) + static_cast<size_t>(low_bits(bits, bits_of(entry)) >> code_bits_of(entry));
}

/** RFC 1951, section 3.2.5. Symbols beyond those in use stay errors. */
constexpr std::array<uint32_t, 288> make_literal_meanings() {
  std::array<uint32_t, 288> meanings{};
  for (uint32_t symbol = 0; symbol < 256; ++symbol) meanings[symbol] = kLiteral | symbol << 16;
  meanings[256] = kSpecial | kEndOfBlock;
  uint32_t length = 3;
  for (uint32_t symbol = 257; symbol < 285; ++symbol) {
    uint32_t extra = symbol < 265 ? 0 : (symbol - 261) / 4;
    meanings[symbol] = length << 16 | extra;
    length += 1u << extra;
  }
  meanings[285] = 258u << 16;
  meanings[286] = meanings[287] = kSpecial;
  return meanings;
}

constexpr std::array<uint32_t, 32> make_distance_meanings() {
  std::array<uint32_t, 32> meanings{};
  uint32_t distance = 1;
  for (uint32_t symbol = 0; symbol < 30; ++symbol) {
    uint32_t extra = symbol < 4 ? 0 : (symbol - 2) / 2;
    meanings[symbol] = distance << 16 | extra;
    distance += 1u << extra;
  }
  meanings[30] = meanings[31] = kSpecial;
  return meanings;
}

constexpr std::array<uint32_t, 19> make_length_meanings() {
  std::array<uint32_t, 19> meanings{};
  for (uint32_t symbol = 0; symbol < 19; ++symbol) meanings[symbol] = symbol << 16;
  return meanings;
}

constexpr auto kLiteralMeanings = make_literal_meanings();
constexpr auto kDistanceMeanings = make_distance_meanings();
constexpr auto kLengthMeanings = make_length_meanings();
constexpr uint8_t kLengthOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/**
 * The tables of a canonical Huffman code: the first of `root` bits, those of longer codes behind it. False when it is
 * no prefix code, or one that is not complete; as in zlib a code of one bit may be alone, and there may be none.
 */
bool make_table(const uint8_t *lengths, size_t symbols, const uint32_t *meanings, unsigned root, uint32_t *table,
                size_t size) {
  unsigned counts[kLongestCode + 1] = {};
  for (size_t symbol = 0; symbol < symbols; ++symbol) ++counts[lengths[symbol]];
  unsigned longest = kLongestCode;
  while (longest > 0 && counts[longest] == 0) --longest;
  int unused = 1;
  for (unsigned length = 1; length <= longest; ++length) {
    unused = 2 * unused - static_cast<int>(counts[length]);
    if (unused < 0) return false;
  }
  if (unused > 0) {
    if (longest > 1) return false;
    std::fill_n(table, size_t{1} << root, kSpecial | 1);
  }

  unsigned starts[kLongestCode + 2] = {};
  for (unsigned length = 1; length <= longest; ++length) starts[length + 1] = starts[length] + counts[length];
  uint16_t sorted[288];
  for (size_t symbol = 0; symbol < symbols; ++symbol) {
    if (lengths[symbol] > 0) sorted[starts[lengths[symbol]]++] = static_cast<uint16_t>(symbol);
  }

  // Codes are read from their highest bit on, which is the lowest of the stream: `code` has them turned around.
  size_t code = 0, used = size_t{1} << root, start = 0, prefix = SIZE_MAX, next = 0;
  unsigned more = 0;
  for (unsigned length = 1; length <= longest; ++length) {
    for (; counts[length] > 0; --counts[length]) {
      uint32_t meaning = meanings[sorted[next++]];
      if (length <= root) {
        uint32_t entry = (meaning + length) | length << 8;
        for (size_t index = code; index < size_t{1} << root; index += size_t{1} << length) table[index] = entry;
      } else {
        size_t first = code & ((size_t{1} << root) - 1);
        if (first != prefix) {
          prefix = first;
          more = length - root;
          // As many bits as the codes take that are left and begin so.
          int left = (1 << more) - static_cast<int>(counts[length]);
          while (left > 0 && root + more < longest) left = 2 * left - static_cast<int>(counts[root + ++more]);
          start = used;
          used += size_t{1} << more;
          if (used > size) return false;
          table[first] = kSpecial | kPointer | static_cast<uint32_t>(start) << 16 | more << 8 | root;
        }
        uint32_t entry = (meaning + (length - root)) | (length - root) << 8;
        for (size_t index = code >> root; index < size_t{1} << more; index += size_t{1} << (length - root)) {
          table[start + index] = entry;
        }
      }
      size_t bit = size_t{1} << (length - 1);
      while ((code & bit) != 0) bit >>= 1;
      code = bit == 0 ? 0 : (code & (bit - 1)) + bit;
    }
  }
  return true;
}

/** What a round of the loop that looks at the ends once may read and write, and what it takes to begin with it. */
constexpr ptrdiff_t kFastInput = 32, kFastRoom = 320, kFastStart = kFastInput + 8;

inline void copy_16(uint8_t *to, const uint8_t *from) { memcpy(to, from, 16); }

/** May write up to 31 bytes more; all that it reads has been written before. */
inline uint8_t *copy_wide(uint8_t *to, size_t distance, size_t size) {
  uint8_t *end = to + size;
  if (distance < 16) {
    if (distance == 1) {
      uint8_t byte = to[-1];
      do {
        memset(to, byte, 16);
        to += 16;
      } while (to < end);
      return end;
    }
    // The first 16 one by one; then the same pattern is found at a distance that is large enough.
    for (int i = 0; i < 16; ++i) to[i] = (to - distance)[i];
    to += 16;
    distance *= (15 + distance) / distance;
    if (to >= end) return end;
  }
  const uint8_t *from = to - distance;
  do {
    copy_16(to, from);
    to += 16;
    from += 16;
  } while (to < end);
  return end;
}

}  // namespace

/** RFC 1951, section 3.2.6. */
struct Inflater::FixedTables {
  uint32_t literals[kLiteralTable], distances[kDistanceTable];

  FixedTables() {
    uint8_t lengths[kLiterals];
    std::fill_n(lengths, 288, 8);
    std::fill_n(lengths + 144, 112, 9);
    std::fill_n(lengths + 256, 24, 7);
    make_table(lengths, kLiterals, kLiteralMeanings.data(), kLiteralBits, literals, kLiteralTable);
    std::fill_n(lengths, kDistances, 5);
    make_table(lengths, kDistances, kDistanceMeanings.data(), kDistanceBits, distances, kDistanceTable);
  }
};

void Inflater::start() {
  state_ = State::kBlock;
  is_last_ = false;
  stored_ = pending_size_ = 0;
  window_size_ = 0;
}

Inflater::Step Inflater::broken(const char *reason) {
  reason_ = reason;
  return Step::kBroken;
}

/** Up to 56 bits and more. */
void Inflater::fill(const uint8_t *&in, const uint8_t *in_end) {
  while (count_ < 56 && in < in_end) {
    bits_ |= uint64_t{*in++} << count_;
    count_ += 8;
  }
}

bool Inflater::take(unsigned size, const uint8_t *&in, const uint8_t *in_end, uint64_t &value) {
  if (count_ < size) fill(in, in_end);
  if (count_ < size) return false;
  value = low_bits(bits_, size);
  bits_ >>= size;
  count_ -= size;
  return true;
}

bool Inflater::next_byte(const uint8_t *&in, const uint8_t *in_end, uint8_t &byte) {
  bits_ >>= count_ & 7;
  count_ &= ~7u;
  uint64_t value = 0;
  if (count_ == 0 && in < in_end) {
    byte = *in++;
    return true;
  }
  if (!take(8, in, in_end, value)) return false;
  byte = static_cast<uint8_t>(value);
  return true;
}

Inflater::Step Inflater::read_block(const uint8_t *&in, const uint8_t *in_end) {
  uint64_t value;
  if (state_ == State::kBlock) {
    if (!take(3, in, in_end, value)) return Step::kNeedsInput;
    is_last_ = (value & 1) != 0;
    static const FixedTables fixed;
    switch (value >> 1) {
      case 0:
        bits_ >>= count_ & 7;
        count_ &= ~7u;
        state_ = State::kStoredSize;
        return Step::kOn;
      case 1:
        literal_codes_ = fixed.literals;
        distance_codes_ = fixed.distances;
        state_ = State::kSymbols;
        return Step::kOn;
      case 2:
        state_ = State::kTableSizes;
        return Step::kOn;
      default:
        return broken("invalid block type");
    }
  }
  if (state_ == State::kStoredSize) {
    if (!take(32, in, in_end, value)) return Step::kNeedsInput;
    stored_ = value & 0xffff;
    if (stored_ != (~value >> 16 & 0xffff)) return broken("invalid stored block lengths");
    state_ = State::kStored;
    return Step::kOn;
  }
  if (!take(14, in, in_end, value)) return Step::kNeedsInput;
  literals_ = 257 + (value & 31);
  distances_ = 1 + (value >> 5 & 31);
  length_codes_ = 4 + (value >> 10);
  if (literals_ > 286 || distances_ > 30) return broken("too many length or distance symbols");
  memset(lengths_, 0, sizeof lengths_);
  lengths_read_ = 0;
  state_ = State::kCodeLengthLengths;
  return Step::kOn;
}

/** RFC 1951, section 3.2.7. The lengths of the codes for lengths are the last 19. */
Inflater::Step Inflater::read_lengths(const uint8_t *&in, const uint8_t *in_end) {
  uint64_t value;
  if (state_ == State::kCodeLengthLengths) {
    uint8_t *lengths = lengths_ + kLiterals + kDistances;
    for (; lengths_read_ < length_codes_; ++lengths_read_) {
      if (!take(3, in, in_end, value)) return Step::kNeedsInput;
      lengths[kLengthOrder[lengths_read_]] = static_cast<uint8_t>(value);
    }
    // Of these even a single one has to be complete.
    if (!make_table(lengths, kLengthCodes, kLengthMeanings.data(), kLengthBits, length_table_, kLengthTable) ||
        std::count(length_table_, length_table_ + kLengthTable, kSpecial | 1) > 0) {
      return broken("invalid code lengths set");
    }
    lengths_read_ = 0;
    state_ = State::kLengths;
  }
  const size_t all = literals_ + distances_;
  while (lengths_read_ < all) {
    if (count_ < 14) fill(in, in_end);
    uint32_t entry = length_table_[low_bits(bits_, kLengthBits)];
    uint32_t symbol = value_of(entry);
    unsigned extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    unsigned needed = bits_of(entry) + extra;
    if (count_ < needed) return Step::kNeedsInput;
    size_t times = 1 + static_cast<size_t>(low_bits(bits_ >> bits_of(entry), extra));
    uint8_t length = static_cast<uint8_t>(symbol);
    if (symbol >= 16) {
      times += symbol == 18 ? 10 : 2;
      if (symbol == 16 && lengths_read_ == 0) return broken("invalid bit length repeat");
      length = symbol == 16 ? lengths_[lengths_read_ - 1] : 0;
      if (times > all - lengths_read_) return broken("invalid bit length repeat");
    }
    bits_ >>= needed;
    count_ -= needed;
    memset(lengths_ + lengths_read_, length, times);
    lengths_read_ += times;
  }
  return make_tables();
}

Inflater::Step Inflater::make_tables() {
  if (lengths_[256] == 0) return broken("invalid code -- missing end-of-block");
  if (!make_table(lengths_, literals_, kLiteralMeanings.data(), kLiteralBits, literal_table_, kLiteralTable)) {
    return broken("invalid literal/lengths set");
  }
  if (!make_table(lengths_ + literals_, distances_, kDistanceMeanings.data(), kDistanceBits, distance_table_, kDistanceTable)) {
    return broken("invalid distances set");
  }
  literal_codes_ = literal_table_;
  distance_codes_ = distance_table_;
  state_ = State::kSymbols;
  return Step::kOn;
}

Inflater::Step Inflater::copy_stored(const uint8_t *&in, const uint8_t *in_end, Output &output) {
  // Those that have been taken from the input already.
  while (stored_ > 0 && count_ > 0) {
    if (output.at == output.end) return Step::kNeedsRoom;
    *output.at++ = static_cast<uint8_t>(bits_);
    bits_ >>= 8;
    count_ -= 8;
    --stored_;
  }
  size_t size = std::min({stored_, static_cast<size_t>(in_end - in), static_cast<size_t>(output.end - output.at)});
  if (size > 0) memcpy(output.at, in, size);
  in += size;
  output.at += size;
  stored_ -= size;
  if (stored_ > 0) return output.at == output.end ? Step::kNeedsRoom : Step::kNeedsInput;
  state_ = is_last_ ? State::kEnd : State::kBlock;
  return Step::kOn;
}

/** Whether there is something at that distance. */
bool Inflater::reaches(const Output &output, size_t distance) const {
  return distance <= static_cast<size_t>(output.at - output.begin) + std::min(window_size_, kWindow);
}

/** The distance has been checked, and there is room. */
void Inflater::copy_match(Output &output, size_t distance, size_t size) const {
  size_t here = static_cast<size_t>(output.at - output.begin);
  if (distance > here) {
    size_t back = distance - here, part = std::min(back, size);
    memcpy(output.at, window_ + window_size_ - back, part);
    output.at += part;
    size -= part;
  }
  for (; size > 0; --size, ++output.at) *output.at = *(output.at - distance);
}

/** False when the room is too small again. */
bool Inflater::copy_pending(Output &output) {
  size_t size = std::min(pending_size_, static_cast<size_t>(output.end - output.at));
  copy_match(output, pending_distance_, size);
  pending_size_ -= size;
  return pending_size_ == 0;
}

/** One after the other, each as a whole or not at all; until there is enough of input and room to be fast. */
Inflater::Step Inflater::decode_slowly(const uint8_t *&in, const uint8_t *in_end, Output &output) {
  do {
    fill(in, in_end);
    uint64_t bits = bits_;
    unsigned used = 0;
    uint32_t entry = literal_codes_[low_bits(bits, kLiteralBits)];
    if ((entry & kPointer) != 0) {
      used = kLiteralBits;
      entry = literal_codes_[value_of(entry) + low_bits(bits >> used, code_bits_of(entry))];
    }
    if (used + bits_of(entry) > count_) return Step::kNeedsInput;
    bits >>= used;
    used += bits_of(entry);
    if ((entry & kLiteral) != 0) {
      if (output.at == output.end) return Step::kNeedsRoom;
      *output.at++ = static_cast<uint8_t>(value_of(entry));
    } else if ((entry & kSpecial) != 0) {
      if ((entry & kEndOfBlock) == 0) return broken("invalid literal/length code");
      state_ = is_last_ ? State::kEnd : State::kBlock;
    } else {
      size_t size = whole_value(entry, bits);
      bits >>= bits_of(entry);
      uint32_t far = distance_codes_[low_bits(bits, kDistanceBits)];
      if ((far & kPointer) != 0) {
        used += kDistanceBits;
        bits >>= kDistanceBits;
        far = distance_codes_[value_of(far) + low_bits(bits, code_bits_of(far))];
      }
      used += bits_of(far);
      if (used > count_) return Step::kNeedsInput;
      if ((far & kSpecial) != 0) return broken("invalid distance code");
      size_t distance = whole_value(far, bits);
      if (!reaches(output, distance)) return broken("invalid distance too far back");
      if (output.at == output.end) return Step::kNeedsRoom;
      size_t part = std::min(size, static_cast<size_t>(output.end - output.at));
      copy_match(output, distance, part);
      pending_size_ = size - part;
      pending_distance_ = distance;
    }
    bits_ >>= used;
    count_ -= used;
    if (pending_size_ > 0) return Step::kNeedsRoom;
  } while (state_ == State::kSymbols && (in_end - in < kFastStart || output.end - output.at < kFastRoom));
  return Step::kOn;
}

/**
 * The same with one look at the ends a round, which is three literals, or two and a match. A round reads at most three
 * times eight bytes and goes on by at most 21, and writes at most 3 + 258 + 31 bytes.
 */
__attribute__((always_inline)) inline Inflater::Step Inflater::decode_loop(const uint8_t *&in, const uint8_t *in_end,
                                                                           Output &output) {
  const uint8_t *next = in;
  const uint8_t *const last_input = in_end - kFastInput;
  uint8_t *at = output.at;
  uint8_t *const last_room = output.end - kFastRoom;
  const uint32_t *const literals = literal_codes_, *const distances = distance_codes_;
  uint64_t bits = bits_;
  unsigned count = count_;
  Step step = Step::kOn;

  // What is above `count` is right, too: the next refill puts the same there once more.
  auto refill = [&] {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    bits |= le64toh(word) << count;
    next += (63 - count) >> 3;
    count |= 56;
  };
  auto use = [&](uint32_t entry) {
    bits >>= bits_of(entry);
    count -= bits_of(entry);
  };

  refill();
  uint32_t entry = literals[low_bits(bits, kLiteralBits)];
  while (next <= last_input && at <= last_room) {
    // Here are at least 56 bits: enough for two codes of 11, one of 15 with 5 extra, and to look up the distance.
    uint64_t before = bits;
    use(entry);
    if ((entry & kLiteral) != 0) {
      *at++ = static_cast<uint8_t>(entry >> 16);
      entry = literals[low_bits(bits, kLiteralBits)];
      before = bits;
      use(entry);
      if ((entry & kLiteral) != 0) {
        *at++ = static_cast<uint8_t>(entry >> 16);
        entry = literals[low_bits(bits, kLiteralBits)];
        before = bits;
        use(entry);
        if ((entry & kLiteral) != 0) {
          *at++ = static_cast<uint8_t>(entry >> 16);
          entry = literals[low_bits(bits, kLiteralBits)];
          refill();
          continue;
        }
      }
    }
    if ((entry & kSpecial) != 0) {
      if ((entry & kPointer) != 0) {
        entry = literals[value_of(entry) + low_bits(bits, code_bits_of(entry))];
        before = bits;
        use(entry);
        if ((entry & kLiteral) != 0) {
          *at++ = static_cast<uint8_t>(entry >> 16);
          entry = literals[low_bits(bits, kLiteralBits)];
          refill();
          continue;
        }
      }
      if ((entry & kSpecial) != 0) {
        if ((entry & kEndOfBlock) == 0) {
          step = broken("invalid literal/length code");
        } else {
          state_ = is_last_ ? State::kEnd : State::kBlock;
        }
        break;
      }
    }
    size_t size = whole_value(entry, before);
    uint32_t far = distances[low_bits(bits, kDistanceBits)];
    refill();
    if ((far & kSpecial) != 0) {
      if ((far & kPointer) != 0) {
        use(far & 0xff);
        far = distances[value_of(far) + low_bits(bits, code_bits_of(far))];
      }
      if ((far & kSpecial) != 0) {
        step = broken("invalid distance code");
        break;
      }
    }
    size_t distance = whole_value(far, bits);
    use(far);
    entry = literals[low_bits(bits, kLiteralBits)];
    refill();
    if (distance <= static_cast<size_t>(at - output.begin)) {
      at = copy_wide(at, distance, size);
      continue;
    }
    output.at = at;
    if (!reaches(output, distance)) {
      step = broken("invalid distance too far back");
      break;
    }
    copy_match(output, distance, size);
    at = output.at;
  }
  output.at = at;
  // Whole bytes that were not needed go back; those of an earlier input, which came first, can't and stay.
  unsigned back = std::min(count >> 3, static_cast<unsigned>(std::min<ptrdiff_t>(next - in, 8)));
  count_ = count - 8 * back;
  bits_ = low_bits(bits, count_);
  in = next - back;
  return step;
}

Inflater::Step Inflater::decode_plain(const uint8_t *&in, const uint8_t *in_end, Output &output) {
  return decode_loop(in, in_end, output);
}

#if defined(__x86_64__)

/** Shifts by a register's value without a detour through CL. */
__attribute__((target("bmi,bmi2"))) Inflater::Step Inflater::decode_bmi2(const uint8_t *&in, const uint8_t *in_end,
                                                                         Output &output) {
  return decode_loop(in, in_end, output);
}

Inflater::Step Inflater::decode_fast(const uint8_t *&in, const uint8_t *in_end, Output &output) {
  static const bool has_bmi2 = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  return has_bmi2 ? decode_bmi2(in, in_end, output) : decode_plain(in, in_end, output);
}

#else

Inflater::Step Inflater::decode_fast(const uint8_t *&in, const uint8_t *in_end, Output &output) {
  return decode_plain(in, in_end, output);
}

#endif

/** Keeps the last output for the matches of the next runs. */
void Inflater::remember(const uint8_t *data, size_t size) {
  if (size >= kWindow) {
    memcpy(window_, data + size - kWindow, kWindow);
    window_size_ = kWindow;
    return;
  }
  if (window_size_ + size > sizeof window_) {
    memmove(window_, window_ + window_size_ - kWindow, kWindow);
    window_size_ = kWindow;
  }
  if (size > 0) memcpy(window_ + window_size_, data, size);
  window_size_ += size;
}

Inflater::Result Inflater::run(const uint8_t *&in, const uint8_t *in_end, uint8_t *out, size_t room, size_t &written) {
  Output output = {out, out, out + room};
  Step step = pending_size_ > 0 && !copy_pending(output) ? Step::kNeedsRoom : Step::kOn;
  while (step == Step::kOn && state_ != State::kEnd) {
    switch (state_) {
      case State::kBlock:
      case State::kStoredSize:
      case State::kTableSizes:
        step = read_block(in, in_end);
        break;
      case State::kStored:
        step = copy_stored(in, in_end, output);
        break;
      case State::kCodeLengthLengths:
      case State::kLengths:
        step = read_lengths(in, in_end);
        break;
      default:
        step = in_end - in >= kFastStart && output.end - output.at >= kFastRoom ? decode_fast(in, in_end, output)
                                                                                  : decode_slowly(in, in_end, output);
    }
  }
  written = static_cast<size_t>(output.at - output.begin);
  remember(output.begin, written);
  if (step == Step::kBroken) return Result::kBroken;
  if (step == Step::kNeedsInput) return Result::kNeedsInput;
  return step == Step::kNeedsRoom ? Result::kNeedsRoom : Result::kEnd;
}

}  // namespace wherry

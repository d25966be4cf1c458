#include "lzma.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "compressed_decoders.h"

namespace wherry {
namespace {

constexpr unsigned kBits = 11, kMove = 5;
constexpr uint16_t kHalf = 1 << (kBits - 1);
/** A chunk gives at most 2 MiB, which have to be in the window until they are given out. */
constexpr size_t kMinWindow = 4 << 20;
/** `xz -9` asks for 64 MiB; more than this would be somebody's attack on our memory. */
constexpr size_t kMaxDictionary = 256 << 20;

template <typename Array>
void fill(Array &array) {
  auto *first = reinterpret_cast<uint16_t *>(&array);
  std::fill(first, first + sizeof array / sizeof(uint16_t), kHalf);
}

}  // namespace

class Lzma2::Range {
 public:
  Range(const uint8_t *data, size_t size) : at_(data), end_(data + size) {
    overrun_ = next() != 0;
    for (int i = 0; i < 4; ++i) code_ = code_ << 8 | next();
  }

  unsigned bit(uint16_t &probability) {
    normalize();
    uint32_t bound = (range_ >> kBits) * probability;
    if (code_ < bound) {
      range_ = bound;
      probability = static_cast<uint16_t>(probability + (((1 << kBits) - probability) >> kMove));
      return 0;
    }
    range_ -= bound;
    code_ -= bound;
    probability = static_cast<uint16_t>(probability - (probability >> kMove));
    return 1;
  }

  unsigned tree(uint16_t *probabilities, unsigned bits) {
    unsigned symbol = 1;
    for (unsigned i = 0; i < bits; ++i) symbol = symbol << 1 | bit(probabilities[symbol]);
    return symbol - (1U << bits);
  }

  unsigned reverse_tree(uint16_t *probabilities, unsigned bits) {
    unsigned symbol = 1, value = 0;
    for (unsigned i = 0; i < bits; ++i) {
      unsigned one = bit(probabilities[symbol]);
      symbol = symbol << 1 | one;
      value |= one << i;
    }
    return value;
  }

  uint32_t direct(unsigned bits) {
    uint32_t value = 0;
    while (bits-- > 0) {
      normalize();
      range_ >>= 1;
      uint32_t one = code_ >= range_ ? 1 : 0;
      if (one != 0) code_ -= range_;
      value = value << 1 | one;
    }
    return value;
  }

  bool overrun() const { return overrun_; }

 private:
  uint8_t next() {
    if (at_ < end_) return *at_++;
    overrun_ = true;
    return 0;
  }
  void normalize() {
    if (range_ >= 1U << 24) return;
    range_ <<= 8;
    code_ = code_ << 8 | next();
  }

  const uint8_t *at_, *end_;
  uint32_t range_ = UINT32_MAX, code_ = 0;
  bool overrun_ = false;
};

bool Lzma2::start(uint8_t dictionary) {
  if (dictionary > 39) return false;
  uint64_t size = (2ULL | (dictionary & 1)) << (dictionary / 2 + 11);
  if (size > kMaxDictionary) return false;
  dictionary_ = static_cast<size_t>(size);
  size_t capacity = std::max(dictionary_, kMinWindow);
  if (capacity > capacity_) {
    window_.reset(new (std::nothrow) uint8_t[capacity]);
    if (!window_) return false;
    capacity_ = capacity;
  }
  position_ = begin_ = 0;
  total_ = 0;
  has_dictionary_ = has_properties_ = has_state_ = false;
  return true;
}

void Lzma2::put(uint8_t byte) {
  window_[position_] = byte;
  if (++position_ == capacity_) position_ = 0;
  ++total_;
}

uint8_t Lzma2::back(size_t distance) const {
  return window_[position_ > distance ? position_ - distance - 1 : position_ + capacity_ - distance - 1];
}

bool Lzma2::copy(size_t distance, unsigned length, size_t &left) {
  if (distance >= total_ || distance >= dictionary_ || length > left) return false;
  left -= length;
  while (length-- > 0) put(back(distance));
  return true;
}

void Lzma2::reset_state() {
  state_ = 0;
  std::fill(rep_, rep_ + 4, 0);
  fill(literal_);
  fill(is_match_);
  fill(is_rep_);
  fill(is_rep0_);
  fill(is_rep1_);
  fill(is_rep2_);
  fill(is_rep0_long_);
  fill(slot_);
  fill(special_);
  fill(align_);
  fill(match_length_);
  fill(rep_length_);
  has_state_ = true;
}

bool Lzma2::set_properties(uint8_t byte) {
  if (byte >= 9 * 5 * 5) return false;
  lc_ = byte % 9;
  lp_ = byte / 9 % 5;
  pb_ = byte / 45;
  has_properties_ = lc_ + lp_ <= 4;
  return has_properties_;
}

unsigned Lzma2::length(Range &range, Lengths &lengths, unsigned position) {
  if (range.bit(lengths.choice) == 0) return 2 + range.tree(lengths.low[position], 3);
  if (range.bit(lengths.choice2) == 0) return 10 + range.tree(lengths.middle[position], 3);
  return 18 + range.tree(lengths.high, 8);
}

bool Lzma2::decode(const uint8_t *data, size_t size, size_t left) {
  Range range(data, size);
  while (left > 0) {
    if (range.overrun()) return false;
    unsigned position = static_cast<unsigned>(total_) & ((1U << pb_) - 1);
    if (range.bit(is_match_[state_][position]) == 0) {
      unsigned before = total_ > 0 ? back(0) : 0;
      unsigned context = ((static_cast<unsigned>(total_) & ((1U << lp_) - 1)) << lc_) + (before >> (8 - lc_));
      uint16_t *probabilities = literal_ + 0x300 * context;
      unsigned symbol = 1;
      if (state_ >= 7) {
        if (rep_[0] >= total_ || rep_[0] >= dictionary_) return false;
        unsigned match = back(rep_[0]);
        while (symbol < 0x100) {
          unsigned expected = match >> 7 & 1;
          match <<= 1;
          unsigned one = range.bit(probabilities[((1 + expected) << 8) + symbol]);
          symbol = symbol << 1 | one;
          if (one != expected) break;
        }
      }
      while (symbol < 0x100) symbol = symbol << 1 | range.bit(probabilities[symbol]);
      put(static_cast<uint8_t>(symbol));
      --left;
      state_ = state_ < 4 ? 0 : state_ < 10 ? state_ - 3 : state_ - 6;
      continue;
    }
    unsigned count;
    if (range.bit(is_rep_[state_]) == 0) {
      rep_[3] = rep_[2];
      rep_[2] = rep_[1];
      rep_[1] = rep_[0];
      count = length(range, match_length_, position);
      state_ = state_ < 7 ? 7 : 10;
      unsigned slot = range.tree(slot_[std::min(count - 2, 3U)], 6);
      if (slot < 4) {
        rep_[0] = slot;
      } else {
        unsigned bits = (slot >> 1) - 1;
        rep_[0] = (2 | (slot & 1)) << bits;
        if (slot < 14) {
          rep_[0] += range.reverse_tree(special_ + rep_[0] - slot, bits);
        } else {
          rep_[0] += range.direct(bits - 4) << 4;
          rep_[0] += range.reverse_tree(align_, 4);
        }
      }
    } else {
      if (range.bit(is_rep0_[state_]) == 0) {
        if (range.bit(is_rep0_long_[state_][position]) == 0) {
          state_ = state_ < 7 ? 9 : 11;
          if (!copy(rep_[0], 1, left)) return false;
          continue;
        }
      } else {
        uint32_t distance;
        if (range.bit(is_rep1_[state_]) == 0) {
          distance = rep_[1];
        } else {
          if (range.bit(is_rep2_[state_]) == 0) {
            distance = rep_[2];
          } else {
            distance = rep_[3];
            rep_[3] = rep_[2];
          }
          rep_[2] = rep_[1];
        }
        rep_[1] = rep_[0];
        rep_[0] = distance;
      }
      count = length(range, rep_length_, position);
      state_ = state_ < 7 ? 8 : 11;
    }
    if (!copy(rep_[0], count, left)) return false;
  }
  return !range.overrun();
}

bool Lzma2::give_out(DecodedSink &sink, size_t size) {
  size_t first = std::min(size, capacity_ - begin_);
  pieces[0] = {window_.get() + begin_, first};
  pieces[1] = {window_.get(), size - first};
  return give(sink, pieces[0].data, pieces[0].size) && give(sink, pieces[1].data, pieces[1].size);
}

Lzma2::Result Lzma2::chunk(const uint8_t *data, size_t size, size_t &used, DecodedSink &sink) {
  used = 0;
  pieces[0] = pieces[1] = {nullptr, 0};
  if (size == 0) return Result::kMore;
  unsigned control = data[0];
  if (control == 0) {
    used = 1;
    return Result::kEnd;
  }
  bool is_plain = control < 0x80;
  if (is_plain && control > 2) return Result::kBroken;
  bool new_properties = control >= 0xc0;
  size_t head = is_plain ? 3 : new_properties ? 6 : 5;
  if (size < head) return Result::kMore;
  size_t unpacked = (data[1] << 8 | data[2]) + 1U;
  if (!is_plain) unpacked += (control & 0x1fU) << 16;
  size_t packed = is_plain ? unpacked : (data[3] << 8 | data[4]) + 1U;
  if (size < head + packed) return Result::kMore;
  if (control == 1 || control >= 0xe0) {
    total_ = 0;
    has_dictionary_ = true;
  }
  if (!has_dictionary_) return Result::kBroken;
  mark();
  if (is_plain) {
    for (size_t at = 0; at < unpacked; ++at) put(data[head + at]);
  } else {
    if (new_properties && !set_properties(data[5])) return Result::kBroken;
    if (!has_properties_) return Result::kBroken;
    if (control >= 0xa0) reset_state();
    if (!has_state_ || !decode(data + head, packed, unpacked)) return Result::kBroken;
  }
  used = head + packed;
  return give_out(sink, unpacked) ? Result::kChunk : Result::kStopped;
}

}  // namespace wherry

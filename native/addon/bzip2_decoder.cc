#include <algorithm>
#include <array>
#include <vector>

#include "compressed_decoders.h"

namespace wherry {
namespace {

/** Bits of what is there so far; `short_of` is set when they do not suffice. */
class Bits {
 public:
  Bits(const std::vector<uint8_t> &data, size_t at) : data_(data), at_(at) {}

  uint32_t take(unsigned count) {
    uint32_t value = 0;
    while (count-- > 0) value = value << 1 | bit();
    return value;
  }
  unsigned bit() {
    if (at_ >= data_.size() * 8) {
      short_of = true;
      return 0;
    }
    unsigned value = data_[at_ >> 3] >> (7 - (at_ & 7)) & 1;
    ++at_;
    return value;
  }
  void align() { at_ = (at_ + 7) & ~size_t{7}; }
  size_t at() const { return at_; }

  bool short_of = false;

 private:
  const std::vector<uint8_t> &data_;
  size_t at_;
};

constexpr unsigned kMaxLength = 20, kGroup = 50, kMaxTables = 6, kMaxSymbols = 258;

/** A canonical Huffman code. */
struct Table {
  uint32_t limit[kMaxLength + 2], first[kMaxLength + 2];
  uint16_t symbols[kMaxSymbols];
  unsigned shortest, longest, count;

  bool build(const std::vector<uint8_t> &lengths) {
    count = static_cast<unsigned>(lengths.size());
    unsigned used[kMaxLength + 2] = {};
    shortest = kMaxLength;
    longest = 1;
    for (uint8_t length : lengths) {
      ++used[length];
      shortest = std::min<unsigned>(shortest, length);
      longest = std::max<unsigned>(longest, length);
    }
    unsigned at = 0;
    uint32_t code = 0;
    for (unsigned length = shortest; length <= longest; ++length) {
      first[length] = at - code;
      for (unsigned symbol = 0; symbol < count; ++symbol)
        if (lengths[symbol] == length) symbols[at++] = static_cast<uint16_t>(symbol);
      code += used[length];
      if (code > 1U << length) return false;
      limit[length] = code;
      code <<= 1;
    }
    return true;
  }

  /** -1: no such code. */
  int next(Bits &bits) const {
    uint32_t code = bits.take(shortest);
    for (unsigned length = shortest; length <= longest; ++length) {
      if (code < limit[length]) {
        uint32_t place = first[length] + code;
        return place < count ? symbols[place] : -1;
      }
      code = code << 1 | bits.bit();
    }
    return -1;
  }
};

uint32_t crc_of(uint32_t value, uint8_t byte) {
  static const auto table = [] {
    std::array<uint32_t, 256> values;
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t entry = i << 24;
      for (int bit = 0; bit < 8; ++bit) entry = (entry & 0x80000000U) != 0 ? entry << 1 ^ 0x04c11db7 : entry << 1;
      values[i] = entry;
    }
    return values;
  }();
  return value << 8 ^ table[value >> 24 ^ byte];
}

class Bzip2Decoder : public Decoder {
 public:
  Status decode(const uint8_t *data, size_t size, DecodedSink &sink) override {
    input_.insert(input_.end(), data, data + size);
    while (!stopped_) {
      Bits bits(input_, at_);
      Status failure = part(bits, sink);
      // What looks broken may only be cut off.
      if (bits.short_of) break;
      if (failure) return failure;
      at_ = bits.at();
    }
    input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(at_ / 8));
    at_ %= 8;
    return {};
  }

  Status finish() override {
    if (stopped_ || (!in_stream_ && at_ / 8 >= input_.size())) return {};
    return own_failure("EBADLAYER", "unexpected end of the bzip2 data");
  }

 private:
  static Failure broken(const char *what) {
    return own_failure("EBADLAYER", std::string("broken bzip2 data: ") + what);
  }

  Status part(Bits &bits, DecodedSink &sink) {
    if (!in_stream_) {
      uint32_t magic = bits.take(24), level = bits.take(8);
      if (bits.short_of) return {};
      if (magic != 0x425a68 || level < '1' || level > '9') return broken("header");
      limit_ = (level - '0') * 100000;
      in_stream_ = true;
      stream_sum_ = 0;
      return {};
    }
    uint32_t high = bits.take(24), low = bits.take(24), sum = bits.take(32);
    if (bits.short_of) return {};
    if (high == 0x177245 && low == 0x385090) {
      if (sum != stream_sum_) return broken("checksum");
      bits.align();
      in_stream_ = false;
      return {};
    }
    if (high != 0x314159 || low != 0x265359) return broken("block header");
    uint32_t origin = 0;
    if (Status failure = symbols(bits, origin)) return failure;
    if (bits.short_of) return {};
    if (origin >= block_.size()) return broken("origin");
    return write(origin, sum, sink);
  }

  /** Huffman codes and move-to-front: fills `block_`. */
  Status symbols(Bits &bits, uint32_t &origin) {
    if (bits.bit() != 0) return broken("a randomised block, which nothing writes any more");
    origin = bits.take(24);
    std::vector<uint8_t> alphabet;
    uint32_t groups = bits.take(16);
    for (unsigned group = 0; group < 16; ++group) {
      if ((groups >> (15 - group) & 1) == 0) continue;
      uint32_t used = bits.take(16);
      for (unsigned i = 0; i < 16; ++i)
        if ((used >> (15 - i) & 1) != 0) alphabet.push_back(static_cast<uint8_t>(group * 16 + i));
    }
    if (alphabet.empty()) return broken("alphabet");
    unsigned size = static_cast<unsigned>(alphabet.size()) + 2;
    unsigned tables = bits.take(3), selectors = bits.take(15);
    if (tables < 2 || tables > kMaxTables || selectors == 0) return broken("tables");
    uint8_t order[kMaxTables] = {0, 1, 2, 3, 4, 5};
    std::vector<uint8_t> chosen;
    for (unsigned i = 0; i < selectors; ++i) {
      unsigned place = 0;
      while (bits.bit() != 0) {
        if (++place >= tables) return broken("selector");
      }
      if (bits.short_of) return {};
      std::rotate(order, order + place, order + place + 1);
      chosen.push_back(order[0]);
    }
    Table codes[kMaxTables];
    for (unsigned t = 0; t < tables; ++t) {
      std::vector<uint8_t> lengths;
      unsigned length = bits.take(5);
      for (unsigned i = 0; i < size; ++i) {
        for (;;) {
          if (bits.short_of) return {};
          if (length < 1 || length > kMaxLength) return broken("code length");
          if (bits.bit() == 0) break;
          length = bits.bit() == 0 ? length + 1 : length - 1;
        }
        lengths.push_back(static_cast<uint8_t>(length));
      }
      if (!codes[t].build(lengths)) return broken("code");
    }
    return read_block(bits, codes, chosen, alphabet);
  }

  Status read_block(Bits &bits, const Table *codes, const std::vector<uint8_t> &chosen, std::vector<uint8_t> &front) {
    block_.clear();
    const int end = static_cast<int>(front.size()) + 1;
    uint64_t run = 0, weight = 1;
    for (size_t count = 0;; ++count) {
      if (count / kGroup >= chosen.size()) return broken("selectors");
      int symbol = codes[chosen[count / kGroup]].next(bits);
      if (bits.short_of) return {};
      if (symbol < 0) return broken("symbol");
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > limit_) return broken("run");
        continue;
      }
      if (run > limit_ - block_.size()) return broken("size");
      block_.insert(block_.end(), run, front[0]);
      run = 0;
      weight = 1;
      if (symbol == end) return {};
      if (block_.size() >= limit_) return broken("size");
      auto place = front.begin() + (symbol - 1);
      std::rotate(front.begin(), place, place + 1);
      block_.push_back(front[0]);
    }
  }

  /** Burrows-Wheeler and the runs of the first step. */
  Status write(uint32_t origin, uint32_t expected, DecodedSink &sink) {
    uint32_t starts[257] = {};
    for (uint32_t byte : block_) ++starts[(byte & 0xff) + 1];
    for (unsigned i = 1; i < 257; ++i) starts[i] += starts[i - 1];
    for (uint32_t i = 0; i < block_.size(); ++i) block_[starts[block_[i] & 0xff]++] |= i << 8;
    std::vector<uint8_t> output;
    uint32_t at = block_[origin] >> 8, sum = UINT32_MAX;
    unsigned same = 0;
    int last = -1;
    for (size_t i = 0; i < block_.size(); ++i) {
      uint8_t byte = static_cast<uint8_t>(block_[at] & 0xff);
      at = block_[at] >> 8;
      size_t times = 1;
      if (same == 4) {
        times = byte;
        byte = static_cast<uint8_t>(last);
        same = 0;
        last = -1;
      } else {
        same = byte == last ? same + 1 : 1;
        last = byte;
      }
      for (size_t n = 0; n < times; ++n) sum = crc_of(sum, byte);
      output.insert(output.end(), times, byte);
      if (output.size() > 1 << 20) {
        if (!give(sink, output.data(), output.size())) {
          stopped_ = true;
          return {};
        }
        output.clear();
      }
    }
    if (~sum != expected) return broken("checksum");
    stream_sum_ = (stream_sum_ << 1 | stream_sum_ >> 31) ^ expected;
    stopped_ = !give(sink, output.data(), output.size());
    return {};
  }

  std::vector<uint8_t> input_;
  /** In bits. */
  size_t at_ = 0;
  std::vector<uint32_t> block_;
  uint32_t limit_ = 0, stream_sum_ = 0;
  bool in_stream_ = false, stopped_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_bzip2_decoder() { return std::make_unique<Bzip2Decoder>(); }

}  // namespace wherry

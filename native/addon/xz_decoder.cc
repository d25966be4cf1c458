#include <array>
#include <cstring>
#include <vector>

#include "compressed_decoders.h"
#include "lzma.h"

namespace wherry {
namespace {

template <typename Value>
std::array<Value, 256> crc_table(Value polynomial) {
  std::array<Value, 256> table;
  for (unsigned i = 0; i < 256; ++i) {
    Value value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ polynomial : value >> 1;
    table[i] = value;
  }
  return table;
}

uint32_t crc32(uint32_t value, const uint8_t *data, size_t size) {
  static const auto table = crc_table<uint32_t>(0xedb88320);
  value = ~value;
  while (size-- > 0) value = table[(value ^ *data++) & 0xff] ^ value >> 8;
  return ~value;
}

uint64_t crc64(uint64_t value, const uint8_t *data, size_t size) {
  static const auto table = crc_table<uint64_t>(0xc96c5795d7870f42);
  value = ~value;
  while (size-- > 0) value = table[(value ^ *data++) & 0xff] ^ value >> 8;
  return ~value;
}

uint64_t little(const uint8_t *data, size_t size) {
  uint64_t value = 0;
  while (size-- > 0) value = value << 8 | data[size];
  return value;
}

constexpr size_t kHeader = 12;
constexpr unsigned kCrc32 = 1, kCrc64 = 4;
constexpr uint8_t kMagic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

class XzDecoder : public Decoder {
 public:
  Status decode(const uint8_t *data, size_t size, DecodedSink &sink) override {
    input_.insert(input_.end(), data, data + size);
    size_t at = 0;
    Status failure;
    while (!stopped_) {
      size_t used = 0;
      failure = step(input_.data() + at, input_.size() - at, used, sink);
      if (failure || used == 0) break;
      at += used;
    }
    input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(at));
    return failure;
  }

  Status finish() override {
    if (stopped_ || (part_ == Part::kBetween && input_.empty())) return {};
    return own_failure("EBADLAYER", "unexpected end of the xz data");
  }

 private:
  enum class Part { kStart, kBlock, kData, kPadding, kIndex, kFooter, kBetween };

  static Failure broken(const char *what) { return own_failure("EBADLAYER", std::string("broken xz data: ") + what); }

  /** Takes the next part; `used` stays 0 when it is not all there. */
  Status step(const uint8_t *data, size_t size, size_t &used, DecodedSink &sink) {
    switch (part_) {
      case Part::kBetween:
        if (size == 0) return {};
        if (data[0] == 0) {
          used = 1;
          return {};
        }
        part_ = Part::kStart;
        [[fallthrough]];
      case Part::kStart:
        return stream_header(data, size, used);
      case Part::kBlock:
        return block_header(data, size, used);
      case Part::kData:
        return block_data(data, size, used, sink);
      case Part::kPadding:
        return block_end(data, size, used);
      case Part::kIndex:
        return index(data, size, used);
      case Part::kFooter:
        if (size < kHeader) return {};
        if (data[10] != 'Y' || data[11] != 'Z' || crc32(0, data + 4, 6) != little(data, 4)) return broken("footer");
        used = kHeader;
        part_ = Part::kBetween;
    }
    return {};
  }

  Status stream_header(const uint8_t *data, size_t size, size_t &used) {
    if (size < kHeader) return {};
    if (memcmp(data, kMagic, sizeof kMagic) != 0 || data[6] != 0 || (data[7] & 0xf0) != 0 ||
        crc32(0, data + 6, 2) != little(data + 8, 4)) {
      return broken("stream header");
    }
    check_ = data[7];
    static constexpr uint8_t kSizes[16] = {0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};
    check_size_ = kSizes[check_];
    used = kHeader;
    part_ = Part::kBlock;
    return {};
  }

  static bool number(const uint8_t *data, size_t size, size_t &at, uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 63 && at < size; shift += 7) {
      uint8_t byte = data[at++];
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  Status block_header(const uint8_t *data, size_t size, size_t &used) {
    if (size == 0) return {};
    if (data[0] == 0) {
      part_ = Part::kIndex;
      return index(data, size, used);
    }
    size_t whole = (data[0] + 1U) * 4;
    if (size < whole) return {};
    if (crc32(0, data, whole - 4) != little(data + whole - 4, 4)) return broken("block header");
    size_t at = 2, end = whole - 4;
    uint64_t value;
    if ((data[1] & 0x3f) != 0) return own_failure("EBADLAYER", "xz data with filters, which are not supported");
    if ((data[1] & 0x40) != 0 && !number(data, end, at, value)) return broken("block header");
    if ((data[1] & 0x80) != 0 && !number(data, end, at, value)) return broken("block header");
    uint64_t filter, length;
    if (!number(data, end, at, filter) || !number(data, end, at, length) || at >= end) return broken("block header");
    if (filter != 0x21 || length != 1) return own_failure("EBADLAYER", "xz data with filters, which are not supported");
    if (!lzma_.start(data[at])) return own_failure("EBADLAYER", "xz data with too large a dictionary");
    used = whole;
    packed_ = 0;
    sum32_ = 0;
    sum64_ = 0;
    part_ = Part::kData;
    return {};
  }

  Status block_data(const uint8_t *data, size_t size, size_t &used, DecodedSink &sink) {
    Lzma2::Result result = lzma_.chunk(data, size, used, sink);
    packed_ += used;
    for (const auto &[bytes, count] : lzma_.pieces) {
      if (check_ == kCrc32) sum32_ = crc32(sum32_, bytes, count);
      if (check_ == kCrc64) sum64_ = crc64(sum64_, bytes, count);
    }
    if (result == Lzma2::Result::kBroken) return broken("LZMA2");
    if (result == Lzma2::Result::kStopped) stopped_ = true;
    if (result == Lzma2::Result::kEnd) part_ = Part::kPadding;
    return {};
  }

  Status block_end(const uint8_t *data, size_t size, size_t &used) {
    size_t padding = (4 - packed_ % 4) % 4;
    if (size < padding + check_size_) return {};
    if (padding + check_size_ == 0) {
      part_ = Part::kBlock;
      return block_header(data, size, used);
    }
    const uint8_t *sum = data + padding;
    if ((check_ == kCrc32 && little(sum, 4) != sum32_) || (check_ == kCrc64 && little(sum, 8) != sum64_))
      return broken("checksum");
    used = padding + check_size_;
    part_ = Part::kBlock;
    return {};
  }

  /** Which blocks there were; only its end matters to us. */
  Status index(const uint8_t *data, size_t size, size_t &used) {
    size_t at = 1;
    uint64_t records, value;
    if (!number(data, size, at, records)) return size > 10 ? Status(broken("index")) : Status();
    for (uint64_t i = 0; i < records * 2; ++i) {
      if (!number(data, size, at, value)) return {};
    }
    size_t whole = (at + 3) / 4 * 4 + 4;
    if (size < whole) return {};
    if (crc32(0, data, whole - 4) != little(data + whole - 4, 4)) return broken("index");
    used = whole;
    part_ = Part::kFooter;
    return {};
  }

  std::vector<uint8_t> input_;
  Part part_ = Part::kStart;
  Lzma2 lzma_;
  unsigned check_ = 0;
  size_t check_size_ = 0;
  uint64_t packed_ = 0;
  uint32_t sum32_ = 0;
  uint64_t sum64_ = 0;
  bool stopped_ = false;
};

}  // namespace

bool give(DecodedSink &sink, const uint8_t *data, size_t size) {
  while (size > 0) {
    size_t room = 0;
    uint8_t *target = sink.room(room);
    if (target == nullptr) return false;
    size_t part = room < size ? room : size;
    memcpy(target, data, part);
    sink.written(part);
    data += part;
    size -= part;
  }
  return true;
}

std::unique_ptr<Decoder> make_xz_decoder() { return std::make_unique<XzDecoder>(); }

}  // namespace wherry

#include <cstdlib>

#include "compressed_decoders.h"
#include "crc32.h"
#include "inflate.h"

namespace wherry {
namespace {

/** RFC 1952, section 2.3. */
constexpr uint8_t kHeaderChecksum = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0;
constexpr size_t kFixedHeader = 10, kTrailer = 8;

/** gzip: members one after the other, each a header, a deflate stream, and its checksum and size. */
class GzipDecoder : public Decoder {
 public:
  Status decode(const uint8_t *data, size_t size, DecodedSink &sink) override {
    const uint8_t *end = data + size;
    for (;;) {
      uint8_t byte;
      switch (state_) {
        case State::kBody: {
          size_t room = 0, written = 0;
          uint8_t *target = sink.room(room);
          if (target == nullptr) return {};
          Inflater::Result result = inflater_.run(data, end, target, room, written);
          checksum_ = crc32(checksum_, target, written);
          size_ += static_cast<uint32_t>(written);
          sink.written(written);
          if (result == Inflater::Result::kNeedsInput) return {};
          if (result == Inflater::Result::kBroken) return broken(inflater_.reason());
          if (result == Inflater::Result::kEnd) expect(State::kEnd, kTrailer);
          break;
        }
        case State::kBetween:
          // Some tools pad with zeros after the last member; anything else must be another member.
          if (!inflater_.next_byte(data, end, byte)) return {};
          if (byte == 0) {
            padded_ = true;
            break;
          }
          if (padded_) return broken("garbage after the end of the gzip data");
          begin_member();
          if (Status failure = read_header(byte)) return failure;
          break;
        case State::kEnd:
          if (!inflater_.next_byte(data, end, byte)) return {};
          field_ |= uint64_t{byte} << (8 * (kTrailer - left_));
          if (--left_ > 0) break;
          if (static_cast<uint32_t>(field_) != checksum_) return broken("incorrect data check");
          if (static_cast<uint32_t>(field_ >> 32) != size_) return broken("incorrect length check");
          state_ = State::kBetween;
          break;
        default:
          if (!inflater_.next_byte(data, end, byte)) return {};
          if (Status failure = read_header(byte)) return failure;
      }
    }
  }

  Status finish() override {
    if (state_ == State::kBetween) return {};
    return own_failure("EBADLAYER", "unexpected end of the gzip data");
  }

 private:
  enum class State { kHeader, kExtraSize, kExtra, kName, kComment, kHeaderChecksum, kBody, kEnd, kBetween };

  static Failure broken(const char *what) { return own_failure("EBADLAYER", std::string("broken gzip data: ") + what); }

  void expect(State state, size_t bytes) {
    state_ = state;
    left_ = bytes;
    field_ = 0;
  }

  void begin_member() {
    expect(State::kHeader, kFixedHeader);
    header_checksum_ = checksum_ = size_ = 0;
    flags_ = 0;
  }

  /** The next part that the flags say is there. */
  void go_on_from(State state) {
    if (state < State::kExtraSize && (flags_ & kExtra) != 0) return expect(State::kExtraSize, 2);
    if (state < State::kName && (flags_ & kName) != 0) return expect(State::kName, 0);
    if (state < State::kComment && (flags_ & kComment) != 0) return expect(State::kComment, 0);
    if (state < State::kHeaderChecksum && (flags_ & kHeaderChecksum) != 0) return expect(State::kHeaderChecksum, 2);
    state_ = State::kBody;
    inflater_.start();
  }

  Status read_header(uint8_t byte) {
    const uint32_t checksum_before = header_checksum_;
    header_checksum_ = crc32(header_checksum_, &byte, 1);
    switch (state_) {
      case State::kHeader: {
        size_t at = kFixedHeader - left_;
        static constexpr uint8_t kMagic[] = {0x1f, 0x8b};
        if (at < sizeof kMagic && byte != kMagic[at]) return broken("incorrect header check");
        if (at == 2 && byte != 8) return broken("unknown compression method");
        if (at == 3) flags_ = byte;
        if (at == 3 && (flags_ & kReserved) != 0) return broken("unknown header flags set");
        if (--left_ == 0) go_on_from(state_);
        return {};
      }
      case State::kExtraSize:
      case State::kHeaderChecksum:
        field_ |= uint64_t{byte} << (left_ == 2 ? 0 : 8);
        if (--left_ > 0) {
          if (state_ == State::kHeaderChecksum) expected_ = checksum_before & 0xffff;
          return {};
        }
        if (state_ == State::kHeaderChecksum && field_ != expected_) return broken("header crc mismatch");
        if (state_ == State::kExtraSize && field_ > 0) {
          expect(State::kExtra, static_cast<size_t>(field_));
        } else {
          go_on_from(state_ == State::kExtraSize ? State::kExtra : state_);
        }
        return {};
      case State::kExtra:
        if (--left_ == 0) go_on_from(state_);
        return {};
      default:
        if (byte == 0) go_on_from(state_);
        return {};
    }
  }

  Inflater inflater_;
  State state_ = State::kHeader;
  /** Bytes of this part that are still to come, and the number that they are. */
  size_t left_ = kFixedHeader;
  uint64_t field_ = 0;
  uint8_t flags_ = 0;
  uint32_t header_checksum_ = 0, expected_ = 0;
  uint32_t checksum_ = 0, size_ = 0;
  bool padded_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() { return std::make_unique<GzipDecoder>(); }

}  // namespace wherry

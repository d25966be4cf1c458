#include "gzip.h"

#include <errno.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace wherry {

namespace {

// Matches of at least kMinMatch bytes are looked for among the last kProbes places with the same hash (RFC 1951
// allows lengths of 3 to 258 and distances up to 32 KiB).
constexpr size_t kWindow = 32 * 1024;
constexpr size_t kMinMatch = 4, kMaxMatch = 258;
constexpr int kProbes = 8;
constexpr int kHashBits = 15;
constexpr size_t kChunk = 256 * 1024;
constexpr size_t kInput = kWindow + kChunk;
constexpr size_t kTokens = 32 * 1024;

struct Range {
  uint16_t base;
  uint8_t extra;
};
// RFC 1951, section 3.2.5.
constexpr Range kLengths[29] = {{3, 0},  {4, 0},  {5, 0},  {6, 0},  {7, 0},  {8, 0},  {9, 0},   {10, 0},  {11, 1},  {13, 1},
                                {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3},  {43, 3},  {51, 3},  {59, 3},
                                {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
constexpr Range kDistances[30] = {{1, 0},    {2, 0},    {3, 0},    {4, 0},     {5, 1},     {7, 1},    {9, 2},    {13, 2},
                                  {17, 3},   {25, 3},   {33, 4},   {49, 4},    {65, 5},    {97, 5},   {129, 6},  {193, 6},
                                  {257, 7},  {385, 7},  {513, 8},  {769, 8},   {1025, 9},  {1537, 9}, {2049, 10}, {3073, 10},
                                  {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};
constexpr size_t kLiterals = 286, kEnd = 256;
constexpr uint8_t kCodeOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

// Deflate, no name, no time, Unix (RFC 1952, section 2.3).
constexpr uint8_t kHead[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

uint32_t crc_table[256];

void make_crc_table() {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0);
    crc_table[byte] = value;
  }
}

template <size_t N>
size_t range_of(const Range (&ranges)[N], size_t value) {
  size_t low = 0, high = N;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (ranges[middle].base <= value) low = middle;
    else high = middle;
  }
  return low;
}

// Lengths of a prefix code for symbols that occur so often, none longer than `limit`, by merging the two rarest
// again and again; counts are flattened until it is short enough.
void code_lengths(const uint32_t* counts, size_t symbols, int limit, uint8_t* lengths) {
  static uint32_t weight[2 * kLiterals];
  static uint16_t parent[2 * kLiterals];
  static uint16_t heap[2 * kLiterals];
  for (int flatten = 0;; flatten++) {
    size_t used = 0, nodes = symbols;
    memset(lengths, 0, symbols);
    auto sift = [&](size_t at) {
      for (size_t child; (child = 2 * at + 1) < used; at = child) {
        if (child + 1 < used && weight[heap[child + 1]] < weight[heap[child]]) child++;
        if (weight[heap[at]] <= weight[heap[child]]) return;
        uint16_t other = heap[at];
        heap[at] = heap[child];
        heap[child] = other;
      }
    };
    for (size_t symbol = 0; symbol < symbols; symbol++) {
      if (counts[symbol] == 0) continue;
      weight[symbol] = (counts[symbol] >> flatten) + 1;
      heap[used++] = static_cast<uint16_t>(symbol);
    }
    // One symbol alone still needs a code of one bit.
    if (used == 1) lengths[heap[0]] = 1;
    if (used <= 1) return;
    for (size_t at = used / 2; at-- > 0;) sift(at);
    while (used > 1) {
      uint16_t first = heap[0];
      heap[0] = heap[--used];
      sift(0);
      uint16_t second = heap[0];
      parent[first] = parent[second] = static_cast<uint16_t>(nodes);
      weight[nodes] = weight[first] + weight[second];
      heap[0] = static_cast<uint16_t>(nodes++);
      sift(0);
    }
    int longest = 0;
    for (size_t symbol = 0; symbol < symbols; symbol++) {
      if (counts[symbol] == 0) continue;
      int length = 0;
      for (size_t node = symbol; node != nodes - 1; node = parent[node]) length++;
      lengths[symbol] = static_cast<uint8_t>(length);
      if (length > longest) longest = length;
    }
    if (longest <= limit) return;
  }
}

// The codes that belong to lengths (RFC 1951, section 3.2.2), with their bits in the order of the stream.
void codes_of(const uint8_t* lengths, size_t symbols, uint16_t* codes) {
  uint16_t next[16] = {}, count[16] = {};
  for (size_t symbol = 0; symbol < symbols; symbol++) count[lengths[symbol]]++;
  count[0] = 0;
  for (int bits = 1; bits < 16; bits++) next[bits] = static_cast<uint16_t>((next[bits - 1] + count[bits - 1]) << 1);
  for (size_t symbol = 0; symbol < symbols; symbol++) {
    unsigned code = lengths[symbol] != 0 ? next[lengths[symbol]]++ : 0;
    unsigned reversed = 0;
    for (int bit = 0; bit < lengths[symbol]; bit++) reversed |= ((code >> bit) & 1u) << (lengths[symbol] - 1 - bit);
    codes[symbol] = static_cast<uint16_t>(reversed);
  }
}

class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}

  void bits(uint32_t value, int count) {
    held_ |= static_cast<uint64_t>(value) << held_count_;
    held_count_ += count;
    while (held_count_ >= 8) {
      byte(static_cast<uint8_t>(held_));
      held_ >>= 8;
      held_count_ -= 8;
    }
  }
  void align() {
    if (held_count_ > 0) bits(0, 8 - held_count_);
  }
  void byte(uint8_t value) {
    buffer_[used_++] = value;
    if (used_ == sizeof buffer_) flush();
  }
  void u32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) byte(static_cast<uint8_t>(value >> shift));
  }
  bool flush() {
    for (size_t done = 0; ok_ && done < used_;) {
      ssize_t n = write(fd_, buffer_ + done, used_ - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) ok_ = false;
      else done += static_cast<size_t>(n);
    }
    used_ = 0;
    return ok_;
  }

 private:
  int fd_;
  bool ok_ = true;
  uint64_t held_ = 0;
  int held_count_ = 0;
  size_t used_ = 0;
  uint8_t buffer_[32 * 1024];
};

// One literal (distance 0) or match.
struct Token {
  uint16_t length;  // of the match, or the byte
  uint16_t distance;
};

class Deflater {
 public:
  explicit Deflater(Writer& out) : out_(out) { memset(head_, 0xff, sizeof head_); }

  // Takes the bytes [from, to) of the input; what is before them has been taken.
  void take(const uint8_t* input, size_t from, size_t to) {
    size_t at = from;
    while (at < to) {
      size_t distance = 0;
      size_t length = at + kMinMatch <= to ? find(input, at, to, &distance) : 0;
      if (length == 0) {
        add({input[at++], 0});
        continue;
      }
      add({static_cast<uint16_t>(length), static_cast<uint16_t>(distance)});
      for (size_t end = at + length; ++at < end;)
        if (at + kMinMatch <= to) enter(input, at);
    }
  }

  void slide(size_t by) { base_ += static_cast<uint32_t>(by); }

  void finish() {
    write_block(true);
    out_.align();
  }

 private:
  static uint32_t hash(const uint8_t* p) {
    uint32_t word;
    memcpy(&word, p, 4);
    return (word * 2654435761u) >> (32 - kHashBits);
  }

  // Positions count from the beginning of the file, modulo 2^32: what is further away than the window is not used.
  uint32_t enter(const uint8_t* input, size_t at) {
    uint32_t position = base_ + static_cast<uint32_t>(at);
    uint32_t key = hash(input + at);
    uint32_t before = head_[key];
    chain_[position % kWindow] = before;
    head_[key] = position;
    return before;
  }

  size_t find(const uint8_t* input, size_t at, size_t to, size_t* distance) {
    uint32_t position = base_ + static_cast<uint32_t>(at);
    uint32_t candidate = enter(input, at);
    size_t longest = kMinMatch - 1;
    size_t most = to - at < kMaxMatch ? to - at : kMaxMatch;
    for (int probe = 0; probe < kProbes; probe++) {
      uint32_t back = position - candidate;
      if (candidate == kNone || back == 0 || back > kWindow - kMaxMatch || back > at) break;
      const uint8_t* other = input + at - back;
      if (other[longest] == input[at + longest]) {
        size_t length = 0;
        while (length < most && other[length] == input[at + length]) length++;
        if (length > longest) {
          longest = length;
          *distance = back;
          if (length == most) break;
        }
      }
      candidate = chain_[candidate % kWindow];
    }
    return longest >= kMinMatch ? longest : 0;
  }

  void add(Token token) {
    tokens_[count_++] = token;
    if (count_ == kTokens) write_block(false);
  }

  void write_block(bool last) {
    uint32_t literal_counts[kLiterals] = {}, distance_counts[30] = {};
    for (size_t index = 0; index < count_; index++) {
      const Token& token = tokens_[index];
      if (token.distance == 0) {
        literal_counts[token.length]++;
      } else {
        literal_counts[257 + range_of(kLengths, token.length)]++;
        distance_counts[range_of(kDistances, token.distance)]++;
      }
    }
    literal_counts[kEnd] = 1;
    uint8_t lengths[kLiterals + 30];
    uint16_t literal_codes[kLiterals], distance_codes[30];
    code_lengths(literal_counts, kLiterals, 15, lengths);
    code_lengths(distance_counts, 30, 15, lengths + kLiterals);
    codes_of(lengths, kLiterals, literal_codes);
    codes_of(lengths + kLiterals, 30, distance_codes);
    out_.bits(last ? 1 : 0, 1);
    out_.bits(2, 2);
    write_lengths(lengths);
    const uint8_t* distance_lengths = lengths + kLiterals;
    for (size_t index = 0; index < count_; index++) {
      const Token& token = tokens_[index];
      if (token.distance == 0) {
        out_.bits(literal_codes[token.length], lengths[token.length]);
        continue;
      }
      size_t symbol = range_of(kLengths, token.length);
      out_.bits(literal_codes[257 + symbol], lengths[257 + symbol]);
      out_.bits(token.length - kLengths[symbol].base, kLengths[symbol].extra);
      symbol = range_of(kDistances, token.distance);
      out_.bits(distance_codes[symbol], distance_lengths[symbol]);
      out_.bits(token.distance - kDistances[symbol].base, kDistances[symbol].extra);
    }
    out_.bits(literal_codes[kEnd], lengths[kEnd]);
    count_ = 0;
  }

  // The table of both codes (RFC 1951, section 3.2.7), runs of zeros packed.
  void write_lengths(const uint8_t* lengths) {
    constexpr size_t kAll = kLiterals + 30;
    struct {
      uint8_t symbol, extra, bits;
    } runs[kAll];
    size_t count = 0;
    uint32_t counts[19] = {};
    for (size_t at = 0; at < kAll;) {
      size_t run = 1;
      while (at + run < kAll && lengths[at + run] == lengths[at]) run++;
      if (lengths[at] == 0 && run >= 3) {
        if (run > 138) run = 138;
        if (run <= 10) runs[count] = {17, static_cast<uint8_t>(run - 3), 3};
        else runs[count] = {18, static_cast<uint8_t>(run - 11), 7};
      } else {
        run = 1;
        runs[count] = {lengths[at], 0, 0};
      }
      counts[runs[count++].symbol]++;
      at += run;
    }
    uint8_t code_length[19];
    uint16_t codes[19];
    code_lengths(counts, 19, 7, code_length);
    codes_of(code_length, 19, codes);
    out_.bits(kLiterals - 257, 5);
    out_.bits(30 - 1, 5);
    out_.bits(19 - 4, 4);
    for (uint8_t symbol : kCodeOrder) out_.bits(code_length[symbol], 3);
    for (size_t index = 0; index < count; index++) {
      out_.bits(codes[runs[index].symbol], code_length[runs[index].symbol]);
      out_.bits(runs[index].extra, runs[index].bits);
    }
  }

  static constexpr uint32_t kNone = 0xffffffffu;

  Writer& out_;
  uint32_t base_ = 0;
  uint32_t head_[1 << kHashBits];
  uint32_t chain_[kWindow];
  Token tokens_[kTokens];
  size_t count_ = 0;
};

struct Work {
  explicit Work(int out) : writer(out), deflater(writer) {}
  Writer writer;
  Deflater deflater;
  uint8_t input[kInput];
};

}  // namespace

bool gzip(int in, int out) {
  Work* work = new Work(out);
  Writer& writer = work->writer;
  make_crc_table();
  uint32_t crc = 0xffffffffu, total = 0;
  for (uint8_t byte : kHead) writer.byte(byte);
  // The window that matches may reach back to is kept in front of each chunk.
  size_t kept = 0;
  bool ok = true;
  for (;;) {
    ssize_t n = read(in, work->input + kept, kChunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) ok = false;
    if (n <= 0) break;
    size_t end = kept + static_cast<size_t>(n);
    for (size_t at = kept; at < end; at++) crc = crc_table[(crc ^ work->input[at]) & 0xff] ^ (crc >> 8);
    total += static_cast<uint32_t>(n);
    work->deflater.take(work->input, kept, end);
    size_t drop = end > kWindow ? end - kWindow : 0;
    memmove(work->input, work->input + drop, end - drop);
    work->deflater.slide(drop);
    kept = end - drop;
  }
  work->deflater.finish();
  writer.u32(~crc);
  writer.u32(total);
  ok = writer.flush() && ok;
  delete work;
  return ok;
}

}  // namespace wherry

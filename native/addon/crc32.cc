#include "crc32.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wherry {
namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/** Of a byte, and of a byte with one to seven zeros behind it. */
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320 : 0);
    tables[0][byte] = value;
  }
  for (size_t zeros = 1; zeros < 8; ++zeros) {
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t value = tables[zeros - 1][byte];
      tables[zeros][byte] = (value >> 8) ^ tables[0][value & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

/** Eight bytes at a time. `state` is the checksum's complement. */
uint32_t by_tables(uint32_t state, const uint8_t *data, size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    uint32_t low = state ^ (uint32_t{data[0]} | uint32_t{data[1]} << 8 | uint32_t{data[2]} << 16 | uint32_t{data[3]} << 24);
    state = kTables[7][low & 255] ^ kTables[6][low >> 8 & 255] ^ kTables[5][low >> 16 & 255] ^ kTables[4][low >> 24] ^
            kTables[3][data[4]] ^ kTables[2][data[5]] ^ kTables[1][data[6]] ^ kTables[0][data[7]];
  }
  for (; size > 0; ++data, --size) state = (state >> 8) ^ kTables[0][(state ^ *data) & 255];
  return state;
}

#if defined(__x86_64__)

constexpr size_t kLeastFolded = 128;

__attribute__((target("pclmul,sse4.1"), always_inline)) inline __m128i fold(__m128i value, __m128i next, __m128i powers) {
  __m128i low = _mm_clmulepi64_si128(value, powers, 0x00), high = _mm_clmulepi64_si128(value, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/**
 * Multiplication without carries moves 64 bytes over the next 64 (V. Gopal et al., "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction", Intel 2009). The last 16 bytes that stand for all go through the tables.
 */
__attribute__((target("pclmul,sse4.1"))) uint32_t by_folding(uint32_t state, const uint8_t *data, size_t size) {
  auto load = [](const uint8_t *from) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from)); };
  // x^(512+32), x^(512-32), and x^(128+32), x^(128-32), modulo the polynomial, bits reversed.
  const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i parts[4];
  for (int i = 0; i < 4; ++i) parts[i] = load(data + 16 * i);
  parts[0] = _mm_xor_si128(parts[0], _mm_cvtsi32_si128(static_cast<int>(state)));
  for (data += 64, size -= 64; size >= 64; data += 64, size -= 64) {
    for (int i = 0; i < 4; ++i) parts[i] = fold(parts[i], load(data + 16 * i), by_64);
  }
  __m128i all = parts[0];
  for (int i = 1; i < 4; ++i) all = fold(all, parts[i], by_16);
  for (; size >= 16; data += 16, size -= 16) all = fold(all, load(data), by_16);
  uint8_t bytes[16];
  memcpy(bytes, &all, sizeof bytes);
  return by_tables(by_tables(0, bytes, sizeof bytes), data, size);
}

const bool kCanFold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");

#endif

}  // namespace

uint32_t crc32(uint32_t before, const uint8_t *data, size_t size) {
#if defined(__x86_64__)
  if (kCanFold && size >= kLeastFolded) return ~by_folding(~before, data, size);
#endif
  return ~by_tables(~before, data, size);
}

}  // namespace wherry

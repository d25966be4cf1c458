#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry {

/** CRC-32 as gzip has it (RFC 1952, section 8), of `data` behind what had the checksum `before`; 0 at the beginning. */
uint32_t crc32(uint32_t before, const uint8_t *data, size_t size);

}  // namespace wherry

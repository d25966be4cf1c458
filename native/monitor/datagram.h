// Memory for one datagram, shared by all who receive some: its content is good until the next call into the loop.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry {

constexpr size_t kDatagram = 65536;
uint8_t* datagram_buffer();
// Gives the memory back until it is used again.
void release_datagram_buffer();

}  // namespace wherry

#include "datagram.h"

#include <sys/mman.h>

namespace wherry {

namespace {

alignas(4096) uint8_t buffer[kDatagram];
bool used = false;

}  // namespace

uint8_t* datagram_buffer() {
  used = true;
  return buffer;
}

void release_datagram_buffer() {
  if (used) madvise(buffer, sizeof buffer, MADV_DONTNEED);
  used = false;
}

}  // namespace wherry

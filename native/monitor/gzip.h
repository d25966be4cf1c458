// Packs a file as gzip (RFC 1952). The monitor is linked with nothing, and full logs are all that it packs.
#pragma once

namespace wherry {

// Reads `in` to its end. False: one of the two can't be read or written.
bool gzip(int in, int out);

}  // namespace wherry

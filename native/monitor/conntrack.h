// Connections that the kernel tracks are forgotten, so that the next packet is looked at afresh.
#pragma once

#include <cstdint>
#include <vector>

#include "ip_address.h"

namespace wherry {

// A place: zero, an unspecified address and port 0 stand for any.
struct ConnectionPlace {
  uint8_t protocol = 0;
  uint16_t port = 0, last_port = 0;  // from the one to the other
  IpAddress address;
};

// Deletes the entries of this network namespace that lead to one of the places before or after translation,
// and those that come from it when it has no port. A port at any address means the addresses of this host:
// what is forwarded to that port elsewhere stays. Where nothing is tracked there is nothing to do; errors are
// nobody's business, since an entry that stays times out.
void forget_connections(const std::vector<ConnectionPlace>& places);

}  // namespace wherry

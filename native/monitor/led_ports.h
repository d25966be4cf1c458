// Published TCP ports of the host's addresses: processes of the host are led to the container at their connect(2), by
// programs on the root of cgroup v2. Packets of such connections need no translation. They never have a loopback
// address, so the host's interfaces need no route_localnet, and nothing has to keep others from what that opens.
//
// The programs are one set for all containers of an engine, found again by their name, and stay for as long as a
// monitor holds them. Whom they don't lead (a client that has bound itself to an address or a device, one in another
// part of the cgroups, any where the kernel refuses) is proxied from the loopback, and translated from elsewhere.
#pragma once

#include <string_view>

#include "fail.h"
#include "kernel/fd.h"
#include "plan.h"

namespace wherry {

class LedPorts {
 public:
  // The operation leadPorts. False only when the operation itself is wrong.
  bool lead(const Op& op, Failure* failure);

  static constexpr unsigned kPrograms = 4;

 private:
  bool acquire(const Op& op);
  bool create(const char* name, int root);

  Fd links_[kPrograms];
  Fd ports_;
  Fd sockets_;
};

// The operation unleadPorts: what leads elsewhere by now stays.
bool unlead_ports(const Op& op, Failure* failure);

}  // namespace wherry

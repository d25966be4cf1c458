// What the network sections of a container leave in its monitor: reserved ports for now.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "container.h"
#include "loop.h"
#include "ports.h"

namespace wherry {

class Network {
 public:
  Network() = default;

  // One of the operations that only a network section has.
  bool run(const Op& op, Failure* failure);
  // Closes what reservePort or proxyPort holds; nothing there is fine.
  void release(const HostPort& port) { ports_.release(port); }

  // What a section that fails has reserved is given back.
  struct Mark {
    size_t ports;
  };
  Mark mark() const { return {ports_.count()}; }
  void roll_back(const Mark& mark) { ports_.release_from(mark.ports); }

 private:
  Ports ports_;
};

// Protocol, address and port as operations and requests have them.
bool read_host_port(int64_t protocol, std::string_view address, int64_t port, HostPort* out, Failure* failure);

}  // namespace wherry

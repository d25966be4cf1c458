// Host ports from which the monitor itself carries connections and datagrams to the container: for clients of a
// kind of address that the container doesn't have.
#pragma once

#include <cstddef>
#include <vector>

#include "ip_address.h"
#include "loop.h"
#include "ports.h"
#include "tcp_proxy.h"
#include "udp_proxy.h"

namespace wherry {

class Proxies {
 public:
  explicit Proxies(Loop& loop) : tcp_(loop), udp_(loop) {}

  bool open(const HostPort& port, const SocketAddress& target, bool loopback_only, Failure* failure);
  bool release(const HostPort& port);
  void release_memory() { tcp_.release_memory(); }

  struct Mark {
    size_t tcp, udp;
  };
  Mark mark() const { return {tcp_.ports(), udp_.ports()}; }
  void roll_back(const Mark& mark);

 private:
  TcpProxies tcp_;
  UdpProxies udp_;
};

}  // namespace wherry

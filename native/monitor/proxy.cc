#include "proxy.h"

namespace wherry {

bool Proxies::open(const HostPort& port, const SocketAddress& target, bool loopback_only, Failure* failure) {
  return port.protocol == kUdp ? udp_.open(port, target, failure) : tcp_.open(port, target, loopback_only, failure);
}

bool Proxies::release(const HostPort& port) {
  return port.protocol == kUdp ? udp_.release(port) : tcp_.release(port);
}

void Proxies::roll_back(const Mark& mark) {
  tcp_.release_from(mark.tcp);
  udp_.release_from(mark.udp);
}

}  // namespace wherry

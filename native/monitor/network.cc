#include "network.h"

#include <errno.h>

#include "datagram.h"

namespace wherry {

bool read_host_port(int64_t protocol, std::string_view address, int64_t port, HostPort* out, Failure* failure) {
  if (protocol != kTcp && protocol != kUdp) return fail(failure, EPROTONOSUPPORT, "protocol %d", static_cast<int>(protocol));
  if (!IpAddress::from_bytes(address, &out->address)) return fail(failure, EINVAL, "an address of %zu bytes", address.size());
  if (port < 1 || port > 65535) return fail(failure, EINVAL, "port %lld", static_cast<long long>(port));
  out->protocol = static_cast<uint8_t>(protocol);
  out->port = static_cast<uint16_t>(port);
  return true;
}

Network::~Network() {
  delete firewall_;
  delete names_;
  delete proxies_;
}

void Network::release(const HostPort& port) {
  if (!ports_.release(port) && proxies_ != nullptr) proxies_->release(port);
}

Network::Mark Network::mark() const {
  return {ports_.count(), proxies_ != nullptr ? proxies_->mark() : Proxies::Mark{0, 0}};
}

void Network::roll_back(const Mark& mark) {
  ports_.release_from(mark.ports);
  if (proxies_ != nullptr) proxies_->roll_back(mark.proxies);
}

bool Network::open_proxy(const Op& op, Failure* failure) {
  HostPort port, target;
  if (!read_host_port(op.number(0), op.text(1), op.number(2), &port, failure) ||
      !read_host_port(op.number(0), op.text(3), op.number(4), &target, failure)) {
    return false;
  }
  if (proxies_ == nullptr) proxies_ = new Proxies(loop_);
  return proxies_->open(port, SocketAddress(target.address, target.port), failure);
}

bool Network::heal_firewall(const Op& op, int netns, Failure* failure) {
  if (firewall_ == nullptr) firewall_ = new FirewallWatch(loop_, plan_path_, netns);
  return firewall_->watch(op, failure);
}

bool Network::serve_names(const Op& op, int netns, Failure* failure) {
  // One that runs keeps its sockets, to which the rules of the container lead.
  if (names_ != nullptr) return names_->configure(op, failure);
  names_ = new NameServer(loop_);
  if (names_->start(op, netns, failure)) return true;
  delete names_;
  names_ = nullptr;
  return false;
}

void Network::release_memory() {
  if (names_ != nullptr) names_->release();
  if (proxies_ != nullptr) proxies_->release_memory();
  release_datagram_buffer();
}

bool Network::run(const Op& op, int netns, Failure* failure) {
  HostPort port;
  switch (op.code()) {
    case OpCode::kReservePort:
      return read_host_port(op.number(0), op.text(1), op.number(2), &port, failure) && ports_.reserve(port, failure);
    case OpCode::kProxyPort: return open_proxy(op, failure);
    case OpCode::kServeNames: return serve_names(op, netns, failure);
    case OpCode::kHealFirewall: return heal_firewall(op, netns, failure);
    default: return fail(failure, 0, "operation %s can't run here", op.name());
  }
}

}  // namespace wherry

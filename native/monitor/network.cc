#include "network.h"

#include <errno.h>

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
  if (names_ == nullptr) return;
  names_->release();
  release_dns_buffer();
}

bool Network::run(const Op& op, int netns, Failure* failure) {
  HostPort port;
  switch (op.code()) {
    case OpCode::kReservePort:
      return read_host_port(op.number(0), op.text(1), op.number(2), &port, failure) && ports_.reserve(port, failure);
    case OpCode::kServeNames: return serve_names(op, netns, failure);
    case OpCode::kHealFirewall: return heal_firewall(op, netns, failure);
    default: return fail(failure, 0, "operation %s can't run here", op.name());
  }
}

}  // namespace wherry

#include "network.h"

#include <errno.h>

#include <vector>

#include "datagram.h"
#include "port_ranges.h"

namespace wherry {

bool read_host_port(int64_t protocol, std::string_view address, int64_t port, HostPort* out, Failure* failure) {
  if (protocol != kTcp && protocol != kUdp && protocol != kSctp) return fail(failure, EPROTONOSUPPORT, "protocol %d", static_cast<int>(protocol));
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
  delete led_ports_;
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

// Protocol, address and ports of reservePorts and proxyPorts; the port is that of each range in turn.
static bool read_ports(const Op& op, HostPort* port, std::vector<PortRange>* ranges, Failure* failure) {
  if (!read_port_ranges(op.text(2), ranges)) return fail(failure, EINVAL, "ports %s", op.path(2));
  return read_host_port(op.number(0), op.text(1), ranges->front().first, port, failure);
}

bool Network::reserve_ports(const Op& op, Failure* failure) {
  HostPort port;
  std::vector<PortRange> ranges;
  if (!read_ports(op, &port, &ranges, failure)) return false;
  for (const PortRange& range : ranges) {
    for (uint32_t i = 0; i < range.count; i++) {
      port.port = range.port(i);
      if (!ports_.reserve(port, failure)) return false;
    }
  }
  return true;
}

bool Network::open_proxies(const Op& op, Failure* failure) {
  HostPort port;
  IpAddress target;
  std::vector<PortRange> ranges;
  if (!read_ports(op, &port, &ranges, failure)) return false;
  if (!IpAddress::from_bytes(op.text(3), &target)) return fail(failure, EINVAL, "an address of %zu bytes", op.text(3).size());
  const bool loopback_only = op.code() == OpCode::kProxyLoopback;
  if (port.protocol == kSctp || (loopback_only && port.protocol != kTcp)) return fail(failure, EPROTONOSUPPORT, "a proxy for %s", port.text().c_str());
  if (proxies_ == nullptr) proxies_ = new Proxies(loop_);
  for (const PortRange& range : ranges) {
    for (uint32_t i = 0; i < range.count; i++) {
      port.port = range.port(i);
      if (!proxies_->open(port, SocketAddress(target, range.partner(i)), loopback_only, failure)) return false;
    }
  }
  return true;
}

bool Network::lead_ports(const Op& op, Failure* failure) {
  if (led_ports_ == nullptr) led_ports_ = new LedPorts;
  return led_ports_->lead(op, failure);
}

FirewallWatch& Network::firewall(int netns) {
  if (firewall_ == nullptr) firewall_ = new FirewallWatch(loop_, plan_path_, netns);
  return *firewall_;
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
  switch (op.code()) {
    case OpCode::kReservePorts: return reserve_ports(op, failure);
    case OpCode::kProxyPorts:
    case OpCode::kProxyLoopback: return open_proxies(op, failure);
    case OpCode::kLeadPorts: return lead_ports(op, failure);
    case OpCode::kServeNames: return serve_names(op, netns, failure);
    case OpCode::kHealFirewall: return firewall(netns).heal(op, failure);
    case OpCode::kAllowInHostFilter: return firewall(netns).allow(op, failure);
    default: return fail(failure, 0, "operation %s can't run here", op.name());
  }
}

}  // namespace wherry

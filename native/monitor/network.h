// What the network sections of a container leave in its monitor: reserved ports, proxies and what leads clients of the
// host, the name server and the watch over the firewall.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "container.h"
#include "firewall.h"
#include "led_ports.h"
#include "loop.h"
#include "names.h"
#include "ports.h"
#include "proxy.h"

namespace wherry {

class Network {
 public:
  Network(Loop& loop, const std::string& plan_path) : loop_(loop), plan_path_(plan_path) {}
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // One of the operations that only a network section has.
  bool run(const Op& op, int netns, Failure* failure);
  // Gives memory back that isn't needed for now.
  void release_memory();
  // Closes what reservePorts or proxyPorts holds; nothing there is fine.
  void release(const HostPort& port);

  // What a section that fails has reserved is given back.
  struct Mark {
    size_t ports;
    Proxies::Mark proxies;
  };
  Mark mark() const;
  void roll_back(const Mark& mark);

 private:
  bool serve_names(const Op& op, int netns, Failure* failure);
  bool reserve_ports(const Op& op, Failure* failure);
  bool open_proxies(const Op& op, Failure* failure);
  bool lead_ports(const Op& op, Failure* failure);
  FirewallWatch& firewall(int netns);

  Loop& loop_;
  std::string plan_path_;
  Ports ports_;
  // None of these before it is needed.
  Proxies* proxies_ = nullptr;
  NameServer* names_ = nullptr;
  FirewallWatch* firewall_ = nullptr;
  LedPorts* led_ports_ = nullptr;
};

// Protocol, address and port as operations and requests have them.
bool read_host_port(int64_t protocol, std::string_view address, int64_t port, HostPort* out, Failure* failure);

}  // namespace wherry

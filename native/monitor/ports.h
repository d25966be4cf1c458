// Host ports that are kept from other programs for as long as the container has them published.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fail.h"
#include "ip_address.h"

namespace wherry {

constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kSctp = 132;

struct HostPort {
  uint8_t protocol = 0;  // one of those
  uint16_t port = 0;
  IpAddress address;

  bool operator==(const HostPort& other) const {
    return protocol == other.protocol && port == other.port && address == other.address;
  }
  std::string text() const;  // `0.0.0.0:80/tcp`
};

// A socket of the right family and type, or -1 with errno. IPv6 without IPv4. Non-blocking.
int port_socket(const HostPort& port);

// Whether an error of port_socket means that there is nothing to keep.
bool is_moot(const HostPort& port, int err);

bool bind_failed(const HostPort& port, int err, Failure* failure);

class Ports {
 public:
  Ports() = default;
  ~Ports();
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  // Takes one descriptor and no more memory. What comes to the port is refused (TCP) or dropped (UDP).
  bool reserve(const HostPort& port, Failure* failure);
  bool release(const HostPort& port);
  size_t count() const { return held_.size(); }
  // Gives back all but the first `count`.
  void release_from(size_t count);

 private:
  struct Held {
    HostPort port;
    int fd;
  };
  std::vector<Held> held_;
};

}  // namespace wherry

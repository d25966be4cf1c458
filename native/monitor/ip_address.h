// IP addresses and socket addresses of both families, without a resolver.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry {

struct IpAddress {
  uint8_t length = 0;  // 4, 16, or 0 when there is none
  uint8_t bytes[16] = {};

  // 4 or 16 bytes in network order.
  static bool from_bytes(std::string_view raw, IpAddress* out);
  // As people write it, without a zone.
  static bool parse(const char* text, IpAddress* out);
  std::string text() const;
  bool unspecified() const;
  bool operator==(const IpAddress& other) const;
};

// `10.0.0.1:80`, `[::1]:80`.
std::string endpoint_text(const IpAddress& address, uint16_t port);

struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t length = sizeof(sockaddr_in6);

  SocketAddress() : v6() {}
  SocketAddress(const IpAddress& address, uint16_t port);
  uint16_t port() const { return ntohs(any.sa_family == AF_INET6 ? v6.sin6_port : v4.sin_port); }
};

}  // namespace wherry

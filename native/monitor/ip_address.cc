#include "ip_address.h"

#include <arpa/inet.h>
#include <string.h>

namespace wherry {

bool IpAddress::from_bytes(std::string_view raw, IpAddress* out) {
  if (raw.size() != 4 && raw.size() != 16) return false;
  *out = IpAddress();
  out->length = static_cast<uint8_t>(raw.size());
  memcpy(out->bytes, raw.data(), raw.size());
  return true;
}

bool IpAddress::parse(const char* text, IpAddress* out) {
  *out = IpAddress();
  if (inet_pton(AF_INET, text, out->bytes) == 1) {
    out->length = 4;
  } else if (inet_pton(AF_INET6, text, out->bytes) == 1) {
    out->length = 16;
  }
  return out->length != 0;
}

std::string IpAddress::text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (length != 0) inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return text;
}

bool IpAddress::unspecified() const {
  for (unsigned i = 0; i < length; i++)
    if (bytes[i] != 0) return false;
  return true;
}

bool IpAddress::operator==(const IpAddress& other) const {
  return length == other.length && memcmp(bytes, other.bytes, length) == 0;
}

std::string endpoint_text(const IpAddress& address, uint16_t port) {
  std::string text = address.text();
  if (address.length == 16) text = "[" + text + "]";
  return text + ":" + std::to_string(port);
}

SocketAddress::SocketAddress(const IpAddress& address, uint16_t port) : v6() {
  if (address.length == 16) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    memcpy(&v6.sin6_addr, address.bytes, 16);
    length = sizeof v6;
  } else {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    memcpy(&v4.sin_addr, address.bytes, 4);
    length = sizeof v4;
  }
}

}  // namespace wherry

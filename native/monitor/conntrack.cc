#include "conntrack.h"

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

#include <string>

#include "kernel/fd.h"
#include "netfilter_message.h"
#include "ports.h"
#include "state.h"

namespace wherry {

namespace {

// linux/netfilter/nfnetlink_conntrack.h. Older headers lack the filter.
constexpr uint16_t kSubsystem = 1 << 8;
constexpr uint16_t kGet = kSubsystem | 1;
constexpr uint16_t kDelete = kSubsystem | 2;
constexpr uint16_t kTupleOriginal = 1, kTupleReply = 2, kId = 12, kZone = 18, kFilter = 25;
constexpr uint16_t kTupleIp = 1, kTupleProtocol = 2;
constexpr uint16_t kIp4Source = 1, kIp4Destination = 2, kIp6Source = 3, kIp6Destination = 4;
constexpr uint16_t kProtocolNumber = 1, kSourcePort = 2, kDestinationPort = 3;
constexpr uint16_t kFilterOriginal = 1, kFilterReply = 2;
constexpr uint32_t kBySource = 1 << 0, kByDestination = 1 << 1, kByProtocol = 1 << 3, kBySourcePort = 1 << 4,
                   kByDestinationPort = 1 << 5;

// The kernel goes through all of its table for a filter, 0.5 ms with ten thousand connections. Reading the
// table takes about as long as this many.
constexpr size_t kMostFilters = 12;
constexpr size_t kReceiveSize = 32 << 10;

// One end in one direction: what the kernel can filter by.
struct Filter {
  uint16_t tuple;  // kTupleOriginal or kTupleReply
  bool source;
  uint8_t protocol;
  uint16_t port;
  IpAddress address;
};

void append_delete(std::string& out, const Filter& filter) {
  bool v6 = filter.address.length == 16;
  NetfilterMessage message(out, kDelete, NLM_F_ACK, v6 ? AF_INET6 : AF_INET);
  uint32_t by = filter.source ? kBySource : kByDestination;
  size_t tuple = message.open(filter.tuple);
  size_t ip = message.open(kTupleIp);
  message.attribute(filter.source ? (v6 ? kIp6Source : kIp4Source) : (v6 ? kIp6Destination : kIp4Destination),
                    filter.address.bytes, filter.address.length);
  message.close(ip);
  if (filter.protocol != 0) {
    by |= kByProtocol;
    size_t protocol = message.open(kTupleProtocol);
    message.attribute(kProtocolNumber, &filter.protocol, 1);
    if (filter.port != 0) {
      by |= filter.source ? kBySourcePort : kByDestinationPort;
      uint16_t port = htons(filter.port);
      message.attribute(filter.source ? kSourcePort : kDestinationPort, &port, sizeof port);
    }
    message.close(protocol);
  }
  message.close(tuple);
  uint32_t none = 0;
  bool original = filter.tuple == kTupleOriginal;
  size_t flags = message.open(kFilter);
  message.attribute(kFilterOriginal, original ? &by : &none, sizeof by);
  message.attribute(kFilterReply, original ? &none : &by, sizeof by);
  message.close(flags);
}

std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> found;
  ifaddrs* list;
  if (getifaddrs(&list) != 0) return found;
  for (ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    IpAddress address;
    if (one->ifa_addr->sa_family == AF_INET) {
      address.length = 4;
      memcpy(address.bytes, &reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr, 4);
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      address.length = 16;
      memcpy(address.bytes, &reinterpret_cast<sockaddr_in6*>(one->ifa_addr)->sin6_addr, 16);
    } else {
      continue;
    }
    found.push_back(address);
  }
  freeifaddrs(list);
  return found;
}

bool any_address(const ConnectionPlace& place) { return place.address.unspecified(); }

// The filters that stand for the places, as long as they are few.
std::vector<Filter> make_filters(const std::vector<ConnectionPlace>& places, const std::vector<IpAddress>& own) {
  std::vector<Filter> filters;
  auto add = [&](const ConnectionPlace& place, uint16_t tuple, bool source, const IpAddress& address) {
    for (uint32_t port = place.port; port <= place.last_port && filters.size() <= kMostFilters; port++) {
      auto number = static_cast<uint16_t>(port);
      // A port is one of a protocol.
      if (number != 0 && place.protocol == 0) {
        filters.push_back({tuple, source, kTcp, number, address});
        filters.push_back({tuple, source, kUdp, number, address});
      } else {
        filters.push_back({tuple, source, place.protocol, number, address});
      }
    }
  };
  for (const ConnectionPlace& place : places) {
    if (any_address(place)) {
      for (const IpAddress& address : own) {
        if (place.address.length == 0 || place.address.length == address.length)
          add(place, kTupleOriginal, false, address);
      }
    } else {
      add(place, kTupleOriginal, false, place.address);
      add(place, kTupleReply, true, place.address);
      if (place.port == 0) add(place, kTupleOriginal, true, place.address);
    }
    if (filters.size() > kMostFilters) break;
  }
  return filters;
}

struct Tuple {
  IpAddress source, destination;
  uint8_t protocol = 0;
  uint16_t source_port = 0, destination_port = 0;
};

Tuple read_tuple(const char* data, size_t length) {
  Tuple tuple;
  read_attributes(data, length, [&](int type, const char* part, size_t size) {
    if (type == kTupleIp) {
      read_attributes(part, size, [&](int kind, const char* bytes, size_t count) {
        bool source = kind == kIp4Source || kind == kIp6Source;
        if (source || kind == kIp4Destination || kind == kIp6Destination)
          IpAddress::from_bytes({bytes, count}, source ? &tuple.source : &tuple.destination);
      });
    } else if (type == kTupleProtocol) {
      read_attributes(part, size, [&](int kind, const char* bytes, size_t count) {
        if (kind == kProtocolNumber && count >= 1) tuple.protocol = static_cast<uint8_t>(bytes[0]);
        if ((kind == kSourcePort || kind == kDestinationPort) && count >= 2) {
          uint16_t port;
          memcpy(&port, bytes, sizeof port);
          (kind == kSourcePort ? tuple.source_port : tuple.destination_port) = ntohs(port);
        }
      });
    }
  });
  return tuple;
}

// Compares entries with many places.
class Matcher {
 public:
  Matcher(const std::vector<ConnectionPlace>& places, const std::vector<IpAddress>& own) : places_(places), own_(own) {
    for (const ConnectionPlace& place : places) {
      if (place.port == 0) without_port_ = true;
      for (uint32_t port = place.port; port != 0 && port <= place.last_port; port++)
        ports_[port / 8] |= static_cast<uint8_t>(1 << port % 8);
    }
  }
  bool matches(const Tuple& original, const Tuple& reply) const {
    if (!without_port_ && !has_port(original.destination_port) && !has_port(reply.source_port)) return false;
    for (const ConnectionPlace& place : places_) {
      if (place.protocol != 0 && place.protocol != original.protocol) continue;
      if (is_at(place, original.destination, original.destination_port)) return true;
      if (any_address(place)) continue;
      if (is_at(place, reply.source, reply.source_port)) return true;
      if (place.port == 0 && place.address == original.source) return true;
    }
    return false;
  }

 private:
  bool has_port(uint16_t port) const { return (ports_[port / 8] >> port % 8 & 1) != 0; }
  bool is_own(const IpAddress& address) const {
    if (address.length == 4 && address.bytes[0] == 127) return true;
    for (const IpAddress& one : own_)
      if (one == address) return true;
    return false;
  }
  bool is_at(const ConnectionPlace& place, const IpAddress& address, uint16_t port) const {
    if (place.port != 0 && (port < place.port || port > place.last_port)) return false;
    if (!any_address(place)) return place.address == address;
    return (place.address.length == 0 || place.address.length == address.length) && is_own(address);
  }
  const std::vector<ConnectionPlace>& places_;
  const std::vector<IpAddress>& own_;
  uint8_t ports_[65536 / 8] = {};
  bool without_port_ = false;
};

bool send_all(int fd, const std::string& messages) {
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = sendto(fd, messages.data(), messages.size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  return sent == static_cast<ssize_t>(messages.size());
}

// False when the kernel (before Linux 6.8) does not delete by filter.
bool delete_by_filters(int fd, const std::vector<Filter>& filters) {
  std::string batch;
  for (const Filter& filter : filters) append_delete(batch, filter);
  if (!send_all(fd, batch)) return true;
  char answers[8192];
  for (size_t seen = 0; seen < filters.size();) {
    ssize_t got = recv(fd, answers, sizeof answers, MSG_DONTWAIT);
    if (got <= 0) return true;
    auto left = static_cast<unsigned>(got);
    for (auto header = reinterpret_cast<nlmsghdr*>(answers); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) continue;
      seen++;
      int error = -static_cast<nlmsgerr*>(NLMSG_DATA(header))->error;
      if (error == EINVAL || error == EOPNOTSUPP) return false;
    }
  }
  return true;
}

// The entry's own numbers make sure that it is not another one by the time of the deletion.
void append_delete(std::string& out, uint8_t family, const char* attributes, size_t length) {
  NetfilterMessage message(out, kDelete, 0, family);
  read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
    if (type == kTupleOriginal) message.attribute(kTupleOriginal | NLA_F_NESTED, data, size);
    if (type == kZone || type == kId) message.attribute(static_cast<uint16_t>(type), data, size);
  });
}

void delete_by_reading(int fd, uint8_t family, const Matcher& matcher) {
  std::string request, deletions;
  { NetfilterMessage message(request, kGet, NLM_F_DUMP, family); }
  if (!send_all(fd, request)) return;
  std::vector<char> buffer(kReceiveSize);
  for (bool more = true; more;) {
    ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    auto left = static_cast<unsigned>(got);
    for (auto header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) more = false;
      if (header->nlmsg_type != kSubsystem || header->nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) continue;
      auto attributes = static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(nfgenmsg));
      size_t length = header->nlmsg_len - static_cast<size_t>(NLMSG_LENGTH(sizeof(nfgenmsg)));
      Tuple original, reply;
      read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
        if (type == kTupleOriginal) original = read_tuple(data, size);
        if (type == kTupleReply) reply = read_tuple(data, size);
      });
      if (!matcher.matches(original, reply)) continue;
      append_delete(deletions, family, attributes, length);
    }
  }
  // Socket buffers are small.
  for (size_t at = 0; at < deletions.size();) {
    size_t end = at;
    while (end < deletions.size() && end - at < kReceiveSize) {
      uint32_t length;
      memcpy(&length, &deletions[end], sizeof length);
      end += NLMSG_ALIGN(length);
    }
    if (!send_all(fd, deletions.substr(at, end - at))) return;
    at = end;
  }
}

bool anything_tracked() {
  std::string count;
  return read_small_file("/proc/sys/net/netfilter/nf_conntrack_count", 32, &count) && count != "0\n" && count != "0";
}

}  // namespace

void forget_connections(const std::vector<ConnectionPlace>& places) {
  if (places.empty() || !anything_tracked()) return;
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return;
  std::vector<IpAddress> own = own_addresses();
  std::vector<Filter> filters = make_filters(places, own);
  if (filters.size() <= kMostFilters && delete_by_filters(fd.get(), filters)) return;
  fd.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return;
  Matcher matcher(places, own);
  delete_by_reading(fd.get(), AF_INET, matcher);
  delete_by_reading(fd.get(), AF_INET6, matcher);
}

}  // namespace wherry

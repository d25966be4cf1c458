#include "udp_proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datagram.h"
#include "descriptors.h"
#include "kernel/fd.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMostFlows = 1024;
constexpr unsigned kAtOnce = 64;
constexpr int64_t kIdle = 60 * 1000000000ll;
constexpr int64_t kTick = 10 * 1000000000ll;

// Room for the address of ours in a datagram's control data, of either family.
constexpr size_t kControl = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo));

unsigned hash_bytes(unsigned seed, const void* data, size_t length) {
  auto bytes = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i < length; i++) seed = (seed ^ bytes[i]) * 16777619u;
  return seed;
}

}  // namespace

bool UdpProxies::Peer::operator==(const Peer& other) const {
  return client.length == other.client.length && memcmp(&client.any, &other.client.any, client.length) == 0 &&
         local == other.local;
}

UdpProxies::UdpProxies(Loop& loop) : loop_(loop), listeners_(loop, *this) {
  timer_.context = this;
  timer_.fire = [](void* self) { static_cast<UdpProxies*>(self)->tick(); };
}

UdpProxies::~UdpProxies() { loop_.cancel(timer_); }

bool UdpProxies::open(const HostPort& port, const SocketAddress& target, Failure* failure) {
  Fd fd(port_socket(port));
  SocketAddress address(port.address, port.port);
  if (!fd) return is_moot(port, errno) || bind_failed(port, errno, failure);
  int on = 1;
  bool v6 = address.any.sa_family == AF_INET6;
  setsockopt(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
  if (bind(fd.get(), &address.any, address.length) != 0) return bind_failed(port, errno, failure);
  listeners_.add(port, target, std::move(fd));
  return true;
}

void UdpProxies::listener_ends(PortListener& listener) {
  for (Flow*& head : buckets_) {
    for (Flow* flow = head; flow != nullptr;) {
      Flow* next = flow->next;
      if (flow->listener == &listener) remove(flow);
      flow = next;
    }
  }
}

void UdpProxies::listener_ready(PortListener& listener) {
  uint8_t* buffer = datagram_buffer();
  for (unsigned count = 0; count < kAtOnce; count++) {
    Peer peer;
    alignas(cmsghdr) char control[kControl];
    iovec part = {buffer, kDatagram};
    msghdr message = {};
    message.msg_name = &peer.client.any;
    message.msg_namelen = peer.client.length;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = recvmsg(listener.fd, &message, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    peer.client.length = message.msg_namelen;
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
      if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info;
        memcpy(&info, CMSG_DATA(item), sizeof info);
        IpAddress::from_bytes({reinterpret_cast<char*>(&info.ipi6_addr), 16}, &peer.local);
        peer.interface = info.ipi6_ifindex;
      } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
        in_pktinfo info;
        memcpy(&info, CMSG_DATA(item), sizeof info);
        IpAddress::from_bytes({reinterpret_cast<char*>(&info.ipi_addr), 4}, &peer.local);
        peer.interface = static_cast<unsigned>(info.ipi_ifindex);
      }
    }
    Flow* flow = find(listener, peer);
    if (flow == nullptr) continue;
    flow->used = steady_clock();
    // Nobody may listen there (yet): the datagram is lost, as it would be on the way.
    if (send(flow->fd, buffer, static_cast<size_t>(got), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
      send(flow->fd, buffer, static_cast<size_t>(got), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

UdpProxies::Flow* UdpProxies::find(PortListener& listener, const Peer& peer) {
  if (buckets_.empty()) buckets_.resize(kBuckets);
  unsigned hash = hash_bytes(2166136261u ^ static_cast<unsigned>(listener.fd), &peer.client.any, peer.client.length);
  unsigned bucket = hash_bytes(hash, peer.local.bytes, peer.local.length) % kBuckets;
  for (Flow* flow = buckets_[bucket]; flow != nullptr; flow = flow->next)
    if (flow->listener == &listener && flow->peer == peer) return flow;
  return make(listener, peer, bucket);
}

UdpProxies::Flow* UdpProxies::make(PortListener& listener, const Peer& peer, unsigned bucket) {
  if (flows_ >= kMostFlows) remove_oldest();
  const SocketAddress& target = listener.target;
  int type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int fd = unless_last(socket(target.any.sa_family, type, 0));
  if (fd < 0 && errno == EMFILE && flows_ > 0) {
    remove_oldest();
    fd = unless_last(socket(target.any.sa_family, type, 0));
  }
  if (fd < 0) return nullptr;
  if (connect(fd, &target.any, target.length) != 0) {
    close(fd);
    return nullptr;
  }
  auto flow = new Flow;
  flow->owner = this;
  flow->listener = &listener;
  flow->peer = peer;
  flow->fd = fd;
  flow->bucket = bucket;
  flow->next = buckets_[bucket];
  buckets_[bucket] = flow;
  flows_++;
  loop_.watch(*flow, EPOLLIN);
  if (timer_.deadline == 0) loop_.set(timer_, kTick);
  return flow;
}

void UdpProxies::from_target(Flow& flow) {
  uint8_t* buffer = datagram_buffer();
  for (unsigned count = 0; count < kAtOnce; count++) {
    ssize_t got = recv(flow.fd, buffer, kDatagram, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == ECONNREFUSED)) continue;
    if (got < 0) return;
    flow.used = steady_clock();
    alignas(cmsghdr) char control[kControl] = {};
    iovec part = {buffer, static_cast<size_t>(got)};
    msghdr message = {};
    message.msg_name = &flow.peer.client.any;
    message.msg_namelen = flow.peer.client.length;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    if (flow.peer.local.length == 16) {
      in6_pktinfo info = {};
      memcpy(&info.ipi6_addr, flow.peer.local.bytes, 16);
      // Only a link-local address needs to know its link; others may leave by any.
      if (info.ipi6_addr.s6_addr[0] == 0xfe && (info.ipi6_addr.s6_addr[1] & 0xc0) == 0x80)
        info.ipi6_ifindex = flow.peer.interface;
      item->cmsg_level = IPPROTO_IPV6;
      item->cmsg_type = IPV6_PKTINFO;
      item->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(item), &info, sizeof info);
      message.msg_controllen = CMSG_SPACE(sizeof info);
    } else if (flow.peer.local.length == 4) {
      in_pktinfo info = {};
      memcpy(&info.ipi_spec_dst, flow.peer.local.bytes, 4);
      item->cmsg_level = IPPROTO_IP;
      item->cmsg_type = IP_PKTINFO;
      item->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(item), &info, sizeof info);
      message.msg_controllen = CMSG_SPACE(sizeof info);
    } else {
      message.msg_control = nullptr;
      message.msg_controllen = 0;
    }
    sendmsg(flow.listener->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

void UdpProxies::remove(Flow* flow) {
  Flow** link = &buckets_[flow->bucket];
  while (*link != nullptr && *link != flow) link = &(*link)->next;
  if (*link == flow) *link = flow->next;
  loop_.forget(*flow);
  close(flow->fd);
  delete flow;
  flows_--;
}

void UdpProxies::remove_oldest() {
  Flow* oldest = nullptr;
  for (Flow* head : buckets_) {
    for (Flow* flow = head; flow != nullptr; flow = flow->next)
      if (oldest == nullptr || flow->used < oldest->used) oldest = flow;
  }
  if (oldest != nullptr) remove(oldest);
}

void UdpProxies::tick() {
  int64_t old = steady_clock() - kIdle;
  for (Flow*& head : buckets_) {
    for (Flow* flow = head; flow != nullptr;) {
      Flow* next = flow->next;
      if (flow->used < old) remove(flow);
      flow = next;
    }
  }
  if (flows_ > 0) loop_.set(timer_, kTick);
  else std::vector<Flow*>().swap(buckets_);
}

}  // namespace wherry

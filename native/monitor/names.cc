#include "names.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "descriptors.h"
#include "host.h"
#include "kernel/fd.h"
#include "text.h"

namespace wherry {

namespace {

constexpr uint8_t kAddress[4] = {127, 0, 0, 11};
constexpr uint16_t kClassInternet = 1, kClassAny = 255;
constexpr unsigned kMostAtOnce = 32;  // so that others get their turn
constexpr size_t kMaxUdpQuery = 1500;
constexpr size_t kMostTcpClients = 64;
constexpr size_t kMostUpstreams = 8;

// An address, with `%interface` where it is valid on one link only.
bool read_upstream(std::string_view text, SocketAddress* out) {
  std::string address(text), zone;
  size_t percent = address.find('%');
  if (percent != std::string::npos) {
    zone = address.substr(percent + 1);
    address.resize(percent);
  }
  IpAddress ip;
  if (!IpAddress::parse(address.c_str(), &ip)) return false;
  *out = SocketAddress(ip, kDnsPort);
  if (!zone.empty() && ip.length == 16) out->v6.sin6_scope_id = if_nametoindex(zone.c_str());
  return true;
}

bool open_server(int netns, int type, Fd* fd, uint16_t* port, Failure* failure) {
  if (!socket_in_network(netns, AF_INET, type | SOCK_NONBLOCK, 0, fd, failure)) return false;
  IpAddress ip;
  IpAddress::from_bytes({reinterpret_cast<const char*>(kAddress), sizeof kAddress}, &ip);
  SocketAddress address(ip, 0);
  // Before the loopback interface is up it has no addresses. The init sets it up, too, whoever is first.
  ifreq loopback = {};
  strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  ioctl(fd->get(), SIOCSIFFLAGS, &loopback);
  if (bind(fd->get(), &address.any, address.length) != 0 || (type == SOCK_STREAM && listen(fd->get(), 64) != 0) ||
      getsockname(fd->get(), &address.any, &address.length) != 0) {
    return fail(failure, errno, "open the name server's socket");
  }
  *port = address.port();
  return true;
}

bool put_port(std::string* rules, int64_t at, uint16_t port) {
  if (at < 0 || static_cast<uint64_t>(at) + 2 > rules->size()) return false;
  put_dns_u16(reinterpret_cast<uint8_t*>(&(*rules)[static_cast<size_t>(at)]), port);
  return true;
}

}  // namespace

NameServer::NameServer(Loop& loop)
    : loop_(loop), udp_(*this, &NameServer::receive_udp), tcp_(*this, &NameServer::accept_tcp), forwarder_(*this) {
  timer_.context = this;
  timer_.fire = [](void* self) { static_cast<NameServer*>(self)->tick(); };
}

NameServer::~NameServer() {
  while (!tcp_clients_.empty()) remove(tcp_clients_.back());
  loop_.cancel(timer_);
  for (Source* source : {static_cast<Source*>(&udp_), static_cast<Source*>(&tcp_)}) {
    if (source->fd < 0) continue;
    loop_.forget(*source);
    close(source->fd);
  }
}

bool NameServer::configure(const Op& op, Failure* failure) {
  std::vector<SocketAddress> upstreams;
  for (std::string_view text : op.list(1)) {
    SocketAddress address;
    if (!read_upstream(text, &address)) return fail(failure, EINVAL, "resolver %s", std::string(text).c_str());
    if (upstreams.size() < kMostUpstreams) upstreams.push_back(address);
  }
  std::vector<std::string> folders;
  for (std::string_view path : op.list(0)) folders.emplace_back(path);
  zones_.set(std::move(folders));
  upstreams_ = std::move(upstreams);
  internal_ = op.number(2) != 0;
  return true;
}

bool NameServer::start(const Op& op, int netns, Failure* failure) {
  Fd udp, tcp;
  uint16_t udp_port, tcp_port;
  if (netns < 0) return fail(failure, 0, "there is no network namespace for the name server");
  if (!configure(op, failure) || !open_server(netns, SOCK_DGRAM, &udp, &udp_port, failure) ||
      !open_server(netns, SOCK_STREAM, &tcp, &tcp_port, failure)) {
    return false;
  }
  std::string rules(op.text(3));
  if (!put_port(&rules, op.number(4), udp_port) || !put_port(&rules, op.number(5), tcp_port))
    return fail(failure, EINVAL, "the name server's rules have no place for its ports");
  if (!send_netlink(netns, netns, NETLINK_NETFILTER, rules, failure)) return false;
  udp_.fd = udp.release();
  tcp_.fd = tcp.release();
  loop_.watch(udp_, EPOLLIN);
  loop_.watch(tcp_, EPOLLIN);
  return true;
}

NameServer::Outcome NameServer::answer(const uint8_t* query, size_t length, size_t limit, DnsQuestion* question,
                                       std::string* out) {
  switch (read_query(query, length, question)) {
    case QueryStatus::kIgnore: return Outcome::kIgnored;
    case QueryStatus::kFormatError:
      *out = DnsAnswer(query, nullptr, kFormatError, limit).finish();
      return Outcome::kAnswered;
    case QueryStatus::kNotImplemented:
      *out = DnsAnswer(query, nullptr, kNotImplemented, limit).finish();
      return Outcome::kAnswered;
    case QueryStatus::kFine: break;
  }
  if (limit == 0) limit = question->udp_limit;
  bool ours = question->ordinary && (question->klass == kClassInternet || question->klass == kClassAny);
  IpAddress address;
  if (ours && read_reverse_name(question->text(), &address)) {
    std::string name = zones_.reverse(address);
    if (!name.empty()) {
      DnsAnswer answer(query, question, kNoError, limit);
      if (question->type == kTypePtr || question->type == kTypeAny) answer.add_name(name);
      *out = answer.finish();
      return Outcome::kAnswered;
    }
  } else if (ours && question->name_length != 0) {
    std::vector<IpAddress> addresses = zones_.find(question->text());
    if (!addresses.empty()) {
      DnsAnswer answer(query, question, kNoError, limit);
      add_records(*question, addresses, &answer);
      *out = answer.finish();
      return Outcome::kAnswered;
    }
  }
  if (!internal_ && !upstreams_.empty()) return Outcome::kForward;
  *out = DnsAnswer(query, question, internal_ ? kNameError : kServerFailure, limit).finish();
  return Outcome::kAnswered;
}

// Those that the client asks for, beginning with another one each time.
void NameServer::add_records(const DnsQuestion& question, const std::vector<IpAddress>& addresses, DnsAnswer* answer) {
  std::vector<const IpAddress*> wanted;
  for (const IpAddress& address : addresses) {
    uint16_t type = address.length == 4 ? kTypeA : kTypeAaaa;
    if (question.type == type || question.type == kTypeAny) wanted.push_back(&address);
  }
  if (wanted.size() > 1) turn_++;
  for (size_t i = 0; i < wanted.size(); i++) {
    if (answer->add_address(*wanted[(i + turn_) % wanted.size()])) continue;
    answer->truncate();
    break;
  }
}

void NameServer::receive_udp(uint32_t) {
  for (unsigned count = 0; count < kMostAtOnce; count++) {
    uint8_t* query = datagram_buffer();
    SocketAddress client;
    ssize_t got = recvfrom(udp_.fd, query, kDatagram, MSG_DONTWAIT, &client.any, &client.length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    auto length = static_cast<size_t>(got);
    if (length > kMaxUdpQuery) continue;
    DnsQuestion question;
    std::string local;
    switch (answer(query, length, 0, &question, &local)) {
      case Outcome::kIgnored: break;
      case Outcome::kAnswered:
        sendto(udp_.fd, local.data(), local.size(), MSG_DONTWAIT, &client.any, client.length);
        break;
      case Outcome::kForward: forwarder_.forward(query, length, question, client); break;
    }
  }
}

// Of an answer that the client can't receive it gets the question back, to ask by TCP.
void NameServer::send_udp(const SocketAddress& client, const uint8_t* message, size_t length,
                          const DnsQuestion& question) {
  if (length <= question.udp_limit) {
    sendto(udp_.fd, message, length, MSG_DONTWAIT, &client.any, client.length);
    return;
  }
  DnsQuestion plain = question;
  plain.edns = false;
  DnsAnswer cut(message, &plain, response_code(message), question.udp_limit);
  cut.truncate();
  const std::string& bytes = cut.finish();
  sendto(udp_.fd, bytes.data(), bytes.size(), MSG_DONTWAIT, &client.any, client.length);
}

void NameServer::accept_tcp(uint32_t) {
  int descriptor = unless_last(accept4(tcp_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (timer_.deadline == 0) loop_.set(timer_, kDnsTick);
  if (descriptor < 0) {
    // Out of descriptors: the client waits until the next tick.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) loop_.forget(tcp_);
    return;
  }
  tcp_clients_.push_back(new TcpNameClient(*this, descriptor));
  // Others wait in the kernel.
  if (tcp_clients_.size() >= kMostTcpClients) loop_.forget(tcp_);
}

void NameServer::remove(TcpNameClient* client) {
  for (size_t i = 0; i < tcp_clients_.size(); i++) {
    if (tcp_clients_[i] != client) continue;
    tcp_clients_[i] = tcp_clients_.back();
    tcp_clients_.pop_back();
    break;
  }
  delete client;
  if (tcp_.fd >= 0) loop_.watch(tcp_, EPOLLIN);
}

void NameServer::tick() {
  int64_t now = steady_clock();
  std::vector<TcpNameClient*> clients = tcp_clients_;
  for (TcpNameClient* client : clients) client->tick(now);
  if (tcp_clients_.size() < kMostTcpClients) loop_.watch(tcp_, EPOLLIN);
  if (!tcp_clients_.empty()) loop_.set(timer_, kDnsTick);
}

}  // namespace wherry

// DNS at 127.0.0.11 in the container's network namespace: names of the container's networks from their zones,
// the rest from the host's resolvers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "container.h"
#include "dns_forward.h"
#include "dns_message.h"
#include "dns_tcp.h"
#include "ip_address.h"
#include "loop.h"
#include "zones.h"

namespace wherry {

class NameServer {
 public:
  explicit NameServer(Loop& loop);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  // Opens its sockets and sends the operation's nf_tables batch with their ports in it.
  bool start(const Op& op, int netns, Failure* failure);
  // Takes zones and resolvers of the operation from now on.
  bool configure(const Op& op, Failure* failure);
  // Gives memory back that the next question will need again.
  void release() { zones_.release(); }

  // For those who ask on behalf of clients.
  Loop& loop() { return loop_; }
  const std::vector<SocketAddress>& upstreams() const { return upstreams_; }
  enum class Outcome { kIgnored, kAnswered, kForward };
  // With kAnswered `answer` is set, with kForward the question. Limit 0: what the query says that it can receive.
  Outcome answer(const uint8_t* query, size_t length, size_t limit, DnsQuestion* question, std::string* answer);
  void send_udp(const SocketAddress& client, const uint8_t* message, size_t length, const DnsQuestion& question);
  void remove(TcpNameClient* client);

 private:
  void receive_udp(uint32_t events);
  void accept_tcp(uint32_t events);
  void tick();
  void add_records(const DnsQuestion& question, const std::vector<IpAddress>& addresses, DnsAnswer* answer);

  Loop& loop_;
  MethodSource<NameServer> udp_, tcp_;
  Zones zones_;
  std::vector<SocketAddress> upstreams_;
  bool internal_ = false;
  unsigned turn_ = 0;  // which of several addresses is the first
  UdpForwarder forwarder_;
  std::vector<TcpNameClient*> tcp_clients_;
  Timer timer_;
};

}  // namespace wherry

// Questions that the zones don't answer, asked by UDP of the host's resolvers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns_message.h"
#include "ip_address.h"
#include "loop.h"

namespace wherry {

class NameServer;

// How long one resolver may take before the next is asked, and how long a client is kept waiting.
constexpr int64_t kDnsPatience = 2000000000ll;
constexpr int64_t kDnsDeadline = 4000000000ll;
constexpr int64_t kDnsTick = 250000000ll;

// A socket of the host's network for one question, with a port of its own, or -1.
int upstream_socket(const SocketAddress& server, int type);

class UdpForwarder {
 public:
  explicit UdpForwarder(NameServer& server);
  ~UdpForwarder();
  UdpForwarder(const UdpForwarder&) = delete;
  UdpForwarder& operator=(const UdpForwarder&) = delete;

  // Answers the client through the server, sooner or later. Of too many at a time the oldest is forgotten.
  void forward(const uint8_t* query, size_t length, const DnsQuestion& question, const SocketAddress& client);

 private:
  struct Pending;
  // A question to one resolver: its own port and id, so that nobody else can guess an answer.
  class Attempt : public Source {
   public:
    void ready(uint32_t events) override { forwarder->receive(*pending, *this, events); }
    UdpForwarder* forwarder = nullptr;
    Pending* pending = nullptr;
    uint16_t id = 0;
  };
  struct Pending {
    std::string query;
    DnsQuestion question;
    SocketAddress client;
    // The second is asked while the first may still answer.
    Attempt attempts[2];
    unsigned next_attempt = 0;
    size_t tried = 0;
    int64_t retry_at = 0, deadline = 0;
    std::string refusal;  // of a resolver that can't or won't answer
  };

  void receive(Pending& pending, Attempt& attempt, uint32_t events);
  bool ask_next(Pending& pending, bool again);
  bool ask(Pending& pending, const SocketAddress& server);
  void attempt_failed(Pending& pending, Attempt& attempt);
  void close_attempt(Attempt& attempt);
  void give_up(Pending& pending);
  void remove(Pending& pending);
  void tick();

  NameServer& server_;
  std::vector<Pending*> pending_;  // the oldest first
  Timer timer_;
};

}  // namespace wherry

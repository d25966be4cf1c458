// A client that asks by TCP: one question after the other, each length first (RFC 1035 section 4.2.2). What the
// zones don't answer is asked of the host's resolvers by TCP.
#pragma once

#include <cstdint>
#include <string>

#include "dns_message.h"
#include "loop.h"

namespace wherry {

class NameServer;

class TcpNameClient : public Source {
 public:
  TcpNameClient(NameServer& server, int descriptor);
  ~TcpNameClient() override;

  void ready(uint32_t events) override;
  // Looks whether it or a resolver takes too long. The client may be gone after this and after `ready`.
  void tick(int64_t now);

 private:
  class Upstream : public Source {
   public:
    void ready(uint32_t events) override { client->upstream_ready(events); }
    TcpNameClient* client = nullptr;
  };
  enum class Phase { kReading, kAsking, kWriting };

  void read_more();
  void take_query();
  void write_more();
  void answer(const uint8_t* message, size_t length);
  void ask_next();
  void upstream_ready(uint32_t events);
  void close_upstream();
  void gone();

  NameServer& server_;
  Phase phase_ = Phase::kReading;
  std::string input_;   // what has come, a whole query at its start while it is asked
  std::string output_;
  size_t written_ = 0;
  int64_t deadline_;

  DnsQuestion question_;
  size_t query_length_ = 0;
  Upstream upstream_;
  std::string reply_;  // from the resolver, so far
  std::string request_;
  size_t requested_ = 0;
  uint16_t id_ = 0;
  size_t tried_ = 0;
  int64_t retry_at_ = 0;
};

}  // namespace wherry

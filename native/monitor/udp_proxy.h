// UDP: for each client a socket of its own, by which the answers find back to it.
#pragma once

#include <cstddef>
#include <vector>

#include "ip_address.h"
#include "loop.h"
#include "ports.h"

namespace wherry {

class UdpProxies {
 public:
  explicit UdpProxies(Loop& loop);
  ~UdpProxies();
  UdpProxies(const UdpProxies&) = delete;
  UdpProxies& operator=(const UdpProxies&) = delete;

  bool open(const HostPort& port, const SocketAddress& target, Failure* failure);
  bool release(const HostPort& port);
  size_t ports() const { return listeners_.size(); }
  void release_from(size_t count);

 private:
  struct Flow;
  class Listener : public Source {
   public:
    void ready(uint32_t) override { owner->from_clients(*this); }
    UdpProxies* owner = nullptr;
    HostPort port;
    SocketAddress target;
  };
  // A client's address and the one of ours that it sends to: answers come from there.
  struct Peer {
    SocketAddress client;
    IpAddress local;
    unsigned interface = 0;
    bool operator==(const Peer& other) const;
  };
  struct Flow : public Source {
    void ready(uint32_t) override { owner->from_target(*this); }
    UdpProxies* owner = nullptr;
    Listener* listener = nullptr;
    Peer peer;
    int64_t used = 0;
    Flow* next = nullptr;  // in the bucket
    unsigned bucket = 0;
  };

  void from_clients(Listener& listener);
  void from_target(Flow& flow);
  Flow* find(Listener& listener, const Peer& peer);
  Flow* make(Listener& listener, const Peer& peer, unsigned bucket);
  void remove(Flow* flow);
  void remove_oldest();
  void close_listener(Listener* listener);
  void tick();

  static constexpr unsigned kBuckets = 256;
  Loop& loop_;
  std::vector<Listener*> listeners_;
  std::vector<Flow*> buckets_;  // none before the first datagram
  size_t flows_ = 0;
  Timer timer_;
};

}  // namespace wherry

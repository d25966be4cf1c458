// UDP: for each client a socket of its own, by which the answers find back to it.
#pragma once

#include <cstddef>
#include <vector>

#include "ip_address.h"
#include "loop.h"
#include "port_listeners.h"
#include "ports.h"

namespace wherry {

class UdpProxies : private PortListenerOwner {
 public:
  explicit UdpProxies(Loop& loop);
  ~UdpProxies();
  UdpProxies(const UdpProxies&) = delete;
  UdpProxies& operator=(const UdpProxies&) = delete;

  bool open(const HostPort& port, const SocketAddress& target, Failure* failure);
  bool release(const HostPort& port) { return listeners_.release(port); }
  size_t ports() const { return listeners_.size(); }
  void release_from(size_t count) { listeners_.release_from(count); }

 private:
  struct Flow;
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
    PortListener* listener = nullptr;
    Peer peer;
    int64_t used = 0;
    Flow* next = nullptr;  // in the bucket
    unsigned bucket = 0;
  };

  void listener_ready(PortListener& listener) override;
  void listener_ends(PortListener& listener) override;
  void from_target(Flow& flow);
  Flow* find(PortListener& listener, const Peer& peer);
  Flow* make(PortListener& listener, const Peer& peer, unsigned bucket);
  void remove(Flow* flow);
  void remove_oldest();
  void tick();

  static constexpr unsigned kBuckets = 256;
  Loop& loop_;
  std::vector<Flow*> buckets_;  // none before the first datagram
  size_t flows_ = 0;
  Timer timer_;
  // Last: its end takes the flows with it.
  PortListeners listeners_;
};

}  // namespace wherry

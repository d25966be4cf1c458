// The sockets at which proxies wait for clients, each with the published port that it is for.
#pragma once

#include <cstddef>
#include <vector>

#include "ip_address.h"
#include "kernel/fd.h"
#include "loop.h"
#include "ports.h"

namespace wherry {

class PortListener;

class PortListenerOwner {
 public:
  virtual void listener_ready(PortListener& listener) = 0;
  // It is about to be closed.
  virtual void listener_ends(PortListener&) {}

 protected:
  ~PortListenerOwner() = default;
};

class PortListener : public Source {
 public:
  void ready(uint32_t) override { owner->listener_ready(*this); }
  PortListenerOwner* owner = nullptr;
  HostPort port;
  SocketAddress target;
  // Whoever comes to another address than one of 127.0.0.0/8 is turned away.
  bool loopback_only = false;
};

class PortListeners {
 public:
  PortListeners(Loop& loop, PortListenerOwner& owner) : loop_(loop), owner_(owner) {}
  ~PortListeners() { release_from(0); }
  PortListeners(const PortListeners&) = delete;
  PortListeners& operator=(const PortListeners&) = delete;

  void add(const HostPort& port, const SocketAddress& target, Fd socket, bool loopback_only = false);
  bool release(const HostPort& port);
  // Closes all but the first `count`.
  void release_from(size_t count);
  size_t size() const { return listeners_.size(); }
  // Clients wait in the kernel until `resume`.
  void pause();
  void resume();
  bool paused() const { return paused_; }

 private:
  void close_listener(PortListener* listener);

  Loop& loop_;
  PortListenerOwner& owner_;
  std::vector<PortListener*> listeners_;
  bool paused_ = false;
};

}  // namespace wherry

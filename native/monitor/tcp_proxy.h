// TCP: each connection is two sockets, between which the kernel moves the bytes (splice) without a copy here.
#pragma once

#include <cstddef>
#include <vector>

#include "ip_address.h"
#include "loop.h"
#include "port_listeners.h"
#include "ports.h"

namespace wherry {

class TcpProxies;

class TcpConnection {
 public:
  // Takes the client's socket and one that is connecting to the target.
  TcpConnection(TcpProxies& owner, int client, int server);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

 private:
  // One socket, and what has been read from it but not yet written to the other.
  class Side : public Source {
   public:
    void ready(uint32_t events) override { connection->side_ready(events); }
    TcpConnection* connection = nullptr;
    Side* other = nullptr;
    int pipe[2] = {-1, -1};
    size_t held = 0;
    bool ended = false;     // nothing more comes from here
    bool finished = false;  // the other has been told so
  };

  void side_ready(uint32_t events);
  bool connected();
  // False: the connection is broken.
  bool carry(Side& from);
  void update_watch();

  TcpProxies& owner_;
  Side client_, server_;
  bool connecting_ = true;
};

class TcpProxies : private PortListenerOwner {
 public:
  explicit TcpProxies(Loop& loop);
  ~TcpProxies();
  TcpProxies(const TcpProxies&) = delete;
  TcpProxies& operator=(const TcpProxies&) = delete;

  bool open(const HostPort& port, const SocketAddress& target, bool loopback_only, Failure* failure);
  // Connections that came by it go on.
  bool release(const HostPort& port) { return listeners_.release(port); }
  size_t ports() const { return listeners_.size(); }
  void release_from(size_t count) { listeners_.release_from(count); }
  void release_memory();

  // For connections.
  Loop& loop() { return loop_; }
  void remove(TcpConnection* connection);
  bool take_pipe(int ends[2]);
  void give_pipe(int ends[2]);

 private:
  void listener_ready(PortListener& listener) override;
  void begin(const PortListener& listener, int client);

  Loop& loop_;
  PortListeners listeners_;
  std::vector<TcpConnection*> connections_;
  std::vector<int> pipes_;  // empty ones, read end and write end by turns
  Timer timer_;
};

}  // namespace wherry

#include "tcp_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "kernel/fd.h"

namespace wherry {

namespace {

constexpr size_t kMostConnections = 1024;
constexpr size_t kResumeBelow = kMostConnections - kMostConnections / 8;
constexpr int kBacklog = 512;
constexpr unsigned kAcceptAtOnce = 16;
constexpr size_t kChunk = 256 << 10;    // also the size of the pipes, where the kernel allows it
constexpr unsigned kChunksAtOnce = 8;  // so that others get their turn
constexpr size_t kPipesKept = 8;       // in descriptors
constexpr int64_t kPause = 100 * 1000000ll;

void set_on(int fd, int level, int name) {
  int on = 1;
  setsockopt(fd, level, name, &on, sizeof on);
}

// The client sees a reset, as it would without us between.
void reset_and_close(int fd) {
  linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

bool is_for_loopback(int fd) {
  SocketAddress own;
  return getsockname(fd, &own.any, &own.length) == 0 && own.any.sa_family == AF_INET &&
         ntohl(own.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

}  // namespace

TcpConnection::TcpConnection(TcpProxies& owner, int client, int server) : owner_(owner) {
  client_.fd = client;
  server_.fd = server;
  client_.connection = server_.connection = this;
  client_.other = &server_;
  server_.other = &client_;
  for (int fd : {client, server}) {
    set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
    // What was a segment stays one.
    set_on(fd, IPPROTO_TCP, TCP_NODELAY);
  }
  owner_.loop().watch(server_, EPOLLOUT);
}

TcpConnection::~TcpConnection() {
  // Both ends heard of the end, or neither does by a reset.
  bool orderly = client_.finished && server_.finished;
  for (Side* side : {&client_, &server_}) {
    owner_.loop().forget(*side);
    if (orderly) close(side->fd);
    else reset_and_close(side->fd);
    if (side->pipe[0] >= 0) {
      close(side->pipe[0]);
      close(side->pipe[1]);
    }
  }
}

bool TcpConnection::connected() {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(server_.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return false;
  connecting_ = false;
  return true;
}

void TcpConnection::side_ready(uint32_t events) {
  bool ok = true;
  if (connecting_) {
    ok = connected();
  } else if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & (EPOLLIN | EPOLLOUT)) == 0) {
    // Nothing to read or write that would tell.
    ok = false;
  }
  if (ok) ok = carry(client_) && carry(server_);
  if (!ok || (client_.finished && server_.finished)) return owner_.remove(this);
  update_watch();
}

bool TcpConnection::carry(Side& from) {
  Side& to = *from.other;
  bool ok = true;
  for (unsigned count = 0; ok && count < kChunksAtOnce; count++) {
    if (from.held == 0) {
      if (from.ended) break;
      if (from.pipe[0] < 0 && !owner_.take_pipe(from.pipe)) return false;
      ssize_t got = splice(from.fd, nullptr, from.pipe[1], nullptr, kChunk, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (got < 0) ok = false;
      if (got == 0) from.ended = true;
      if (got > 0) from.held = static_cast<size_t>(got);
    }
    if (from.held == 0) continue;
    ssize_t sent = splice(from.pipe[0], nullptr, to.fd, nullptr, from.held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (sent <= 0) ok = false;
    else from.held -= static_cast<size_t>(sent);
  }
  if (from.held == 0 && from.pipe[0] >= 0) owner_.give_pipe(from.pipe);
  if (ok && from.ended && from.held == 0 && !from.finished) {
    from.finished = true;
    ok = shutdown(to.fd, SHUT_WR) == 0;
  }
  return ok;
}

void TcpConnection::update_watch() {
  for (Side* side : {&client_, &server_}) {
    uint32_t events = 0;
    if (side->held == 0 && !side->ended) events |= EPOLLIN;
    if (side->other->held > 0) events |= EPOLLOUT;
    // EPOLLPRI never comes: it keeps the socket watched for a reset, which is the only hang-up as long as we
    // haven't shut our direction.
    if (events == 0 && !side->other->finished) events = EPOLLPRI;
    owner_.loop().watch(*side, events);
  }
}

TcpProxies::TcpProxies(Loop& loop) : loop_(loop), listeners_(loop, *this) {
  timer_.context = this;
  timer_.fire = [](void* self) { static_cast<TcpProxies*>(self)->listeners_.resume(); };
}

TcpProxies::~TcpProxies() {
  loop_.cancel(timer_);
  for (TcpConnection* connection : connections_) delete connection;
  release_memory();
}

bool TcpProxies::open(const HostPort& port, const SocketAddress& target, bool loopback_only, Failure* failure) {
  Fd fd(port_socket(port));
  SocketAddress address(port.address, port.port);
  if (!fd) return is_moot(port, errno) || bind_failed(port, errno, failure);
  // Old connections of whoever had the port don't matter; a socket that listens keeps others out by itself.
  set_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (bind(fd.get(), &address.any, address.length) != 0 || listen(fd.get(), kBacklog) != 0)
    return bind_failed(port, errno, failure);
  listeners_.add(port, target, std::move(fd), loopback_only);
  return true;
}

void TcpProxies::listener_ready(PortListener& listener) {
  for (unsigned count = 0; count < kAcceptAtOnce; count++) {
    if (connections_.size() >= kMostConnections) return listeners_.pause();
    int client = unless_last(accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        listeners_.pause();
        loop_.set(timer_, kPause);
      }
      return;
    }
    if (listener.loopback_only && !is_for_loopback(client)) reset_and_close(client);
    else begin(listener, client);
  }
}

void TcpProxies::begin(const PortListener& listener, int client) {
  const SocketAddress& target = listener.target;
  int server = unless_last(socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (server >= 0 && connect(server, &target.any, target.length) != 0 && errno != EINPROGRESS) {
    close(server);
    server = -1;
  }
  if (server < 0) return reset_and_close(client);
  connections_.push_back(new TcpConnection(*this, client, server));
}

void TcpProxies::remove(TcpConnection* connection) {
  for (size_t i = 0; i < connections_.size(); i++) {
    if (connections_[i] != connection) continue;
    connections_[i] = connections_.back();
    connections_.pop_back();
    break;
  }
  delete connection;
  // Not at each one that ends: a container may have thousands of ports.
  if (listeners_.paused() && connections_.size() <= kResumeBelow) listeners_.resume();
}

bool TcpProxies::take_pipe(int ends[2]) {
  if (!pipes_.empty()) {
    ends[1] = pipes_.back();
    pipes_.pop_back();
    ends[0] = pipes_.back();
    pipes_.pop_back();
    return true;
  }
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    ends[0] = ends[1] = -1;
    return false;
  }
  fcntl(ends[1], F_SETPIPE_SZ, kChunk);
  return true;
}

void TcpProxies::give_pipe(int ends[2]) {
  if (pipes_.size() < kPipesKept) {
    pipes_.push_back(ends[0]);
    pipes_.push_back(ends[1]);
  } else {
    close(ends[0]);
    close(ends[1]);
  }
  ends[0] = ends[1] = -1;
}

void TcpProxies::release_memory() {
  for (int fd : pipes_) close(fd);
  std::vector<int>().swap(pipes_);
}

}  // namespace wherry

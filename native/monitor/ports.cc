#include "ports.h"

#include <errno.h>
#include <linux/filter.h>
#include <unistd.h>

#include "descriptors.h"
#include "kernel/fd.h"

namespace wherry {

namespace {

bool set_option(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value) == 0; }

// Without SO_REUSEADDR a bound socket keeps everybody else out, whatever they set. But it is refused itself
// while connections of a server that has just ended are in TIME_WAIT. With it the socket must have listened
// for the kernel to refuse others from then on; then it needs to listen no more.
bool bind_tcp(int fd, const SocketAddress& address) {
  if (bind(fd, &address.any, address.length) == 0) return true;
  if (errno != EADDRINUSE) return false;
  return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) && bind(fd, &address.any, address.length) == 0 &&
         listen(fd, 0) == 0 && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 0) && shutdown(fd, SHUT_RD) == 0;
}

// Datagrams that aren't translated on their way must not pile up in a socket that nobody reads.
bool bind_udp(int fd, const SocketAddress& address) {
  struct sock_filter drop_all[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  struct sock_fprog program = {1, drop_all};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
         bind(fd, &address.any, address.length) == 0;
}

}  // namespace

std::string HostPort::text() const {
  return endpoint_text(address, port) + (protocol == kUdp ? "/udp" : protocol == kSctp ? "/sctp" : "/tcp");
}

bool bind_failed(const HostPort& port, int err, Failure* failure) {
  return fail(failure, err, "failed to bind host port %s", port.text().c_str());
}

int port_socket(const HostPort& port) {
  int family = port.address.length == 16 ? AF_INET6 : AF_INET;
  int type = (port.protocol == kUdp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int fd = unless_last(socket(family, type, port.protocol == kSctp ? IPPROTO_SCTP : 0));
  if (fd >= 0 && family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  return fd;
}

Ports::~Ports() { release_from(0); }

// On a host without IPv6 nobody can have the port there.
bool is_moot(const HostPort& port, int err) { return err == EAFNOSUPPORT && port.address.unspecified(); }

bool Ports::reserve(const HostPort& port, Failure* failure) {
  Fd fd(port_socket(port));
  if (!fd && is_moot(port, errno)) return true;
  if (!fd) return bind_failed(port, errno, failure);
  SocketAddress address(port.address, port.port);
  bool bound = port.protocol == kUdp   ? bind_udp(fd.get(), address)
               : port.protocol == kTcp ? bind_tcp(fd.get(), address)
                                       : bind(fd.get(), &address.any, address.length) == 0;
  if (!bound) return bind_failed(port, errno, failure);
  held_.push_back({port, fd.release()});
  return true;
}

bool Ports::release(const HostPort& port) {
  for (size_t i = 0; i < held_.size(); i++) {
    if (!(held_[i].port == port)) continue;
    close(held_[i].fd);
    held_.erase(held_.begin() + static_cast<ptrdiff_t>(i));
    return true;
  }
  return false;
}

void Ports::release_from(size_t count) {
  for (size_t i = count; i < held_.size(); i++) close(held_[i].fd);
  if (count < held_.size()) held_.resize(count);
}

}  // namespace wherry

#include "port_listeners.h"

#include <sys/epoll.h>
#include <unistd.h>

namespace wherry {

void PortListeners::add(const HostPort& port, const SocketAddress& target, Fd socket, bool loopback_only) {
  auto listener = new PortListener;
  listener->owner = &owner_;
  listener->port = port;
  listener->target = target;
  listener->loopback_only = loopback_only;
  listener->fd = socket.release();
  listeners_.push_back(listener);
  if (!paused_) loop_.watch(*listener, EPOLLIN);
}

void PortListeners::close_listener(PortListener* listener) {
  owner_.listener_ends(*listener);
  loop_.forget(*listener);
  close(listener->fd);
  delete listener;
}

bool PortListeners::release(const HostPort& port) {
  for (size_t i = 0; i < listeners_.size(); i++) {
    if (!(listeners_[i]->port == port)) continue;
    close_listener(listeners_[i]);
    listeners_.erase(listeners_.begin() + static_cast<ptrdiff_t>(i));
    return true;
  }
  return false;
}

void PortListeners::release_from(size_t count) {
  while (listeners_.size() > count) {
    close_listener(listeners_.back());
    listeners_.pop_back();
  }
}

void PortListeners::pause() {
  paused_ = true;
  for (PortListener* listener : listeners_) loop_.forget(*listener);
}

void PortListeners::resume() {
  paused_ = false;
  for (PortListener* listener : listeners_) loop_.watch(*listener, EPOLLIN);
}

}  // namespace wherry

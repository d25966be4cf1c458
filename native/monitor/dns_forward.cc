#include "dns_forward.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "datagram.h"
#include "descriptors.h"
#include "names.h"
#include "random.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMostPending = 1024;
constexpr unsigned kMostForeign = 16;  // messages read at a time that are no answers

}  // namespace

int upstream_socket(const SocketAddress& server, int type) {
  return unless_last(socket(server.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

UdpForwarder::UdpForwarder(NameServer& server) : server_(server) {
  timer_.context = this;
  timer_.fire = [](void* self) { static_cast<UdpForwarder*>(self)->tick(); };
}

UdpForwarder::~UdpForwarder() {
  while (!pending_.empty()) remove(*pending_.back());
  server_.loop().cancel(timer_);
}

void UdpForwarder::forward(const uint8_t* query, size_t length, const DnsQuestion& question,
                           const SocketAddress& client) {
  if (pending_.size() >= kMostPending) remove(*pending_.front());
  auto pending = new Pending;
  pending->query.assign(reinterpret_cast<const char*>(query), length);
  pending->question = question;
  pending->client = client;
  for (Attempt& attempt : pending->attempts) {
    attempt.forwarder = this;
    attempt.pending = pending;
  }
  pending->deadline = steady_clock() + kDnsDeadline;
  pending_.push_back(pending);
  if (timer_.deadline == 0) server_.loop().set(timer_, kDnsTick);
  if (!ask_next(*pending, false)) give_up(*pending);
}

// Asks the next resolver that can be asked; `again` allows those that have been asked before.
bool UdpForwarder::ask_next(Pending& pending, bool again) {
  const auto& servers = server_.upstreams();
  size_t end = again ? pending.tried + servers.size() : servers.size();
  while (pending.tried < end) {
    if (ask(pending, servers[pending.tried++ % servers.size()])) return true;
  }
  return false;
}

bool UdpForwarder::ask(Pending& pending, const SocketAddress& server) {
  int fd = upstream_socket(server, SOCK_DGRAM);
  if (fd < 0) return false;
  // In place of one that has failed, or of the older one.
  if (pending.attempts[1 - pending.next_attempt].fd < 0) pending.next_attempt = 1 - pending.next_attempt;
  Attempt& attempt = pending.attempts[pending.next_attempt];
  close_attempt(attempt);
  uint8_t id[2];
  attempt.id = random_u16();
  put_dns_u16(id, attempt.id);
  iovec parts[2] = {{id, 2}, {&pending.query[2], pending.query.size() - 2}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (connect(fd, &server.any, server.length) != 0 || sendmsg(fd, &message, MSG_NOSIGNAL) < 0) {
    close(fd);
    return false;
  }
  attempt.fd = fd;
  server_.loop().watch(attempt, EPOLLIN);
  pending.next_attempt = 1 - pending.next_attempt;
  pending.retry_at = steady_clock() + kDnsPatience;
  return true;
}

void UdpForwarder::receive(Pending& pending, Attempt& attempt, uint32_t) {
  uint8_t* buffer = datagram_buffer();
  auto query = reinterpret_cast<const uint8_t*>(pending.query.data());
  for (unsigned count = 0; count < kMostForeign; count++) {
    ssize_t got = recv(attempt.fd, buffer, kDatagram, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return attempt_failed(pending, attempt);
    auto length = static_cast<size_t>(got);
    switch (read_response(buffer, length, query, pending.question.end, attempt.id)) {
      case ResponseStatus::kForeign: continue;
      case ResponseStatus::kFailed:
        pending.refusal.assign(reinterpret_cast<char*>(buffer), length);
        return attempt_failed(pending, attempt);
      case ResponseStatus::kAnswered:
        memcpy(buffer, query, 2);
        server_.send_udp(pending.client, buffer, length, pending.question);
        return remove(pending);
    }
  }
}

// The next is asked at once. When there is none, another that has been asked may still answer.
void UdpForwarder::attempt_failed(Pending& pending, Attempt& attempt) {
  close_attempt(attempt);
  if (ask_next(pending, false)) return;
  for (const Attempt& one : pending.attempts)
    if (one.fd >= 0) return;
  give_up(pending);
}

void UdpForwarder::close_attempt(Attempt& attempt) {
  if (attempt.fd < 0) return;
  server_.loop().forget(attempt);
  close(attempt.fd);
  attempt.fd = -1;
}

void UdpForwarder::give_up(Pending& pending) {
  auto query = reinterpret_cast<const uint8_t*>(pending.query.data());
  // What a resolver said has the question only when it could read it.
  if (pending.refusal.size() >= pending.question.end) {
    auto refusal = reinterpret_cast<uint8_t*>(&pending.refusal[0]);
    memcpy(refusal, query, 2);
    server_.send_udp(pending.client, refusal, pending.refusal.size(), pending.question);
  } else {
    DnsAnswer answer(query, &pending.question, kServerFailure, pending.question.udp_limit);
    const std::string& bytes = answer.finish();
    server_.send_udp(pending.client, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), pending.question);
  }
  remove(pending);
}

void UdpForwarder::remove(Pending& pending) {
  for (Attempt& attempt : pending.attempts) close_attempt(attempt);
  for (size_t i = 0; i < pending_.size(); i++) {
    if (pending_[i] != &pending) continue;
    pending_.erase(pending_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  delete &pending;
}

void UdpForwarder::tick() {
  int64_t now = steady_clock();
  for (size_t i = 0; i < pending_.size();) {
    Pending& pending = *pending_[i];
    if (now >= pending.deadline) {
      give_up(pending);
      continue;
    }
    if (now >= pending.retry_at) {
      // A resolver that can't be asked any more leaves the one that was asked.
      pending.retry_at = pending.deadline;
      ask_next(pending, true);
    }
    i++;
  }
  if (!pending_.empty()) server_.loop().set(timer_, kDnsTick);
}

}  // namespace wherry

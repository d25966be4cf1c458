#include "dns_tcp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "dns_forward.h"
#include "names.h"
#include "random.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMaxQuery = 4096;
constexpr int64_t kIdle = 10 * 1000000000ll;

}  // namespace

TcpNameClient::TcpNameClient(NameServer& server, int descriptor)
    : Source(descriptor), server_(server), deadline_(steady_clock() + kIdle) {
  upstream_.client = this;
  server_.loop().watch(*this, EPOLLIN);
}

TcpNameClient::~TcpNameClient() {
  close_upstream();
  server_.loop().forget(*this);
  close(fd);
}

void TcpNameClient::gone() { server_.remove(this); }

void TcpNameClient::ready(uint32_t events) {
  if (phase_ == Phase::kWriting) return write_more();
  if (phase_ == Phase::kReading) return read_more();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) gone();
}

void TcpNameClient::read_more() {
  uint8_t* buffer = datagram_buffer();
  ssize_t got = recv(fd, buffer, kMaxQuery, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return gone();
  input_.append(reinterpret_cast<char*>(buffer), static_cast<size_t>(got));
  take_query();
}

// Handles the query at the start of the input, when it is there.
void TcpNameClient::take_query() {
  auto bytes = reinterpret_cast<const uint8_t*>(input_.data());
  size_t length = input_.size() < 2 ? 0 : dns_u16(bytes);
  if (input_.size() >= 2 && (length < kDnsHeader || length > kMaxQuery)) return gone();
  if (input_.size() < 2 || input_.size() - 2 < length) {
    phase_ = Phase::kReading;
    return server_.loop().watch(*this, EPOLLIN);
  }
  query_length_ = length;
  std::string local;
  switch (server_.answer(bytes + 2, length, kDatagram - 1, &question_, &local)) {
    case NameServer::Outcome::kIgnored: return gone();
    case NameServer::Outcome::kAnswered:
      return answer(reinterpret_cast<const uint8_t*>(local.data()), local.size());
    case NameServer::Outcome::kForward: break;
  }
  phase_ = Phase::kAsking;
  // EPOLLPRI never comes: it keeps the descriptor watched for a hang-up.
  server_.loop().watch(*this, EPOLLPRI);
  tried_ = 0;
  deadline_ = steady_clock() + kDnsDeadline;
  ask_next();
}

void TcpNameClient::answer(const uint8_t* message, size_t length) {
  close_upstream();
  input_.erase(0, 2 + query_length_);
  uint8_t prefix[2];
  put_dns_u16(prefix, static_cast<uint16_t>(length));
  output_.assign(reinterpret_cast<char*>(prefix), 2);
  output_.append(reinterpret_cast<const char*>(message), length);
  written_ = 0;
  phase_ = Phase::kWriting;
  deadline_ = steady_clock() + kIdle;
  // Not from here: the client may be gone in its course, and whoever called goes on.
  server_.loop().watch(*this, EPOLLOUT);
}

void TcpNameClient::write_more() {
  ssize_t sent = send(fd, output_.data() + written_, output_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (sent < 0) return gone();
  written_ += static_cast<size_t>(sent);
  if (written_ < output_.size()) return;
  std::string().swap(output_);
  take_query();
}

// Connects to the next resolver; when all have failed the client is told so.
void TcpNameClient::ask_next() {
  close_upstream();
  const auto& servers = server_.upstreams();
  while (tried_ < servers.size()) {
    const SocketAddress& server = servers[tried_++];
    int socket = upstream_socket(server, SOCK_STREAM);
    if (socket < 0) continue;
    if (connect(socket, &server.any, server.length) != 0 && errno != EINPROGRESS) {
      close(socket);
      continue;
    }
    upstream_.fd = socket;
    request_.assign(input_, 0, 2 + query_length_);
    id_ = random_u16();
    put_dns_u16(reinterpret_cast<uint8_t*>(&request_[2]), id_);
    requested_ = 0;
    retry_at_ = steady_clock() + kDnsPatience;
    return server_.loop().watch(upstream_, EPOLLOUT);
  }
  DnsAnswer failure(reinterpret_cast<const uint8_t*>(input_.data()) + 2, &question_, kServerFailure, kDatagram - 1);
  const std::string& bytes = failure.finish();
  answer(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

void TcpNameClient::close_upstream() {
  std::string().swap(reply_);
  std::string().swap(request_);
  if (upstream_.fd < 0) return;
  server_.loop().forget(upstream_);
  close(upstream_.fd);
  upstream_.fd = -1;
}

void TcpNameClient::upstream_ready(uint32_t) {
  if (requested_ < request_.size()) {
    ssize_t sent = send(upstream_.fd, request_.data() + requested_, request_.size() - requested_,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return ask_next();
    requested_ += static_cast<size_t>(sent);
    if (requested_ == request_.size()) server_.loop().watch(upstream_, EPOLLIN);
    return;
  }
  uint8_t* buffer = datagram_buffer();
  size_t wanted = reply_.size() < 2 ? 2 - reply_.size()
                                    : 2 + dns_u16(reinterpret_cast<const uint8_t*>(reply_.data())) - reply_.size();
  ssize_t got = recv(upstream_.fd, buffer, wanted, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return ask_next();
  reply_.append(reinterpret_cast<char*>(buffer), static_cast<size_t>(got));
  if (reply_.size() < 2) return;
  auto reply = reinterpret_cast<uint8_t*>(&reply_[0]);
  size_t length = dns_u16(reply);
  if (length < kDnsHeader) return ask_next();
  if (reply_.size() < 2 + length) return;
  auto query = reinterpret_cast<const uint8_t*>(input_.data()) + 2;
  ResponseStatus status = read_response(reply + 2, length, query, question_.end, id_);
  bool last = tried_ >= server_.upstreams().size();
  // The last refusal is the client's answer, when it has the question.
  bool refusal = status == ResponseStatus::kFailed && last && length >= question_.end;
  if (status != ResponseStatus::kAnswered && !refusal) return ask_next();
  memcpy(reply + 2, query, 2);
  std::string whole;
  whole.swap(reply_);
  answer(reinterpret_cast<const uint8_t*>(whole.data()) + 2, length);
}

void TcpNameClient::tick(int64_t now) {
  if (phase_ == Phase::kAsking) {
    if (now >= deadline_) tried_ = server_.upstreams().size();
    if (now >= deadline_ || (now >= retry_at_ && tried_ < server_.upstreams().size())) ask_next();
  } else if (now >= deadline_) {
    gone();
  }
}

}  // namespace wherry

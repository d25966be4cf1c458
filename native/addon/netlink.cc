#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

#include "binding.h"
#include "kernel/fd.h"

namespace wherry {
namespace {

constexpr int kBuffer = 8 << 20;
constexpr size_t kMaxAnswer = 256 << 10;
constexpr uint16_t kDump = NLM_F_ROOT | NLM_F_MATCH;

Status open_socket(int protocol, size_t batch_size, Fd &socket_fd) {
  socket_fd.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket_fd) return system_failure(errno, "socket");
  int on = 1, receive = kBuffer, send = static_cast<int>(batch_size) + (64 << 10);
  setsockopt(socket_fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(socket_fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(socket_fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (setsockopt(socket_fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) != 0) {
    setsockopt(socket_fd.get(), SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
  }
  // A transaction of nf_tables is one datagram.
  if (setsockopt(socket_fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof send) != 0) {
    setsockopt(socket_fd.get(), SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
  }
  return {};
}

/**
 * The kernel has answered everything when send(2) returns, and makes the rest of a dump while it is read. So what
 * can be read without waiting is all there is.
 */
Status exchange_piece(int fd, const char *data, size_t size, std::string &buffer, std::string &replies) {
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = sendto(fd, data, size, 0, reinterpret_cast<sockaddr *>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent != static_cast<ssize_t>(size)) return system_failure(sent < 0 ? errno : EMSGSIZE, "sendto");
  for (;;) {
    ssize_t got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return {};
    if (got < 0) return system_failure(errno, "recv");
    if (static_cast<size_t>(got) > buffer.size()) return system_failure(EMSGSIZE, "recv");
    replies.append(buffer, 0, static_cast<size_t>(got));
    replies.resize(NLMSG_ALIGN(replies.size()));
  }
}

/** A socket runs one dump at a time: a batch is sent in pieces that end with a dump each. */
Status exchange(int protocol, int namespace_fd, const std::string &batch, std::string &replies) {
  // This thread is ours alone and ends with the exchange: it needn't come back.
  if (namespace_fd >= 0 && setns(namespace_fd, CLONE_NEWNET) != 0) return system_failure(errno, "setns");
  Fd fd;
  if (Status failure = open_socket(protocol, batch.size(), fd)) return failure;
  std::string buffer(kMaxAnswer, '\0');
  size_t begin = 0;
  for (size_t at = 0; at < batch.size();) {
    nlmsghdr header;
    if (batch.size() - at < sizeof header) return system_failure(EINVAL, "netlink batch");
    memcpy(&header, batch.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > batch.size() - at) {
      return system_failure(EINVAL, "netlink batch");
    }
    at += NLMSG_ALIGN(header.nlmsg_len);
    // The flags of a dump share their bits with those of a creation, which always acks.
    bool dump = (header.nlmsg_flags & kDump) == kDump && !(header.nlmsg_flags & NLM_F_ACK);
    if (!dump && at < batch.size()) continue;
    if (Status failure = exchange_piece(fd.get(), batch.data() + begin, at - begin, buffer, replies)) return failure;
    begin = at;
  }
  return {};
}

/** netlink(protocol, batch, namespaceFd): Promise<Buffer> */
Napi::Value netlink_on_thread(const Napi::CallbackInfo &info) {
  int protocol;
  if (!get_arguments(info, protocol)) return info.Env().Undefined();
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Napi::TypeError::New(info.Env(), "argument 2 must be a Uint8Array").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  int namespace_fd = -1;
  if (!info[2].IsUndefined() && !get_argument(info, 2, namespace_fd)) return info.Env().Undefined();
  auto bytes = info[1].As<Napi::Uint8Array>();
  auto batch = std::make_shared<std::string>(reinterpret_cast<const char *>(bytes.Data()), bytes.ByteLength());
  auto replies = std::make_shared<std::string>();
  return run_on_thread(
      info.Env(), [=] { return exchange(protocol, namespace_fd, *batch, *replies); },
      [replies](Napi::Env env) { return Napi::Buffer<char>::Copy(env, replies->data(), replies->size()); });
}

}  // namespace

void export_netlink(Napi::Env env, Napi::Object exports) {
  exports.Set("netlink", Napi::Function::New(env, netlink_on_thread, "netlink"));
}

}  // namespace wherry

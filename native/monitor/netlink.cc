// Netlink batches, sent as the plan has them.
#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "host.h"
#include "kernel/fd.h"

namespace wherry {

namespace {

constexpr int kHostNetns = 100;
constexpr int kContainerNetns = 101;
// An answer with the kernel's words is charged to the socket as less than this.
constexpr size_t kAnswerCharge = 1280;
constexpr size_t kMaxAnswer = 64 << 10;

// Puts a descriptor at a number for as long as it lives. What was there is kept aside meanwhile; its file stays
// open, so nothing that refers to the file notices.
class AtNumber {
 public:
  AtNumber(int fd, int number) : number_(number) {
    aside_.reset(fcntl(number, F_DUPFD_CLOEXEC, number + 2));
    // Without a place for what is there it must not be replaced.
    if (!aside_ && errno != EBADF) return;
    ok_ = fd == number || dup3(fd, number, O_CLOEXEC) >= 0;
  }
  ~AtNumber() {
    if (!ok_) return;
    if (aside_) {
      dup3(aside_.get(), number_, O_CLOEXEC);
    } else {
      close(number_);
    }
  }
  AtNumber(const AtNumber&) = delete;
  AtNumber& operator=(const AtNumber&) = delete;
  bool ok() const { return ok_; }

 private:
  int number_;
  Fd aside_;
  bool ok_ = false;
};

// The kernel's own words about an error, when it has some (NLMSGERR_ATTR_MSG).
std::string extended_text(const nlmsghdr* header) {
  auto bytes = reinterpret_cast<const char*>(header);
  size_t at = NLMSG_HDRLEN + sizeof(nlmsgerr);
  auto error = reinterpret_cast<const nlmsgerr*>(bytes + NLMSG_HDRLEN);
  // Without NLM_F_CAPPED the request follows before the attributes.
  if (!(header->nlmsg_flags & NLM_F_CAPPED)) at += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  while (at + NLA_HDRLEN <= header->nlmsg_len) {
    nlattr attribute;
    memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || at + attribute.nla_len > header->nlmsg_len) return {};
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      const char* text = bytes + at + NLA_HDRLEN;
      return std::string(text, strnlen(text, attribute.nla_len - static_cast<size_t>(NLA_HDRLEN)));
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  return {};
}

// Which message of the batch has a sequence number.
size_t index_of(std::string_view messages, uint32_t sequence) {
  size_t index = 0;
  for (size_t at = 0; at < messages.size(); index++) {
    nlmsghdr header;
    memcpy(&header, messages.data() + at, sizeof header);
    if (header.nlmsg_seq == sequence) return index;
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return sequence;
}

// The answers to a batch are all there when send(2) returns. The first error counts.
bool read_answers(int fd, std::string_view messages, size_t expected, Failure* failure) {
  std::vector<char> buffer(kMaxAnswer);
  bool ok = true;
  size_t answers = 0;
  for (;;) {
    ssize_t got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return fail(failure, errno, "read the netlink answers");
    auto left = static_cast<unsigned>(got);
    for (auto header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) continue;
      answers++;
      auto error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
      if (!error->error || !ok) continue;
      std::string text = extended_text(header);
      ok = fail(failure, -error->error, "netlink message %zu of type %u%s%s",
                index_of(messages, error->msg.nlmsg_seq), error->msg.nlmsg_type, text.empty() ? "" : ": ",
                text.c_str());
    }
  }
  // Not every kernel answers the message that ends a batch of nf_tables.
  if (ok && expected && !answers) return fail(failure, 0, "netlink: none of %zu answers", expected);
  return ok;
}

// How many messages of a batch want an answer; false when they are not whole messages.
bool count_answers(std::string_view messages, size_t* expected) {
  *expected = 0;
  for (size_t at = 0; at < messages.size();) {
    nlmsghdr header;
    if (messages.size() - at < sizeof header) return false;
    memcpy(&header, messages.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size() - at) return false;
    if (header.nlmsg_flags & NLM_F_ACK) ++*expected;
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return true;
}

}  // namespace

bool socket_in_network(int netns, int family, int type, int protocol, Fd* fd, Failure* failure) {
  Fd own;
  if (netns >= 0) {
    own.reset(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!own) return fail(failure, errno, "open /proc/self/ns/net");
    if (setns(netns, CLONE_NEWNET) < 0) return fail(failure, errno, "enter the network namespace");
  }
  fd->reset(socket(family, type | SOCK_CLOEXEC, protocol));
  int err = errno;
  if (own && setns(own.get(), CLONE_NEWNET) < 0) return fail(failure, errno, "leave the network namespace");
  return *fd || fail(failure, err, "socket");
}

bool send_netlink(int socket_netns, int container_netns, int protocol, std::string_view messages, Failure* failure) {
  size_t expected;
  if (!count_answers(messages, &expected)) return fail(failure, EINVAL, "netlink batch");
  if (messages.empty()) return true;
  Fd own(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) return fail(failure, errno, "open /proc/self/ns/net");
  Fd fd;
  if (!socket_in_network(socket_netns, AF_NETLINK, SOCK_RAW, protocol, &fd, failure)) return false;
  int on = 1, size = static_cast<int>((expected < 100000 ? expected : 100000) * kAnswerCharge + kMaxAnswer);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  // A batch of nf_tables is one transaction, and so one datagram.
  size = static_cast<int>(messages.size()) + (64 << 10);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  struct sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;

  AtNumber host(own.get(), kHostNetns);
  AtNumber container(container_netns >= 0 ? container_netns : own.get(), kContainerNetns);
  if (!host.ok() || !container.ok()) return fail(failure, errno, "dup3");
  ssize_t sent = sendto(fd.get(), messages.data(), messages.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                        sizeof kernel);
  if (sent != static_cast<ssize_t>(messages.size())) return fail(failure, errno, "send netlink messages");
  return read_answers(fd.get(), messages, expected, failure);
}

bool pin_address(const char* port, std::string_view mac, Failure* failure) {
  struct {
    nlmsghdr header;
    ndmsg entry;
    nlattr attribute;
    char mac[NLA_ALIGN(ETH_ALEN)];
  } message = {};
  if (mac.size() != ETH_ALEN) return fail(failure, EINVAL, "a MAC address of %zu bytes", mac.size());
  unsigned index = if_nametoindex(port);
  if (index == 0) return fail(failure, errno, "find the interface %s", port);
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = RTM_NEWNEIGH;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  message.entry.ndm_family = AF_BRIDGE;
  message.entry.ndm_ifindex = static_cast<int>(index);
  // It never ages, and stays with the port when frames with this address come in elsewhere.
  message.entry.ndm_state = NUD_NOARP;
  message.entry.ndm_flags = NTF_MASTER | NTF_STICKY;
  message.attribute.nla_len = NLA_HDRLEN + ETH_ALEN;
  message.attribute.nla_type = NDA_LLADDR;
  memcpy(message.mac, mac.data(), mac.size());
  return send_netlink(-1, -1, NETLINK_ROUTE, {reinterpret_cast<const char*>(&message), sizeof message}, failure);
}

}  // namespace wherry

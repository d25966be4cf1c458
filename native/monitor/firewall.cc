#include "firewall.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_filter.h"
#include "nf_tables.h"
#include "random.h"
#include "state.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMaxBase = 16 << 20;
constexpr size_t kBuffer = 16 << 10;
constexpr unsigned kMessagesFiltered = 8;

// All monitors of a host hear of a flush at once. One of them restores the table, the others wait for its lock.
constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kFirstDelay = 40 * kMillisecond;
constexpr int64_t kLockDelay = 15 * kMillisecond;
// Whoever holds the lock for so long hangs; what it had to do is not done.
constexpr int64_t kLockPatience = 10000 * kMillisecond;

int64_t random_delay(int64_t most) { return most * random_u16() / 65536 + kMillisecond / 2; }

// Whether a table lacks something of what the batch makes.
bool is_broken(uint8_t family, std::string_view table, std::string_view base) {
  size_t rules = 0;
  bool listed = list_nf_tables(NFT_MSG_GETRULE, family, table, "",
                               [](void* count, const char*, size_t) { ++*static_cast<size_t*>(count); }, &rules);
  return listed && rules < count_messages(base, nft_type(NFT_MSG_NEWRULE));
}

// Without the file nobody wants the table any more. False: somebody else holds the lock.
bool restore(const Op& op, int netns) {
  auto family = static_cast<uint8_t>(op.number(2));
  std::string batch;
  if (!read_small_file(op.path(0), kMaxBase, &batch) || !is_broken(family, op.text(3), batch)) return true;
  Fd lock;
  if (!try_lock_file(op.path(1), &lock)) return false;
  // What the lock's last holder has done.
  if (!read_small_file(op.path(0), kMaxBase, &batch) || !is_broken(family, op.text(3), batch)) return true;
  Failure failure;
  send_netlink(-1, netns, NETLINK_NETFILTER, batch, &failure);
  return true;
}

}  // namespace

FirewallWatch::FirewallWatch(Loop& loop, const std::string& plan_path, int netns)
    : loop_(loop), plan_path_(plan_path), netns_(netns), source_(*this, &FirewallWatch::receive) {
  timer_.context = this;
  timer_.fire = [](void* self) { static_cast<FirewallWatch*>(self)->look(); };
}

FirewallWatch::~FirewallWatch() {
  loop_.cancel(timer_);
  if (source_.fd < 0) return;
  loop_.forget(source_);
  close(source_.fd);
}

// Every start of a container on this host changes elements: only what deletes a table of ours, or of its chains and
// rules, wakes us, and changes of the host's filter. The kernel packs several messages into one; what is beyond the
// first few is let through unseen. A table is known by the four bytes that its name begins with: they are the first
// of the first attribute.
bool FirewallWatch::filter(int fd) const {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  constexpr uint32_t kLow = 0, kHigh = 1, kKind = 4, kWhich = 5;
#else
  constexpr uint32_t kLow = 3, kHigh = 2, kKind = 5, kWhich = 4;
#endif
  constexpr uint32_t kName = NLMSG_HDRLEN + sizeof(nfgenmsg) + NLA_HDRLEN;
  constexpr int kOwn[] = {NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE};
  constexpr int kHost[] = {NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN,
                           NFT_MSG_DELCHAIN, NFT_MSG_NEWRULE,  NFT_MSG_DELRULE};
  std::vector<sock_filter> code;
  auto jump_unless = [&](uint32_t value) {
    code.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 0, value});
    return code.size() - 1;
  };
  auto land = [&](size_t jump) { code[jump].jf = static_cast<uint8_t>(code.size() - jump - 1); };
  // X is where the message begins.
  code.push_back({BPF_LDX | BPF_IMM, 0, 0, 0});
  for (unsigned i = 0; i < kMessagesFiltered; i++) {
    code.push_back({BPF_LD | BPF_W | BPF_LEN, 0, 0, 0});
    code.push_back({BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0});
    code.push_back({BPF_JMP | BPF_JGE | BPF_K, 1, 0, kName + 4});
    code.push_back({BPF_RET | BPF_K, 0, 0, 0});
    code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kWhich});
    size_t other = jump_unless(NFNL_SUBSYS_NFTABLES);
    for (const Watched& watched : watched_) {
      char name[4] = {};
      memcpy(name, watched.table.data(), watched.table.size() < 4 ? watched.table.size() : 4);
      uint32_t start = static_cast<uint32_t>(static_cast<uint8_t>(name[0])) << 24 | static_cast<uint8_t>(name[1]) << 16 |
                       static_cast<uint8_t>(name[2]) << 8 | static_cast<uint8_t>(name[3]);
      code.push_back({BPF_LD | BPF_W | BPF_IND, 0, 0, kName});
      size_t unlike = jump_unless(start);
      code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kKind});
      auto tell_of = [&](int kind) {
        size_t no = jump_unless(static_cast<uint32_t>(kind));
        code.push_back({BPF_RET | BPF_K, 0, 0, ~0u});
        land(no);
      };
      if (watched.part == Part::kOwn) for (int kind : kOwn) tell_of(kind);
      else for (int kind : kHost) tell_of(kind);
      land(unlike);
    }
    land(other);
    // To the next: its length, which is below 64 KiB, rounded up to words.
    code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kHigh});
    code.push_back({BPF_ALU | BPF_LSH | BPF_K, 0, 0, 8});
    code.push_back({BPF_ST, 0, 0, 0});
    code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kLow});
    code.push_back({BPF_ALU | BPF_ADD | BPF_K, 0, 0, 3});
    code.push_back({BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0});
    code.push_back({BPF_LDX | BPF_MEM, 0, 0, 0});
    code.push_back({BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0});
    code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, ~3u});
    code.push_back({BPF_MISC | BPF_TAX, 0, 0, 0});
  }
  code.push_back({BPF_RET | BPF_K, 0, 0, ~0u});
  sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool FirewallWatch::open(Failure* failure) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  int group = NFNLGRP_NFTABLES;
  // Filtered before it joins the group: nothing is to come in between.
  if (!fd || !filter(fd.get()) || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return fail(failure, errno, "listen to changes of nf_tables");
  }
  source_.fd = fd.release();
  loop_.watch(source_, EPOLLIN);
  return true;
}

bool FirewallWatch::watch(std::string_view table, Part part, Failure* failure) {
  for (const Watched& watched : watched_)
    if (watched.table == table && watched.part == part) return true;
  watched_.push_back({std::string(table), part});
  if (source_.fd < 0) return open(failure);
  return filter(source_.fd) || fail(failure, errno, "listen to changes of nf_tables");
}

bool FirewallWatch::heal(const Op& op, Failure* failure) {
  if (!watch(op.text(3), Part::kOwn, failure)) return false;
  if (!restore(op, netns_)) suspect(Part::kOwn);
  return true;
}

bool FirewallWatch::allow(const Op& op, Failure* failure) {
  if (!watch(op.text(2), Part::kHost, failure)) return false;
  if (allow_in_host_filter(op) == Allowed::kBusy) suspect(Part::kHost);
  return true;
}

void FirewallWatch::receive(uint32_t) {
  alignas(nlmsghdr) char buffer[kBuffer];
  for (;;) {
    ssize_t got = recv(source_.fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ENOBUFS) return;
    if (got < 0 || static_cast<size_t>(got) > sizeof buffer) {
      // Something has been lost: look.
      suspect(Part::kOwn);
      suspect(Part::kHost);
      continue;
    }
    auto left = static_cast<unsigned>(got);
    for (auto header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || header->nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) continue;
      int kind = header->nlmsg_type & 0xff;
      bool deletes = kind == NFT_MSG_DELTABLE || kind == NFT_MSG_DELCHAIN || kind == NFT_MSG_DELRULE;
      bool makes = kind == NFT_MSG_NEWTABLE || kind == NFT_MSG_NEWCHAIN || kind == NFT_MSG_NEWRULE;
      if (!deletes && !makes) continue;
      auto attributes = static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(nfgenmsg));
      size_t length = header->nlmsg_len - static_cast<size_t>(NLMSG_LENGTH(sizeof(nfgenmsg)));
      read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
        if (type != NFTA_TABLE_NAME) return;
        std::string_view name(data, strnlen(data, size));
        for (const Watched& watched : watched_)
          if (watched.table == name && (deletes || watched.part == Part::kHost)) suspect(watched.part);
      });
    }
  }
}

void FirewallWatch::suspect(Part part) {
  suspects_ |= static_cast<uint8_t>(part);
  if (timer_.deadline != 0) return;
  started_ = steady_clock();
  loop_.set(timer_, random_delay(kFirstDelay));
}

// What the plan says now counts: networks may have gone since it was told to watch.
void FirewallWatch::look() {
  PlanFile file;
  std::string error;
  if (plan_load(plan_path_.c_str(), &file, &error) && look_at(file.plan) == Look::kBusy &&
      steady_clock() - started_ < kLockPatience) {
    loop_.set(timer_, random_delay(kLockDelay));
    return;
  }
  suspects_ = 0;
}

FirewallWatch::Look FirewallWatch::look_at(const PlanView& plan) {
  bool own = (suspects_ & static_cast<uint8_t>(Part::kOwn)) != 0;
  bool host = (suspects_ & static_cast<uint8_t>(Part::kHost)) != 0;
  for (const Op& op : plan.section(Section::kNetwork)) {
    if (own && op.code() == OpCode::kHealFirewall && !restore(op, netns_)) return Look::kBusy;
    if (host && op.code() == OpCode::kAllowInHostFilter && allow_in_host_filter(op) == Allowed::kBusy)
      return Look::kBusy;
  }
  if (own) send_elements(plan);
  return Look::kDone;
}

// Those that are there already stay as they are.
void FirewallWatch::send_elements(const PlanView& plan) {
  const auto& ops = plan.section(Section::kNetwork);
  for (size_t index = 0; index < ops.size(); index++) {
    Failure failure;
    if (ops[index].code() == OpCode::kPublishPorts) change_published(ops, &index, &failure);
  }
}

}  // namespace wherry

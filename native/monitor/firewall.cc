#include "firewall.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "netfilter_message.h"
#include "random.h"
#include "state.h"
#include "text.h"

namespace wherry {

namespace {

constexpr int kSubsystem = NFNL_SUBSYS_NFTABLES;
constexpr int64_t kHealed = 2;  // flag of netlink operations
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

// Every start of a container on this host changes elements: only what deletes a table wakes us. The kernel packs
// several messages into one; what is beyond the first few is let through unseen.
bool attach_filter(int fd) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  constexpr uint32_t kLow = 0, kHigh = 1, kKind = 4, kWhich = 5;
#else
  constexpr uint32_t kLow = 3, kHigh = 2, kKind = 5, kWhich = 4;
#endif
  std::vector<sock_filter> code;
  // X is where the message begins.
  code.push_back({BPF_LDX | BPF_IMM, 0, 0, 0});
  for (unsigned i = 0; i < kMessagesFiltered; i++) {
    code.push_back({BPF_LD | BPF_W | BPF_LEN, 0, 0, 0});
    code.push_back({BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0});
    code.push_back({BPF_JMP | BPF_JGE | BPF_K, 1, 0, NLMSG_HDRLEN});
    code.push_back({BPF_RET | BPF_K, 0, 0, 0});
    code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kWhich});
    code.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 3, kSubsystem});
    code.push_back({BPF_LD | BPF_B | BPF_IND, 0, 0, kKind});
    code.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, NFT_MSG_DELTABLE});
    code.push_back({BPF_RET | BPF_K, 0, 0, ~0u});
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

bool is_missing(uint8_t family, const std::string& name) {
  std::string request;
  {
    NetfilterMessage message(request, static_cast<uint16_t>(kSubsystem << 8 | NFT_MSG_GETTABLE), NLM_F_ACK, family);
    message.attribute(NFTA_TABLE_NAME, name.c_str(), name.size() + 1);
  }
  Failure failure;
  return !send_netlink(-1, -1, NETLINK_NETFILTER, request, &failure) && failure.err == ENOENT;
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

bool FirewallWatch::open(Failure* failure) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  int group = NFNLGRP_NFTABLES;
  // Filtered before it joins the group: nothing is to come in between.
  if (!fd || !attach_filter(fd.get()) || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return fail(failure, errno, "listen to changes of nf_tables");
  }
  source_.fd = fd.release();
  loop_.watch(source_, EPOLLIN);
  return true;
}

bool FirewallWatch::watch(const Op& op, Failure* failure) {
  if (source_.fd < 0 && !open(failure)) return false;
  Table table;
  table.base = op.text(0);
  table.lock = op.text(1);
  table.family = static_cast<uint8_t>(op.number(2));
  table.name = op.text(3);
  for (Table& one : tables_) {
    if (one.family != table.family || one.name != table.name) continue;
    one = table;
    return true;
  }
  tables_.push_back(table);
  return true;
}

void FirewallWatch::receive(uint32_t) {
  alignas(nlmsghdr) char buffer[kBuffer];
  for (;;) {
    ssize_t got = recv(source_.fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      // Something has been lost: look.
      suspect_all();
      continue;
    }
    if (got < 0) return;
    if (static_cast<size_t>(got) > sizeof buffer) suspect_all();
    auto left = static_cast<unsigned>(static_cast<size_t>(got) > sizeof buffer ? sizeof buffer : got);
    for (auto header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != (kSubsystem << 8 | NFT_MSG_DELTABLE)) continue;
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) continue;
      auto general = static_cast<const nfgenmsg*>(NLMSG_DATA(header));
      auto attributes = reinterpret_cast<const char*>(general) + NLMSG_ALIGN(sizeof *general);
      size_t length = header->nlmsg_len - static_cast<size_t>(NLMSG_LENGTH(sizeof *general));
      read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
        if (type == NFTA_TABLE_NAME) deleted(general->nfgen_family, std::string(data, strnlen(data, size)));
      });
    }
  }
}

void FirewallWatch::deleted(uint8_t family, const std::string& name) {
  for (Table& table : tables_) {
    if (table.family != family || table.name != name) continue;
    table.suspect = true;
    if (timer_.deadline != 0) continue;
    started_ = steady_clock();
    loop_.set(timer_, random_delay(kFirstDelay));
  }
}

void FirewallWatch::suspect_all() {
  for (const Table& table : tables_) deleted(table.family, table.name);
}

void FirewallWatch::look() {
  bool any = false;
  for (Table& table : tables_) {
    if (!table.suspect) continue;
    any = true;
    if (restore(table) == Look::kBusy && steady_clock() - started_ < kLockPatience) {
      loop_.set(timer_, random_delay(kLockDelay));
      return;
    }
  }
  for (Table& table : tables_) table.suspect = false;
  if (any) send_elements();
}

// Without the file nobody wants the table any more.
FirewallWatch::Look FirewallWatch::restore(const Table& table) {
  Fd lock;
  if (!try_lock_file(table.lock.c_str(), &lock)) return Look::kBusy;
  std::string batch;
  Failure failure;
  if (is_missing(table.family, table.name) && read_small_file(table.base, kMaxBase, &batch))
    send_netlink(-1, netns_, NETLINK_NETFILTER, batch, &failure);
  return Look::kDone;
}

// Those that are there already stay as they are.
void FirewallWatch::send_elements() {
  PlanFile file;
  std::string error;
  if (!plan_load(plan_path_.c_str(), &file, &error)) return;
  for (const Op& op : file.plan.section(Section::kNetwork)) {
    Failure failure;
    if (op.code() != OpCode::kNetlink || (op.number(3) & kHealed) == 0) continue;
    send_netlink(op.number(0) == 1 ? netns_ : -1, netns_, static_cast<int>(op.number(1)), op.text(2), &failure);
  }
}

}  // namespace wherry

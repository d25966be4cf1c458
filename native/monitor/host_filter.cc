#include "host_filter.h"

#include <arpa/inet.h>
#include <string.h>

#include <string>
#include <vector>

#include "nf_tables.h"

namespace wherry {

namespace {

constexpr uint32_t kForwardHook = 2, kOutputHook = 3;  // NF_INET_FORWARD, NF_INET_LOCAL_OUT
constexpr int kTargetName = 1;                          // NFTA_TARGET_NAME of linux/netfilter/nf_tables_compat.h

uint32_t read_be32(const char* data, size_t size) {
  uint32_t value = 0;
  if (size >= sizeof value) memcpy(&value, data, sizeof value);
  return ntohl(value);
}

std::string_view read_name(const char* data, size_t size) { return {data, strnlen(data, size)}; }

// What is known of a table's chains.
struct Chains {
  std::string_view table, user, base;
  bool has_user = false;
  bool has_base = false;  // at a hook
  bool drops = false;     // by its policy, or by a rule
  bool jumps = false;     // from `base` to `user`
};

void see_chain(void* context, const char* attributes, size_t length) {
  auto& chains = *static_cast<Chains*>(context);
  std::string_view table, name;
  uint32_t hook = ~0u, policy = ~0u;
  read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
    if (type == NFTA_CHAIN_TABLE) table = read_name(data, size);
    if (type == NFTA_CHAIN_NAME) name = read_name(data, size);
    if (type == NFTA_CHAIN_POLICY) policy = read_be32(data, size);
    if (type != NFTA_CHAIN_HOOK) return;
    read_attributes(data, size, [&](int inner, const char* value, size_t bytes) {
      if (inner == NFTA_HOOK_HOOKNUM) hook = read_be32(value, bytes);
    });
  });
  if (table != chains.table) return;
  if (name == chains.user) chains.has_user = true;
  if (name != chains.base || (hook != kForwardHook && hook != kOutputHook)) return;
  chains.has_base = true;
  if (policy == 0) chains.drops = true;
}

// A verdict of nf_tables' own, or a target of iptables.
void see_expression(Chains& chains, const char* data, size_t size) {
  std::string_view name;
  const char* body = nullptr;
  size_t length = 0;
  read_attributes(data, size, [&](int type, const char* value, size_t bytes) {
    if (type == NFTA_EXPR_NAME) name = read_name(value, bytes);
    if (type == NFTA_EXPR_DATA) {
      body = value;
      length = bytes;
    }
  });
  if (name == "reject") chains.drops = true;
  if (name == "target") {
    read_attributes(body, length, [&](int type, const char* value, size_t bytes) {
      if (type != kTargetName) return;
      std::string_view target = read_name(value, bytes);
      if (target == "REJECT" || target == "DROP") chains.drops = true;
    });
  }
  if (name != "immediate") return;
  read_attributes(body, length, [&](int type, const char* value, size_t bytes) {
    if (type != NFTA_IMMEDIATE_DATA) return;
    read_attributes(value, bytes, [&](int kind, const char* verdict, size_t verdict_size) {
      if (kind != NFTA_DATA_VERDICT) return;
      read_attributes(verdict, verdict_size, [&](int part, const char* inner, size_t inner_size) {
        if (part == NFTA_VERDICT_CODE && read_be32(inner, inner_size) == 0) chains.drops = true;
        if (part == NFTA_VERDICT_CHAIN && read_name(inner, inner_size) == chains.user) chains.jumps = true;
      });
    });
  });
}

void see_rule(void* context, const char* attributes, size_t length) {
  read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
    if (type != NFTA_RULE_EXPRESSIONS) return;
    read_attributes(data, size, [&](int, const char* expression, size_t bytes) {
      see_expression(*static_cast<Chains*>(context), expression, bytes);
    });
  });
}

struct Comments {
  const std::vector<std::string_view>& wanted;
  std::vector<bool> there;
};

// The comment is libnftnl's user data of type 0, with a NUL.
void see_comment(void* context, const char* attributes, size_t length) {
  auto& comments = *static_cast<Comments*>(context);
  read_attributes(attributes, length, [&](int type, const char* data, size_t size) {
    if (type != NFTA_RULE_USERDATA || size < 2 || data[0] != 0) return;
    size_t told = static_cast<uint8_t>(data[1]);
    std::string_view comment = read_name(data + 2, told < size - 2 ? told : size - 2);
    for (size_t i = 0; i < comments.wanted.size(); i++)
      if (comments.wanted[i] == comment) comments.there[i] = true;
  });
}

// The chain in which rules are missing, with which: false when nothing is to be done.
bool find_missing(const Op& op, size_t* chain, std::vector<bool>* there) {
  auto family = static_cast<uint8_t>(op.number(0));
  const auto& names = op.list(3);
  if (names.empty()) return false;
  Chains chains;
  chains.table = op.text(2);
  chains.user = names.front();
  chains.base = names.back();
  if (!list_nf_tables(NFT_MSG_GETCHAIN, family, "", "", see_chain, &chains) || !chains.has_base) return false;
  if (!list_nf_tables(NFT_MSG_GETRULE, family, chains.table, chains.base, see_rule, &chains)) return false;
  if (!chains.drops) return false;
  *chain = chains.has_user && chains.jumps ? 0 : names.size() - 1;
  Comments comments{op.list(4), std::vector<bool>(op.list(4).size())};
  if (!list_nf_tables(NFT_MSG_GETRULE, family, chains.table, names[*chain], see_comment, &comments)) return false;
  *there = comments.there;
  for (bool one : comments.there)
    if (!one) return true;
  return false;
}

}  // namespace

Allowed allow_in_host_filter(const Op& op) {
  size_t chain;
  std::vector<bool> there;
  if (!find_missing(op, &chain, &there)) return Allowed::kDone;
  Fd lock;
  if (!try_lock_file(op.path(1), &lock)) return Allowed::kBusy;
  // Another monitor may have been faster.
  if (!find_missing(op, &chain, &there)) return Allowed::kDone;
  const auto& batches = op.list(5);
  for (size_t i = 0; i < there.size(); i++) {
    Failure failure;
    size_t batch = chain * there.size() + i;
    if (!there[i] && batch < batches.size()) send_netlink(-1, -1, NETLINK_NETFILTER, batches[batch], &failure);
  }
  return Allowed::kDone;
}

}  // namespace wherry

#include "nf_tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include <vector>

#include "fail.h"
#include "ip_address.h"
#include "port_ranges.h"

namespace wherry {

namespace {

constexpr size_t kAnswer = 32 << 10;
// The length of an attribute has 16 bits: so many elements fit into one message.
constexpr size_t kElementsAtOnce = 300;
// Since Linux 6.3: what is to be deleted and isn't there is no error.
constexpr int kDestroyElements = 30;

struct Element {
  std::string_view table, map;
  std::string key, data;
};

void append_batch_mark(std::string& out, uint16_t type) {
  nlmsghdr header = {};
  header.nlmsg_len = NLMSG_LENGTH(sizeof(nfgenmsg));
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST;
  nfgenmsg general = {};
  general.res_id = htons(NFNL_SUBSYS_NFTABLES);
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&general), sizeof general);
}

void put_value(NetfilterMessage& message, uint16_t type, const std::string& bytes) {
  size_t nest = message.open(type);
  message.attribute(NFTA_DATA_VALUE, bytes.data(), bytes.size());
  message.close(nest);
}

// Elements of one map.
void append_elements(std::string& out, int kind, uint8_t family, const Element* elements, size_t count) {
  bool adds = kind == NFT_MSG_NEWSETELEM;
  uint16_t flags = static_cast<uint16_t>(NLM_F_ACK | (adds ? NLM_F_CREATE : 0));
  NetfilterMessage message(out, nft_type(kind), flags, family);
  std::string table(elements->table), map(elements->map);
  message.attribute(NFTA_SET_ELEM_LIST_TABLE, table.c_str(), table.size() + 1);
  message.attribute(NFTA_SET_ELEM_LIST_SET, map.c_str(), map.size() + 1);
  size_t list = message.open(NFTA_SET_ELEM_LIST_ELEMENTS);
  for (size_t i = 0; i < count; i++) {
    size_t element = message.open(NFTA_LIST_ELEM);
    put_value(message, NFTA_SET_ELEM_KEY, elements[i].key);
    if (adds) put_value(message, NFTA_SET_ELEM_DATA, elements[i].data);
    message.close(element);
  }
  message.close(list);
}

bool send_elements(int kind, uint8_t family, const Element* elements, size_t count, Failure* failure) {
  std::string batch;
  append_batch_mark(batch, NFNL_MSG_BATCH_BEGIN);
  for (size_t at = 0; at < count;) {
    size_t end = at + 1;
    while (end < count && end - at < kElementsAtOnce && elements[end].map == elements[at].map &&
           elements[end].table == elements[at].table) {
      end++;
    }
    append_elements(batch, kind, family, elements + at, end - at);
    at = end;
  }
  append_batch_mark(batch, NFNL_MSG_BATCH_END);
  return send_netlink(-1, -1, NETLINK_NETFILTER, batch, failure);
}

// One that is missing fails the whole transaction: then each half is tried for itself.
bool delete_halves(uint8_t family, const Element* elements, size_t count, Failure* failure) {
  if (count == 0 || send_elements(NFT_MSG_DELSETELEM, family, elements, count, failure)) return true;
  if (failure->err != ENOENT) return false;
  if (count == 1) return true;
  size_t half = count / 2;
  return delete_halves(family, elements, half, failure) && delete_halves(family, elements + half, count - half, failure);
}

bool delete_elements(uint8_t family, const std::vector<Element>& elements, Failure* failure) {
  if (send_elements(kDestroyElements, family, elements.data(), elements.size(), failure)) return true;
  // The table itself has gone.
  if (failure->err == ENOENT) return true;
  return delete_halves(family, elements.data(), elements.size(), failure);
}

// Each field is padded to words.
void put_field(std::string& out, const void* bytes, size_t length) {
  out.append(static_cast<const char*>(bytes), length);
  out.append(NLA_ALIGN(length) - length, '\0');
}

void put_port(std::string& out, uint16_t port) {
  uint16_t bytes = htons(port);
  put_field(out, &bytes, sizeof bytes);
}

bool read_elements(const Op& op, std::vector<Element>* out, Failure* failure) {
  std::vector<PortRange> ranges;
  IpAddress address, target;
  uint8_t protocol = static_cast<uint8_t>(op.number(3));
  if (!op.text(4).empty() && !IpAddress::from_bytes(op.text(4), &address))
    return fail(failure, EINVAL, "an address of %zu bytes", op.text(4).size());
  if (!IpAddress::from_bytes(op.text(5), &target))
    return fail(failure, EINVAL, "an address of %zu bytes", op.text(5).size());
  if (!read_port_ranges(op.text(6), &ranges)) return fail(failure, EINVAL, "ports %s", op.path(6));
  for (const PortRange& range : ranges) {
    for (uint32_t i = 0; i < range.count; i++) {
      Element element;
      element.table = op.text(1);
      element.map = op.text(2);
      put_field(element.key, &protocol, sizeof protocol);
      if (address.length != 0) put_field(element.key, address.bytes, address.length);
      put_port(element.key, range.port(i));
      put_field(element.data, target.bytes, target.length);
      put_port(element.data, range.partner(i));
      out->push_back(std::move(element));
    }
  }
  return true;
}

}  // namespace

bool change_published(const std::vector<Op>& ops, size_t* index, Failure* failure) {
  const OpCode code = ops[*index].code();
  const int64_t family = ops[*index].number(0);
  std::vector<Element> elements;
  for (;; ++*index) {
    if (!read_elements(ops[*index], &elements, failure)) return false;
    if (*index + 1 == ops.size()) break;
    const Op& next = ops[*index + 1];
    if (next.code() != code || next.number(0) != family) break;
  }
  if (code == OpCode::kUnpublishPorts) return delete_elements(static_cast<uint8_t>(family), elements, failure);
  return send_elements(NFT_MSG_NEWSETELEM, static_cast<uint8_t>(family), elements.data(), elements.size(), failure);
}

bool list_nf_tables(int get_message, uint8_t family, std::string_view table, std::string_view chain,
                    void (*each)(void* context, const char* attributes, size_t length), void* context) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return false;
  std::string request, name(table), of(chain);
  {
    NetfilterMessage message(request, nft_type(get_message), NLM_F_DUMP, family);
    // Tables, chains and rules have the table's name first and a chain's as the second or third.
    if (!name.empty()) message.attribute(NFTA_RULE_TABLE, name.c_str(), name.size() + 1);
    if (!of.empty()) message.attribute(NFTA_RULE_CHAIN, of.c_str(), of.size() + 1);
  }
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd.get(), request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0)
    return false;
  std::vector<char> buffer(kAnswer);
  for (;;) {
    ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    auto left = static_cast<unsigned>(got);
    for (auto header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return true;
      if (header->nlmsg_type == NLMSG_ERROR) {
        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return false;
        return static_cast<nlmsgerr*>(NLMSG_DATA(header))->error == -ENOENT;
      }
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) continue;
      auto attributes = static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(nfgenmsg));
      each(context, attributes, header->nlmsg_len - static_cast<size_t>(NLMSG_LENGTH(sizeof(nfgenmsg))));
    }
  }
}

size_t count_messages(std::string_view batch, uint16_t type) {
  size_t count = 0;
  for (size_t at = 0; batch.size() - at >= sizeof(nlmsghdr);) {
    nlmsghdr header;
    memcpy(&header, batch.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > batch.size() - at) break;
    if (header.nlmsg_type == type) count++;
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return count;
}

}  // namespace wherry

// Messages for the netfilter subsystems of the kernel (linux/netfilter/nfnetlink.h).
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace wherry {

// One message, appended to a batch; its length is right when this ends.
class NetfilterMessage {
 public:
  NetfilterMessage(std::string& out, uint16_t type, uint16_t flags, uint8_t family) : out_(out), start_(out.size()) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    nfgenmsg general = {};
    general.nfgen_family = family;
    append(&header, sizeof header);
    append(&general, sizeof general);
  }
  ~NetfilterMessage() {
    auto length = static_cast<uint32_t>(out_.size() - start_);
    memcpy(&out_[start_], &length, sizeof length);
  }
  NetfilterMessage(const NetfilterMessage&) = delete;
  NetfilterMessage& operator=(const NetfilterMessage&) = delete;

  void attribute(uint16_t type, const void* data, size_t length) {
    nlattr header = {static_cast<uint16_t>(NLA_HDRLEN + length), type};
    append(&header, sizeof header);
    append(data, length);
    out_.append(NLA_ALIGN(length) - length, '\0');
  }
  // Gives what `close` wants.
  size_t open(uint16_t type) {
    nlattr header = {0, static_cast<uint16_t>(type | NLA_F_NESTED)};
    append(&header, sizeof header);
    return out_.size() - sizeof header;
  }
  void close(size_t nest) {
    auto length = static_cast<uint16_t>(out_.size() - nest);
    memcpy(&out_[nest], &length, sizeof length);
  }

 private:
  void append(const void* data, size_t length) { out_.append(static_cast<const char*>(data), length); }
  std::string& out_;
  size_t start_;
};

// Calls `each` with type, payload and length of each attribute that is whole.
template <typename Each>
void read_attributes(const char* data, size_t length, Each each) {
  while (length >= NLA_HDRLEN) {
    nlattr header;
    memcpy(&header, data, sizeof header);
    if (header.nla_len < NLA_HDRLEN || header.nla_len > length) return;
    each(header.nla_type & NLA_TYPE_MASK, data + NLA_HDRLEN, header.nla_len - static_cast<size_t>(NLA_HDRLEN));
    size_t step = NLA_ALIGN(header.nla_len);
    if (step > length) return;
    data += step;
    length -= step;
  }
}

}  // namespace wherry

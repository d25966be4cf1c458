#include "dns_message.h"

#include <string.h>

namespace wherry {

namespace {

constexpr uint32_t kTtl = 600;  // as docker's
constexpr uint16_t kClassInternet = 1;
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 255;  // with its lengths and the root
constexpr size_t kRecordHead = 10;
constexpr size_t kOptRecord = 11;
constexpr unsigned kMaxAdditional = 16;
// We take what a client says it can receive, up to what is reasonable.
constexpr size_t kMostUdp = 8192;
constexpr uint16_t kOwnUdp = 1232;

enum Flags : uint8_t { kResponse = 0x80, kOpcode = 0x78, kTruncated = 0x02, kRecursionDesired = 0x01 };
constexpr uint8_t kRecursionAvailable = 0x80;

uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + 32) : c; }

// The name of a question, which has nothing before it that it could point to.
bool read_name(const uint8_t* message, size_t length, size_t* at, DnsQuestion* question) {
  size_t start = *at;
  for (;;) {
    if (*at >= length) return false;
    size_t label = message[(*at)++];
    if (label == 0) break;
    if (label > kMaxLabel || label > length - *at || *at + label - start > kMaxName - 1) return false;
    if (question->name_length != 0) question->name[question->name_length++] = '.';
    for (size_t i = 0; i < label; i++) {
      uint8_t c = message[*at + i];
      if (c <= ' ' || c == '.' || c >= 127) question->ordinary = false;
      question->name[question->name_length++] = static_cast<char>(lower(c));
    }
    *at += label;
  }
  return *at - start <= kMaxName;
}

// Goes past a name that may be compressed, without following where it points.
bool skip_name(const uint8_t* message, size_t length, size_t* at) {
  size_t start = *at;
  for (;;) {
    if (*at >= length || *at - start >= kMaxName) return false;
    size_t label = message[*at];
    if ((label & 0xc0) == 0xc0) {
      *at += 2;
      return *at <= length;
    }
    if (label > kMaxLabel) return false;
    *at += 1 + label;
    if (label == 0) return *at <= length;
  }
}

// Looks for the OPT record.
bool read_additional(const uint8_t* message, size_t length, size_t at, unsigned count, DnsQuestion* question) {
  if (count > kMaxAdditional) return false;
  for (unsigned i = 0; i < count; i++) {
    size_t name = at;
    if (!skip_name(message, length, &at) || length - at < kRecordHead) return false;
    size_t data = dns_u16(message + at + 8);
    if (dns_u16(message + at) == kTypeOpt) {
      if (question->edns || message[name] != 0) return false;
      question->edns = true;
      size_t size = dns_u16(message + at + 2);
      question->udp_limit = size < kDnsPlainLimit ? kDnsPlainLimit : size > kMostUdp ? kMostUdp : size;
    }
    at += kRecordHead;
    if (data > length - at) return false;
    at += data;
  }
  return true;
}

// Two questions are the same but for the case of letters. Lengths of labels are never letters.
bool same_question(const uint8_t* a, const uint8_t* b, size_t length) {
  size_t name = length - 4;
  for (size_t i = 0; i < name; i++)
    if (lower(a[i]) != lower(b[i])) return false;
  return memcmp(a + name, b + name, 4) == 0;
}

}  // namespace

QueryStatus read_query(const uint8_t* message, size_t length, DnsQuestion* question) {
  *question = DnsQuestion();
  if (length < kDnsHeader || (message[2] & kResponse) != 0) return QueryStatus::kIgnore;
  if ((message[2] & kOpcode) != 0) return QueryStatus::kNotImplemented;
  // One question, and no records but additional ones.
  if (dns_u16(message + 4) != 1 || dns_u16(message + 6) != 0 || dns_u16(message + 8) != 0)
    return QueryStatus::kFormatError;
  size_t at = kDnsHeader;
  if (!read_name(message, length, &at, question) || length - at < 4) return QueryStatus::kFormatError;
  question->type = dns_u16(message + at);
  question->klass = dns_u16(message + at + 2);
  question->end = at + 4;
  if (!read_additional(message, length, question->end, dns_u16(message + 10), question))
    return QueryStatus::kFormatError;
  return QueryStatus::kFine;
}

ResponseStatus read_response(const uint8_t* message, size_t length, const uint8_t* query, size_t question_end,
                             uint16_t id) {
  if (length < kDnsHeader || (message[2] & kResponse) == 0 || dns_u16(message) != id) return ResponseStatus::kForeign;
  if (((message[2] ^ query[2]) & kOpcode) != 0) return ResponseStatus::kForeign;
  uint8_t code = response_code(message);
  // A server that couldn't read the query has no question to repeat.
  if (dns_u16(message + 4) == 0 && code != kNoError && code != kNameError) return ResponseStatus::kFailed;
  if (dns_u16(message + 4) != 1 || length < question_end) return ResponseStatus::kForeign;
  if (!same_question(message + kDnsHeader, query + kDnsHeader, question_end - kDnsHeader))
    return ResponseStatus::kForeign;
  return code == kServerFailure || code == kRefused ? ResponseStatus::kFailed : ResponseStatus::kAnswered;
}

DnsAnswer::DnsAnswer(const uint8_t* query, const DnsQuestion* question, uint8_t code, size_t limit) : limit_(limit) {
  bytes_.assign(reinterpret_cast<const char*>(query), question == nullptr ? kDnsHeader : question->end);
  auto head = reinterpret_cast<uint8_t*>(&bytes_[0]);
  head[2] = static_cast<uint8_t>(kResponse | (head[2] & (kOpcode | kRecursionDesired)));
  head[3] = static_cast<uint8_t>(kRecursionAvailable | code);
  memset(head + 4, 0, 8);
  if (question == nullptr) return;
  put_dns_u16(head + 4, 1);
  edns_ = question->edns;
  if (edns_) limit_ -= kOptRecord;
}

bool DnsAnswer::add_record(uint16_t type, const void* data, size_t length) {
  if (bytes_.size() + 2 + kRecordHead + length > limit_) return false;
  // The name is that of the question, right after the header.
  uint8_t head[2 + kRecordHead] = {0xc0, kDnsHeader};
  put_dns_u16(head + 2, type);
  put_dns_u16(head + 4, kClassInternet);
  put_dns_u16(head + 6, static_cast<uint16_t>(kTtl >> 16));
  put_dns_u16(head + 8, static_cast<uint16_t>(kTtl & 0xffff));
  put_dns_u16(head + 10, static_cast<uint16_t>(length));
  bytes_.append(reinterpret_cast<char*>(head), sizeof head);
  bytes_.append(static_cast<const char*>(data), length);
  records_++;
  return true;
}

bool DnsAnswer::add_address(const IpAddress& address) {
  return add_record(address.length == 4 ? kTypeA : kTypeAaaa, address.bytes, address.length);
}

bool DnsAnswer::add_name(std::string_view name) {
  std::string labels;
  return encode_name(name, &labels) && add_record(kTypePtr, labels.data(), labels.size());
}

void DnsAnswer::truncate() { bytes_[2] = static_cast<char>(bytes_[2] | kTruncated); }

const std::string& DnsAnswer::finish() {
  auto head = reinterpret_cast<uint8_t*>(&bytes_[0]);
  put_dns_u16(head + 6, records_);
  if (edns_) {
    put_dns_u16(head + 10, 1);
    uint8_t option[kOptRecord] = {0, 0, kTypeOpt, kOwnUdp >> 8, kOwnUdp & 0xff};
    bytes_.append(reinterpret_cast<char*>(option), sizeof option);
  }
  return bytes_;
}

bool encode_name(std::string_view name, std::string* out) {
  while (!name.empty()) {
    size_t dot = name.find('.');
    std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel) return false;
    out->push_back(static_cast<char>(label.size()));
    out->append(label.data(), label.size());
    name = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  }
  out->push_back('\0');
  return out->size() <= kMaxName;
}

static bool read_reverse4(std::string_view name, IpAddress* address) {
  address->length = 4;
  for (int i = 3; i >= 0; i--) {
    size_t dot = name.find('.');
    std::string_view part = name.substr(0, dot);
    if ((dot == std::string_view::npos) != (i == 0) || part.empty() || part.size() > 3) return false;
    unsigned value = 0;
    for (char c : part) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 255) return false;
    address->bytes[i] = static_cast<uint8_t>(value);
    name = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  }
  return true;
}

static bool read_reverse6(std::string_view name, IpAddress* address) {
  if (name.size() != 63) return false;
  address->length = 16;
  for (size_t i = 0; i < 32; i++) {
    char c = name[2 * i];
    int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0 || (i < 31 && name[2 * i + 1] != '.')) return false;
    size_t nibble = 31 - i;
    uint8_t& byte = address->bytes[nibble / 2];
    byte = static_cast<uint8_t>(byte | (nibble % 2 == 0 ? value << 4 : value));
  }
  return true;
}

bool read_reverse_name(std::string_view name, IpAddress* address) {
  *address = IpAddress();
  constexpr std::string_view kFour = ".in-addr.arpa", kSix = ".ip6.arpa";
  auto ends_with = [&](std::string_view end) {
    return name.size() > end.size() && name.substr(name.size() - end.size()) == end;
  };
  if (ends_with(kFour)) return read_reverse4(name.substr(0, name.size() - kFour.size()), address);
  if (ends_with(kSix)) return read_reverse6(name.substr(0, name.size() - kSix.size()), address);
  return false;
}

}  // namespace wherry

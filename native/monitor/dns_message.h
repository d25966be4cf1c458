// DNS messages (RFC 1035 section 4, EDNS RFC 6891): what a resolver in the middle has to read and write of them.
// Everything read here was sent by somebody who may mean harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ip_address.h"

namespace wherry {

constexpr size_t kDnsHeader = 12;
constexpr uint16_t kDnsPort = 53;
constexpr size_t kDnsPlainLimit = 512;  // of a UDP message without EDNS

enum DnsType : uint16_t { kTypeA = 1, kTypePtr = 12, kTypeAaaa = 28, kTypeOpt = 41, kTypeAny = 255 };
enum DnsCode : uint8_t { kNoError = 0, kFormatError = 1, kServerFailure = 2, kNameError = 3, kNotImplemented = 4, kRefused = 5 };

struct DnsQuestion {
  char name[256] = {};  // labels with dots between, lower case, without a final dot; the root is empty
  size_t name_length = 0;
  bool ordinary = true;  // no label has a byte that a host's name can't have anyway (a dot, a NUL, a blank)
  uint16_t type = 0;
  uint16_t klass = 0;
  size_t end = 0;        // where the question ends in the message
  size_t udp_limit = kDnsPlainLimit;
  bool edns = false;

  std::string_view text() const { return {name, name_length}; }
};

// kIgnore: no query at all, or one that must not be answered. The others get that code as an answer.
enum class QueryStatus { kFine, kIgnore, kFormatError, kNotImplemented };
QueryStatus read_query(const uint8_t* message, size_t length, DnsQuestion* question);

inline uint16_t dns_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline void put_dns_u16(uint8_t* p, uint16_t value) {
  p[0] = static_cast<uint8_t>(value >> 8);
  p[1] = static_cast<uint8_t>(value);
}
inline uint8_t response_code(const uint8_t* message) { return message[3] & 15; }

enum class ResponseStatus {
  kForeign,   // no answer to this query
  kFailed,    // the server can't or won't
  kAnswered,
};
// Whether a message from a server answers a query that was sent with the id `id`. `question_end` is of the query.
ResponseStatus read_response(const uint8_t* message, size_t length, const uint8_t* query, size_t question_end,
                             uint16_t id);

// An answer to a query: begun with the code, then records, none of which is taken that would exceed the limit.
class DnsAnswer {
 public:
  // `question` is null for a query that couldn't be read.
  DnsAnswer(const uint8_t* query, const DnsQuestion* question, uint8_t code, size_t limit);
  bool add_address(const IpAddress& address);
  bool add_name(std::string_view name);
  // Tells the client to ask by TCP.
  void truncate();
  const std::string& finish();

 private:
  bool add_record(uint16_t type, const void* data, size_t length);
  std::string bytes_;
  size_t limit_;
  uint16_t records_ = 0;
  bool edns_ = false;
};

// The address of a name below in-addr.arpa or ip6.arpa.
bool read_reverse_name(std::string_view name, IpAddress* address);

// A name as labels; false when it is none.
bool encode_name(std::string_view name, std::string* out);

}  // namespace wherry

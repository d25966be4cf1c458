#include "tar_header.h"

#include <algorithm>
#include <cstring>

#include "xattrs.h"

namespace wherry {
namespace {

/** Offsets and sizes of the ustar header's fields. */
struct Field {
  size_t offset;
  size_t size;
};
constexpr Field kName = {0, 100}, kMode = {100, 8}, kUid = {108, 8}, kGid = {116, 8}, kSize = {124, 12},
                kMtime = {136, 12}, kChecksum = {148, 8}, kLink = {157, 100}, kMajor = {329, 8}, kMinor = {337, 8},
                kPrefix = {345, 155}, kStarPrefix = {345, 131}, kGnuRealSize = {483, 12};
constexpr size_t kType = 156, kMagic = 257, kGnuSparse = 386, kStarTrailer = 508;

constexpr size_t kMaxSparseParts = 1 << 20;

Failure broken(const char *reason) { return own_failure("EBADLAYER", reason); }

std::string text(const uint8_t *block, Field field) {
  const char *start = reinterpret_cast<const char *>(block + field.offset);
  return std::string(start, strnlen(start, field.size));
}

bool number(const uint8_t *block, Field field, int64_t &value) {
  return parse_number(block + field.offset, field.size, value);
}

/** Old archivers summed signed characters. */
bool checksum_fits(const uint8_t *block) {
  int64_t wanted;
  if (!number(block, kChecksum, wanted)) return false;
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < kTarBlock; ++i) {
    uint8_t byte = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size ? ' ' : block[i];
    plain += byte;
    with_sign += static_cast<int8_t>(byte);
  }
  return wanted == plain || wanted == with_sign;
}

bool has_no_data(char type) { return type >= '1' && type <= '6'; }

bool parse_id(int64_t value, uint32_t &id) {
  // The highest number means "leave it" to chown.
  if (value < 0 || value >= 0xffffffff) return false;
  id = static_cast<uint32_t>(value);
  return true;
}

/** Seconds with a fraction, as pax writes times. */
bool parse_time(const std::string &value, TarTime &time) {
  size_t point = value.find('.');
  bool negative = !value.empty() && value[0] == '-';
  std::string whole = value.substr(0, point);
  if (whole == "-" || whole.empty()) whole += "0";
  if (!parse_decimal(whole, time.seconds)) return false;
  time.nanoseconds = 0;
  if (point == std::string::npos) return true;
  uint32_t scale = 100000000;
  for (size_t i = point + 1; i < value.size(); ++i) {
    if (value[i] < '0' || value[i] > '9') return false;
    time.nanoseconds += static_cast<uint32_t>(value[i] - '0') * scale;
    scale /= 10;
  }
  if (negative && time.nanoseconds > 0) {
    if (time.seconds == INT64_MIN) return false;
    time.seconds -= 1;
    time.nanoseconds = 1000000000 - time.nanoseconds;
  }
  return true;
}

/** GNU.sparse.map of format 0.1: "offset,length,offset,length,..." */
Status parse_sparse_list(const std::string &list, TarEntry &entry) {
  std::vector<uint64_t> numbers;
  size_t start = 0;
  while (start < list.size()) {
    size_t end = std::min(list.find(',', start), list.size());
    int64_t value;
    if (!parse_decimal(list.substr(start, end - start), value) || value < 0) return broken("bad sparse map");
    numbers.push_back(static_cast<uint64_t>(value));
    if (numbers.size() > 2 * kMaxSparseParts) return broken("sparse map too long");
    start = end + 1;
  }
  if (numbers.size() % 2 != 0) return broken("bad sparse map");
  for (size_t i = 0; i < numbers.size(); i += 2) entry.parts.push_back({numbers[i], numbers[i + 1]});
  return {};
}

Status apply_gnu_sparse(const PaxRecords &pax, TarEntry &entry, bool &map_in_data) {
  const std::string *major = pax.find("GNU.sparse.major");
  const std::string *minor = pax.find("GNU.sparse.minor");
  const std::string *list = pax.find("GNU.sparse.map");
  const std::string *count = pax.find("GNU.sparse.numblocks");
  bool version1 = major != nullptr && *major == "1" && minor != nullptr && *minor == "0";
  if (!version1 && list == nullptr && count == nullptr) return {};
  entry.sparse = true;
  if (const std::string *name = pax.find("GNU.sparse.name")) entry.name = *name;
  const std::string *size = pax.find("GNU.sparse.realsize");
  if (size == nullptr) size = pax.find("GNU.sparse.size");
  int64_t real_size;
  if (size == nullptr || !parse_decimal(*size, real_size) || real_size < 0) return broken("bad size of a sparse file");
  entry.real_size = static_cast<uint64_t>(real_size);
  map_in_data = version1;
  if (version1) return {};
  if (list != nullptr) return parse_sparse_list(*list, entry);
  // Format 0.0: a pair of records for each part, in order.
  for (const auto &[key, value] : pax.records) {
    int64_t parsed;
    if (key != "GNU.sparse.offset" && key != "GNU.sparse.numbytes") continue;
    if (!parse_decimal(value, parsed) || parsed < 0) return broken("bad sparse map");
    if (key == "GNU.sparse.offset") {
      entry.parts.push_back({static_cast<uint64_t>(parsed), 0});
    } else if (entry.parts.empty()) {
      return broken("bad sparse map");
    } else {
      entry.parts.back().length = static_cast<uint64_t>(parsed);
    }
  }
  return {};
}

}  // namespace

const std::string *PaxRecords::find(const char *key) const {
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (record->first == key) return &record->second;
  }
  return nullptr;
}

bool is_zero_block(const uint8_t *block) {
  return block[0] == 0 && memcmp(block, block + 1, kTarBlock - 1) == 0;
}

bool parse_number(const uint8_t *field, size_t size, int64_t &value) {
  if (size > 0 && (field[0] & 0x80) != 0) {
    // Base-256, two's complement in all bits but the first.
    bool negative = (field[0] & 0x40) != 0;
    uint64_t bits = negative ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < size; ++i) {
      uint8_t byte = i == 0 ? static_cast<uint8_t>(negative ? field[0] | 0x80 : field[0] & 0x7f) : field[i];
      uint8_t lost = static_cast<uint8_t>(bits >> 56);
      if (lost != (negative ? 0xff : 0)) return false;
      bits = bits << 8 | byte;
    }
    value = static_cast<int64_t>(bits);
    return (value < 0) == negative;
  }
  size_t start = 0, end = size;
  while (start < end && (field[start] == ' ' || field[start] == 0)) ++start;
  end = start + strnlen(reinterpret_cast<const char *>(field + start), end - start);
  while (end > start && field[end - 1] == ' ') --end;
  uint64_t sum = 0;
  for (size_t i = start; i < end; ++i) {
    if (field[i] < '0' || field[i] > '7' || sum >> 60 != 0) return false;
    sum = sum << 3 | static_cast<uint64_t>(field[i] - '0');
  }
  value = static_cast<int64_t>(sum);
  return true;
}

bool parse_decimal(const std::string &text, int64_t &value) {
  size_t start = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() == start || text.size() > 19 + start) return false;
  uint64_t sum = 0;
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    sum = sum * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (sum > INT64_MAX) return false;
  value = start == 1 ? -static_cast<int64_t>(sum) : static_cast<int64_t>(sum);
  return true;
}

Status parse_header(const uint8_t *block, TarEntry &entry) {
  if (!checksum_fits(block)) return broken("bad checksum of a header: not a tar archive, or a damaged one");
  int64_t mode, uid, gid, size, mtime, major = 0, minor = 0;
  entry.name = text(block, kName);
  entry.link = text(block, kLink);
  entry.type = static_cast<char>(block[kType]);
  if (!number(block, kMode, mode) || !number(block, kUid, uid) || !number(block, kGid, gid) ||
      !number(block, kSize, size) || !number(block, kMtime, mtime)) {
    return broken("bad number in a header");
  }
  const char *magic = reinterpret_cast<const char *>(block + kMagic);
  bool ustar = memcmp(magic, "ustar\0", 6) == 0;
  bool gnu = memcmp(magic, "ustar  \0", 8) == 0;
  if ((ustar || gnu) && (entry.type == '3' || entry.type == '4')) {
    if (!number(block, kMajor, major) || !number(block, kMinor, minor)) return broken("bad device number");
  }
  if (ustar) {
    bool star = memcmp(block + kStarTrailer, "tar\0", 4) == 0;
    std::string prefix = text(block, star ? kStarPrefix : kPrefix);
    if (!prefix.empty()) entry.name = prefix + "/" + entry.name;
  }
  if (entry.type == '\0') entry.type = !entry.name.empty() && entry.name.back() == '/' ? '5' : '0';
  if (entry.type == '7') entry.type = '0';  // "contiguous" means nothing any more
  if (size < 0) return broken("negative size");
  if (!parse_id(uid, entry.uid) || !parse_id(gid, entry.gid)) return broken("bad owner");
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) return broken("bad device number");
  entry.mode = static_cast<uint32_t>(mode) & 07777;
  entry.size = has_no_data(entry.type) ? 0 : static_cast<uint64_t>(size);
  entry.mtime = {mtime, 0};
  entry.major = static_cast<uint32_t>(major);
  entry.minor = static_cast<uint32_t>(minor);
  if (gnu && entry.type == 'S') {
    int64_t real_size;
    if (!number(block, kGnuRealSize, real_size) || real_size < 0) return broken("bad size of a sparse file");
    entry.type = '0';
    entry.sparse = true;
    entry.real_size = static_cast<uint64_t>(real_size);
    return parse_gnu_sparse(block + kGnuSparse, 4, entry);
  }
  return {};
}

Status parse_pax(const std::string &text, PaxRecords &pax) {
  size_t start = 0;
  while (start < text.size()) {
    size_t space = text.find(' ', start);
    int64_t length;
    if (space == std::string::npos || !parse_decimal(text.substr(start, space - start), length) || length < 0 ||
        static_cast<uint64_t>(length) > text.size() - start) {
      return broken("bad pax record");
    }
    size_t end = start + static_cast<size_t>(length);
    size_t equals = text.find('=', space);
    if (end < space + 2 || text[end - 1] != '\n' || equals == std::string::npos || equals >= end - 1) {
      return broken("bad pax record");
    }
    pax.records.emplace_back(text.substr(space + 1, equals - space - 1), text.substr(equals + 1, end - equals - 2));
    start = end;
  }
  return {};
}

Status apply_pax(const PaxRecords &pax, TarEntry &entry, bool &sparse_map_in_data) {
  constexpr char kXattr[] = "SCHILY.xattr.";
  for (const auto &[key, value] : pax.records) {
    int64_t parsed;
    if (key == "path" || key == "linkpath") {
      if (value.find('\0') != std::string::npos) return broken("a name with a null byte");
      if (!value.empty()) (key == "path" ? entry.name : entry.link) = value;
    } else if (key == "size") {
      if (!parse_decimal(value, parsed) || parsed < 0) return broken("bad size in a pax record");
      if (!has_no_data(entry.type)) entry.size = static_cast<uint64_t>(parsed);
    } else if (key == "uid" || key == "gid") {
      if (value.empty()) continue;
      uint32_t &id = key == "uid" ? entry.uid : entry.gid;
      if (!parse_decimal(value, parsed) || !parse_id(parsed, id)) return broken("bad owner in a pax record");
    } else if (key == "mtime") {
      if (!value.empty() && !parse_time(value, entry.mtime)) return broken("bad time in a pax record");
    } else if (key.compare(0, sizeof kXattr - 1, kXattr) == 0) {
      std::string name = key.substr(sizeof kXattr - 1);
      if (name.find('\0') != std::string::npos || name.empty()) return broken("bad name of an extended attribute");
      if (!is_host_xattr(name.c_str())) entry.xattrs.emplace_back(std::move(name), value);
    }
  }
  return entry.type == '0' ? apply_gnu_sparse(pax, entry, sparse_map_in_data) : Status();
}

Status parse_gnu_sparse(const uint8_t *pairs, size_t count, TarEntry &entry) {
  for (size_t i = 0; i < count; ++i, pairs += 24) {
    if (pairs[0] == 0 || pairs[12] == 0) return {};
    int64_t offset, length;
    if (!parse_number(pairs, 12, offset) || !parse_number(pairs + 12, 12, length) || offset < 0 || length < 0) {
      return broken("bad sparse map");
    }
    if (entry.parts.size() == kMaxSparseParts) return broken("sparse map too long");
    entry.parts.push_back({static_cast<uint64_t>(offset), static_cast<uint64_t>(length)});
  }
  return {};
}

Status check_sparse(const TarEntry &entry) {
  uint64_t end = 0, total = 0;
  for (const SparsePart &part : entry.parts) {
    if (part.offset < end || part.offset > entry.real_size || part.length > entry.real_size - part.offset) {
      return broken("the parts of a sparse file overlap or are beyond its end");
    }
    end = part.offset + part.length;
    total += part.length;
  }
  return total == entry.size ? Status() : broken("the parts of a sparse file are not its data");
}

}  // namespace wherry

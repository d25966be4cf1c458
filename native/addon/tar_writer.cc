#include "tar_writer.h"

#include <algorithm>
#include <cstring>

namespace wherry {
namespace {

constexpr size_t kNameSize = 100;

class Header {
 public:
  Header() : block_(kTarBlock, '\0') {}

  void text(size_t offset, size_t size, const std::string &value) {
    memcpy(&block_[offset], value.data(), std::min(size, value.size()));
  }

  /** Octal digits and a NUL. What does not fit is left at zero: a pax record has it. */
  void number(size_t offset, size_t size, uint64_t value) {
    if (!fits(size, value)) value = 0;
    for (size_t digit = size - 1; digit-- > 0; value >>= 3) block_[offset + digit] = static_cast<char>('0' + (value & 7));
  }

  static bool fits(size_t size, uint64_t value) { return value >> (3 * (size - 1)) == 0; }

  std::string finish() {
    memcpy(&block_[148], "        ", 8);
    memcpy(&block_[257], "ustar\00000", 8);
    uint64_t sum = 0;
    for (char byte : block_) sum += static_cast<uint8_t>(byte);
    number(148, 7, sum);
    return std::move(block_);
  }

 private:
  std::string block_;
};

bool is_plain(const std::string &text) {
  return text.size() <= kNameSize &&
         std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

/** For readers that know no pax: what fits of it. */
std::string plain_part(const std::string &text) {
  std::string plain;
  for (char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x80 && plain.size() < kNameSize) plain += byte;
  }
  return plain;
}

std::string last_name(const std::string &path) {
  size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "";
  size_t slash = path.rfind('/', end);
  return path.substr(slash == std::string::npos ? 0 : slash + 1, slash == std::string::npos ? end + 1 : end - slash);
}

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
void add_record(std::string &records, const std::string &key, const std::string &value) {
  size_t rest = key.size() + value.size() + 3, length = rest + 1;
  while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
  records += std::to_string(length) + " " + key + "=" + value + "\n";
}

std::string encode_block(const TarEntry &entry, const std::string &name, uint64_t size) {
  Header header;
  header.text(0, kNameSize, is_plain(name) ? name : plain_part(name));
  header.number(100, 8, entry.mode);
  header.number(108, 8, entry.uid);
  header.number(116, 8, entry.gid);
  header.number(124, 12, size);
  header.number(136, 12, entry.mtime.seconds < 0 ? 0 : static_cast<uint64_t>(entry.mtime.seconds));
  header.text(156, 1, std::string(1, entry.type));
  header.text(157, kNameSize, is_plain(entry.link) ? entry.link : plain_part(entry.link));
  header.number(329, 8, entry.major);
  header.number(337, 8, entry.minor);
  return header.finish();
}

std::string pax_header(const std::string &name, std::string records) {
  TarEntry entry;
  entry.type = 'x';
  std::string block = encode_block(entry, "PaxHeaders.0/" + plain_part(last_name(name)).substr(0, 80), records.size());
  records.resize(records.size() + tar_padding(records.size()), '\0');
  return block + records;
}

}  // namespace

std::string encode_header(const TarEntry &entry) {
  std::string records, name = entry.name;
  if (entry.sparse) {
    add_record(records, "GNU.sparse.major", "1");
    add_record(records, "GNU.sparse.minor", "0");
    add_record(records, "GNU.sparse.name", name);
    add_record(records, "GNU.sparse.realsize", std::to_string(entry.real_size));
    name = "GNUSparseFile.0/" + last_name(name);
  }
  if (!is_plain(name)) add_record(records, "path", name);
  if (!is_plain(entry.link)) add_record(records, "linkpath", entry.link);
  if (!Header::fits(12, entry.size)) add_record(records, "size", std::to_string(entry.size));
  if (!Header::fits(8, entry.uid)) add_record(records, "uid", std::to_string(entry.uid));
  if (!Header::fits(8, entry.gid)) add_record(records, "gid", std::to_string(entry.gid));
  if (entry.mtime.seconds < 0 || !Header::fits(12, static_cast<uint64_t>(entry.mtime.seconds))) {
    add_record(records, "mtime", std::to_string(entry.mtime.seconds));
  }
  for (const auto &[key, value] : entry.xattrs) {
    // The records have no way to write such a key.
    if (key.find('=') == std::string::npos) add_record(records, "SCHILY.xattr." + key, value);
  }
  std::string block = encode_block(entry, name, entry.size);
  return records.empty() ? block : pax_header(entry.name, std::move(records)) + block;
}

std::string sparse_map(const TarEntry &entry) {
  std::string map = std::to_string(entry.parts.size()) + "\n";
  for (const SparsePart &part : entry.parts) {
    map += std::to_string(part.offset) + "\n" + std::to_string(part.length) + "\n";
  }
  map.resize(map.size() + tar_padding(map.size()), '\0');
  return map;
}

}  // namespace wherry

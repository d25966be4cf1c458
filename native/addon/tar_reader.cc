#include "tar_reader.h"

#include <algorithm>
#include <cstring>

namespace wherry {
namespace {

/** Of a pax header or a GNU long name. */
constexpr uint64_t kMaxText = 1 << 20;
constexpr uint64_t kMaxSparseLines = 2 << 20;
constexpr size_t kSparseFlag = 482, kSparseFlagOfExtension = 504, kSparsePairsOfExtension = 21;

Failure broken(const char *reason) { return own_failure("EBADLAYER", reason); }
Failure truncated() { return broken("unexpected end of the archive"); }
Failure stopped() { return own_failure("ECANCELED", "stopped"); }

uint64_t padding_of(uint64_t size) { return (kTarBlock - size % kTarBlock) % kTarBlock; }

}  // namespace

/** `end`: the source ended exactly before the block. */
Status TarReader::read_block(uint8_t *block, bool &end) {
  size_t have = 0;
  while (have < kTarBlock) {
    const uint8_t *data;
    size_t size;
    if (!source_.next(kTarBlock - have, data, size)) return stopped();
    if (size == 0) {
      end = have == 0;
      return end ? Status() : truncated();
    }
    memcpy(block + have, data, size);
    have += size;
  }
  return {};
}

Status TarReader::read_bytes(uint64_t size, const DataTaker &take) {
  for (uint64_t offset = 0; offset < size;) {
    const uint8_t *data;
    size_t part;
    if (!source_.next(static_cast<size_t>(std::min<uint64_t>(size - offset, SIZE_MAX)), data, part)) return stopped();
    if (part == 0) return truncated();
    if (take) {
      if (Status failure = take(offset, data, part)) return failure;
    }
    offset += part;
  }
  return {};
}

Status TarReader::read_text(uint64_t size, std::string &text) {
  if (size > kMaxText) return broken("a pax header or long name of more than 1 MiB");
  text.clear();
  auto append = [&](uint64_t, const uint8_t *data, size_t part) -> Status {
    text.append(reinterpret_cast<const char *>(data), part);
    return {};
  };
  if (Status failure = read_bytes(size, append)) return failure;
  return read_bytes(padding_of(size), nullptr);
}

Status TarReader::skip() {
  if (Status failure = read_bytes(data_left_, nullptr)) return failure;
  data_left_ = 0;
  // Some builders write neither the padding of the last file nor the empty blocks behind it, and every engine
  // takes their layers.
  while (padding_ > 0) {
    const uint8_t *data;
    size_t part;
    if (!source_.next(static_cast<size_t>(padding_), data, part)) return stopped();
    padding_ = part == 0 ? 0 : padding_ - part;
  }
  return {};
}

Status TarReader::read_data(const DataTaker &take) {
  uint64_t size = data_left_;
  data_left_ = 0;
  return read_bytes(size, take);
}

Status TarReader::read_sparse_extensions(TarEntry &entry) {
  uint8_t block[kTarBlock];
  do {
    bool end = false;
    if (Status failure = read_block(block, end)) return failure;
    if (end) return truncated();
    if (Status failure = parse_gnu_sparse(block, kSparsePairsOfExtension, entry)) return failure;
  } while (block[kSparseFlagOfExtension] != 0);
  return {};
}

/** GNU sparse 1.0: decimal lines in the first blocks of the data: the number of parts, then their pairs. */
Status TarReader::read_sparse_map(TarEntry &entry) {
  uint64_t used = 0, wanted = 1;
  std::string line;
  std::vector<uint64_t> numbers;
  while (numbers.size() < wanted) {
    uint8_t block[kTarBlock];
    bool end = false;
    if (used + kTarBlock > entry.size) return broken("bad sparse map");
    if (Status failure = read_block(block, end)) return failure;
    if (end) return truncated();
    used += kTarBlock;
    for (size_t i = 0; i < kTarBlock && numbers.size() < wanted; ++i) {
      if (block[i] != '\n') {
        line += static_cast<char>(block[i]);
        if (line.size() > 20) return broken("bad sparse map");
        continue;
      }
      int64_t value;
      if (!parse_decimal(line, value) || value < 0) return broken("bad sparse map");
      line.clear();
      numbers.push_back(static_cast<uint64_t>(value));
      if (numbers.size() > 1) continue;
      if (numbers[0] > kMaxSparseLines / 2) return broken("sparse map too long");
      wanted = 1 + 2 * numbers[0];
    }
  }
  for (size_t i = 1; i < numbers.size(); i += 2) entry.parts.push_back({numbers[i], numbers[i + 1]});
  entry.size -= used;
  return {};
}

Status TarReader::next(TarEntry &entry, bool &end) {
  if (Status failure = skip()) return failure;
  PaxRecords pax;
  std::string long_name, long_link;
  bool has_prefix_entry = false;
  for (;;) {
    uint8_t block[kTarBlock];
    if (Status failure = read_block(block, end)) return failure;
    if (end && has_prefix_entry) return truncated();
    if (end) return {};
    if (is_zero_block(block)) {
      // The end is two such blocks, or one and nothing.
      if (Status failure = read_block(block, end)) return failure;
      if (!end && !is_zero_block(block)) return broken("an empty header between others");
      end = true;
      return has_prefix_entry ? truncated() : Status();
    }
    entry = TarEntry();
    if (Status failure = parse_header(block, entry)) {
      failure->subject = entry.name;
      return failure;
    }
    std::string text;
    switch (entry.type) {
      case 'x':
      case 'X':
        if (Status failure = read_text(entry.size, text)) return failure;
        if (Status failure = parse_pax(text, pax)) return failure;
        has_prefix_entry = true;
        continue;
      case 'g':
        // Defaults for all later entries: docker ignores them, and git writes one with nothing but a comment.
        if (Status failure = read_text(entry.size, text)) return failure;
        continue;
      case 'L':
      case 'K':
        if (Status failure = read_text(entry.size, text)) return failure;
        (entry.type == 'L' ? long_name : long_link) = text.substr(0, text.find('\0'));
        has_prefix_entry = true;
        continue;
      default:
        break;
    }
    bool old_sparse = entry.sparse, map_in_data = false;
    Status failure = apply_pax(pax, entry, map_in_data);
    if (!long_name.empty()) entry.name = long_name;
    if (!long_link.empty()) entry.link = long_link;
    uint64_t stored = entry.size;
    if (!failure && old_sparse && block[kSparseFlag] != 0) failure = read_sparse_extensions(entry);
    if (!failure && map_in_data) failure = read_sparse_map(entry);
    if (!failure && entry.sparse) failure = check_sparse(entry);
    if (failure) {
      if (failure->subject.empty()) failure->subject = entry.name;
      return failure;
    }
    data_left_ = entry.size;
    padding_ = padding_of(stored);
    return {};
  }
}

}  // namespace wherry

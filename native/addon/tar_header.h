#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "failure.h"

/** The parts of a tar archive that are parsed without its stream: POSIX.1-2017 pax, ustar, GNU and star formats. */
namespace wherry {

constexpr size_t kTarBlock = 512;

struct SparsePart {
  uint64_t offset;
  uint64_t length;
};

struct TarTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

struct TarEntry {
  /** '0' file, '1' hard link, '2' symbolic link, '3' and '4' devices, '5' folder, '6' FIFO; others as in the header. */
  char type = '0';
  std::string name;
  std::string link;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  TarTime mtime;
  uint32_t major = 0;
  uint32_t minor = 0;
  /** Bytes in the archive. */
  uint64_t size = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
  bool sparse = false;
  /** For sparse files: the size with its holes, and where the data belongs. */
  uint64_t real_size = 0;
  std::vector<SparsePart> parts;
};

/** What pax records say about the next entry. */
struct PaxRecords {
  std::vector<std::pair<std::string, std::string>> records;
  const std::string *find(const char *key) const;
};

bool is_zero_block(const uint8_t *block);

/** Octal with spaces and NULs around it, or base-256. False: not a number, or out of an int64's range. */
bool parse_number(const uint8_t *field, size_t size, int64_t &value);

/** Fills an entry from a header block, with its checksum verified. */
Status parse_header(const uint8_t *block, TarEntry &entry);

Status parse_pax(const std::string &text, PaxRecords &pax);

/** Applies pax records to an entry. `sparse_map_in_data`: GNU sparse 1.0, whose map comes before the data. */
Status apply_pax(const PaxRecords &pax, TarEntry &entry, bool &sparse_map_in_data);

/** Adds the (offset, length) pairs of an old GNU header (at 386, four) or of its extension blocks (at 0, 21). */
Status parse_gnu_sparse(const uint8_t *pairs, size_t count, TarEntry &entry);

/** The parts must be in order, within `real_size`, and account for `size`. */
Status check_sparse(const TarEntry &entry);

bool parse_decimal(const std::string &text, int64_t &value);

}  // namespace wherry

#pragma once

#include <functional>
#include <map>

#include "tar_header.h"

namespace wherry {

/** The bytes of an archive, in pieces. */
class TarSource {
 public:
  virtual ~TarSource() = default;
  /** At most `most` bytes, valid until the next call; none at the end. False: stopped from outside. */
  virtual bool next(size_t most, const uint8_t *&data, size_t &size) = 0;
};

/** Takes the data of one entry. `offset` counts within the data as it is in the archive. */
using DataTaker = std::function<Status(uint64_t offset, const uint8_t *data, size_t size)>;

/** Reads entries one after the other, with what pax records and GNU long names say applied to them. */
class TarReader {
 public:
  explicit TarReader(TarSource &source) : source_(source) {}

  /** `end` is set behind the last entry. Data of the entry before that was not read is skipped. */
  Status next(TarEntry &entry, bool &end);

  /** Reads all data of the last entry. */
  Status read_data(const DataTaker &take);

 private:
  Status read_block(uint8_t *block, bool &end);
  Status read_text(uint64_t size, std::string &text);
  Status read_bytes(uint64_t size, const DataTaker &take);
  Status read_sparse_extensions(TarEntry &entry);
  Status read_sparse_map(TarEntry &entry);
  Status skip();

  TarSource &source_;
  /** Of the last entry: what is left of its data, and of the padding behind that. */
  uint64_t data_left_ = 0;
  uint64_t padding_ = 0;
};

}  // namespace wherry

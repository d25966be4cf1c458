#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "running_work.h"
#include "tree_packer.h"
#include "tree_unpacker.h"

namespace wherry {

struct PackResult {
  PackStats stats;
  /** `sha256:<hex>` of the archive, where asked for. */
  std::string digest;
};

/** Packs into a descriptor. `sync`: it is a file, which is on the disk when this returns. */
Status pack_to(int output, Fd source, const PackOptions &options, bool hash, bool sync, PackResult &result);

/** Unpacks what comes from a descriptor: a tar archive, plain or compressed with gzip or zstd. */
Status unpack_from(int input, Fd root, UnpackOptions options, uint64_t &entries);

/** Packs here and unpacks there, at the same time. */
Status transfer(Fd source, const PackOptions &packing, Fd root, UnpackOptions unpacking, PackStats &stats);

}  // namespace wherry

#pragma once

#include "tar_header.h"

/** The parts of a tar archive that are written without its stream: POSIX.1-2017 ustar, with pax records where they are needed. */
namespace wherry {

/** What comes between the data of an entry and the next header. */
constexpr uint64_t tar_padding(uint64_t size) { return (kTarBlock - size % kTarBlock) % kTarBlock; }

/** Two empty blocks. */
constexpr size_t kTarEnd = 2 * kTarBlock;

/**
 * The header of an entry, a multiple of the block size, with nothing in it that the entry doesn't say (no names of
 * users, no other times): equal entries have equal headers. Of a sparse entry `parts` and `real_size` count, its
 * `size` is what `sparse_map` and the parts take.
 */
std::string encode_header(const TarEntry &entry);

/** What comes before the data of a sparse entry: GNU's format 1.0, padded. */
std::string sparse_map(const TarEntry &entry);

}  // namespace wherry

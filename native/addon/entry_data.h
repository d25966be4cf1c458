#pragma once

#include "tar_reader.h"

namespace wherry {

/** Writes the data of the entry that `reader` gave last into an empty file, with the holes of a sparse one. */
Status write_entry_data(const TarEntry &entry, TarReader &reader, int file);

}  // namespace wherry

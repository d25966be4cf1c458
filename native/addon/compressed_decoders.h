#pragma once

#include <memory>

#include "decoder.h"

namespace wherry {

/** Members one after the other. */
std::unique_ptr<Decoder> make_gzip_decoder();

/** .xz (tukaani.org/xz/xz-file-format.txt) with LZMA2, several streams too. */
std::unique_ptr<Decoder> make_xz_decoder();

/** bzip2, several streams too. */
std::unique_ptr<Decoder> make_bzip2_decoder();

/** Gives bytes to a sink; false: it wants no more. */
bool give(DecodedSink &sink, const uint8_t *data, size_t size);

}  // namespace wherry

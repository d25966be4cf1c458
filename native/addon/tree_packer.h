#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive_writer.h"
#include "changes.h"
#include "failure.h"
#include "kernel/fd.h"
#include "overlay_upper.h"

namespace wherry {

struct PackOptions {
  /** Of the first entry in the archive; what is beneath it follows after a slash. Empty: names begin beneath it. */
  std::string name;
  /** Whether the folder that is packed has an entry itself. */
  bool with_top = true;
  /** The tree is an overlay's upper folder: its whiteouts and opaque folders become those of layers (image-spec, layer.md). */
  bool upper = false;
  /** What starts of containers make in a root, which is left out. */
  std::optional<StartMarks> marks;
  /** Where given, only these paths: a deleted one becomes a whiteout. */
  std::optional<Changes> changes;
  /** Holes of files are told in GNU's format, which not every reader knows; otherwise they are zeros. */
  bool sparse = false;
  /** Folders on other file systems are packed without what is in them: all, or these paths and those that are the kernel's own. */
  bool one_file_system = false;
  std::vector<std::string> closed;
  /** A pidfd: when its process has ended, the packing fails. */
  int guard = -1;
};

struct PackStats {
  /** Bytes of the archive. */
  uint64_t size = 0;
  uint64_t entries = 0;
};

/** Writes the archive of what an O_PATH descriptor stands for, and its end. Times are whole seconds. */
Status pack_tree(Fd source, const PackOptions &options, ArchiveWriter &writer, PackStats &stats);

}  // namespace wherry

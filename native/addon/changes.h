#pragma once

#include <map>
#include <optional>
#include <string>

#include "failure.h"
#include "kernel/fd.h"
#include "overlay_upper.h"

namespace wherry {

/** Paths without a leading slash: `A` added, `C` changed, `D` deleted. */
using Changes = std::map<std::string, char>;

/**
 * How a tree differs from its base, by docker's rules: a folder counts as changed when its mode or owner differ or
 * something in it has changed, any other file when its mode, owner, size, time or capabilities differ; of what has
 * been deleted with its folder only the folder is told.
 *
 * `upper`: the tree is an overlay's upper folder, which has only what differs. Otherwise it is whole.
 */
Status list_changes(Fd tree, int base, bool upper, const std::optional<StartMarks> &marks, Changes &changes);

}  // namespace wherry

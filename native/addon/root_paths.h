#pragma once

#include <string>

#include "failure.h"
#include "kernel/fd.h"

namespace wherry {

/**
 * A path in a root with all links replaced, also those of its last name; absolute. What is not there is taken as it
 * is written. It says what a path means at this moment; whoever uses it has the kernel resolve it again.
 */
Status resolve_in_root(int root, const std::string &path, std::string &resolved);

/** The folder, or else the file, at a path in a root, as an O_PATH descriptor; what is missing is made. */
Status make_in_root(int root, const std::string &path, bool folder, Fd &made);

}  // namespace wherry

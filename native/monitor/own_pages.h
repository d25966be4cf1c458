// The memory that the program's own file takes.
#pragma once

namespace wherry {

// Gives back the mapped pages of the program's code and constants, which come from its file again when they are
// touched. For a quiet moment: a monitor waits for most of its life, and Linux maps up to 64 KiB around every page
// that was needed once (fault_around_bytes).
void release_own_pages();

}  // namespace wherry

// Hooks of the OCI runtime specification.
#pragma once

#include <sys/types.h>

#include "child.h"

namespace wherry {

// The operation runHook. Waits for the hook's end; one that doesn't end with 0 is a failure with what it wrote.
bool run_hook(const Op& op, pid_t container, Failure*);

}  // namespace wherry

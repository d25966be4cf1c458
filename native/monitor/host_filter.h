// A host whose own filter drops what is forwarded: src/engine/networks/host-filter.ts says what is done about it.
#pragma once

#include "container.h"

namespace wherry {

enum class Allowed { kDone, kBusy };

// allowInHostFilter: adds the rules that are missing where they are needed. kBusy: somebody holds the lock.
Allowed allow_in_host_filter(const Op& op);

}  // namespace wherry

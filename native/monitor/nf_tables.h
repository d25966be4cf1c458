// What of nf_tables the monitor reads and writes itself (linux/netfilter/nf_tables.h).
#pragma once

#include <linux/netfilter/nf_tables.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "host.h"
#include "netfilter_message.h"
#include "plan.h"

namespace wherry {

constexpr uint16_t nft_type(int message) { return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message); }

// Asks for a list of what is in our namespace, of one table (empty: of all) and one chain (empty: of all). Calls
// `each` with the attributes of every entry. False when the kernel doesn't answer; a table that isn't there is an
// empty list.
bool list_nf_tables(int get_message, uint8_t family, std::string_view table, std::string_view chain,
                    void (*each)(void* context, const char* attributes, size_t length), void* context);

// How often a message is in a batch.
size_t count_messages(std::string_view batch, uint16_t type);

// Runs the operations publishPorts or unpublishPorts from `*index` on that are of one kind and family, as one
// transaction; `*index` is then the last of them.
bool change_published(const std::vector<Op>& ops, size_t* index, Failure*);

}  // namespace wherry

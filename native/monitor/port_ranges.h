// Ports as plans have them: src/engine/networks/port-ranges.ts.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wherry {

// `count` ports from `first` on, each with its partner: `to`, and `step` (0 or 1) more for each next one.
struct PortRange {
  uint16_t first = 0;
  uint32_t count = 0;
  uint16_t to = 0;
  uint16_t step = 0;

  uint16_t port(uint32_t index) const { return static_cast<uint16_t>(first + index); }
  uint16_t partner(uint32_t index) const { return static_cast<uint16_t>(to + index * step); }
};

// `8080:80,9000-9009:9000-9009,7000-7002:80`. False when it is anything else.
bool read_port_ranges(std::string_view text, std::vector<PortRange>* out);

}  // namespace wherry

#include "port_ranges.h"

namespace wherry {

namespace {

constexpr uint32_t kMostPorts = 65536;

bool read_port(std::string_view* text, uint32_t* port) {
  size_t digits = 0;
  *port = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9' && digits < 5)
    *port = *port * 10 + static_cast<uint32_t>((*text)[digits++] - '0');
  text->remove_prefix(digits);
  return digits > 0 && *port > 0 && *port < 65536;
}

bool skip(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

// `80` or `80-89`.
bool read_span(std::string_view* text, uint32_t* first, uint32_t* last) {
  if (!read_port(text, first)) return false;
  *last = *first;
  return !skip(text, '-') || (read_port(text, last) && *last >= *first);
}

}  // namespace

bool read_port_ranges(std::string_view text, std::vector<PortRange>* out) {
  out->clear();
  uint32_t total = 0;
  for (;;) {
    uint32_t first, last, to, to_last;
    if (!read_span(&text, &first, &last) || !skip(&text, ':') || !read_span(&text, &to, &to_last)) return false;
    PortRange range;
    range.first = static_cast<uint16_t>(first);
    range.count = last - first + 1;
    range.to = static_cast<uint16_t>(to);
    range.step = to_last > to ? 1 : 0;
    if (to_last > to && to_last - to != last - first) return false;
    total += range.count;
    if (total > kMostPorts) return false;
    out->push_back(range);
    if (text.empty()) return true;
    if (!skip(&text, ',')) return false;
  }
}

}  // namespace wherry

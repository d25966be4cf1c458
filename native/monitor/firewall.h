// Brings the firewall's table and the container's elements back after somebody has flushed the rules, and the rules
// that let its packets through a filter of the host's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "container.h"
#include "loop.h"

namespace wherry {

class FirewallWatch {
 public:
  // `plan_path`: the monitor's plan, whose network section has the container's elements at any time.
  FirewallWatch(Loop& loop, const std::string& plan_path, int netns);
  ~FirewallWatch();
  FirewallWatch(const FirewallWatch&) = delete;
  FirewallWatch& operator=(const FirewallWatch&) = delete;

  // healFirewall and allowInHostFilter. What they want is done now, and whenever it has been undone, for as long as
  // the plan has the operation.
  bool heal(const Op& op, Failure* failure);
  bool allow(const Op& op, Failure* failure);

 private:
  // What may have changed: the tables of our own, or the host's filter.
  enum class Part : uint8_t { kOwn = 1, kHost = 2 };
  struct Watched {
    std::string table;
    Part part;
  };
  enum class Look { kDone, kBusy };

  bool watch(std::string_view table, Part part, Failure* failure);
  bool open(Failure* failure);
  bool filter(int fd) const;
  void receive(uint32_t events);
  void suspect(Part part);
  void look();
  Look look_at(const PlanView& plan);
  void send_elements(const PlanView& plan);

  Loop& loop_;
  std::string plan_path_;
  int netns_;
  MethodSource<FirewallWatch> source_;
  std::vector<Watched> watched_;
  uint8_t suspects_ = 0;  // Parts
  Timer timer_;
  int64_t started_ = 0;  // when it began to wait for a lock
};

}  // namespace wherry

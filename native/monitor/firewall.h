// Brings the firewall's table and the container's elements back after somebody has flushed the rules.
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

  // healFirewall; one that is watched already is watched as the operation says from now on.
  bool watch(const Op& op, Failure* failure);

 private:
  struct Table {
    std::string base, lock, name;
    uint8_t family;
    bool suspect = false;
  };
  enum class Look { kDone, kBusy };

  bool open(Failure* failure);
  void receive(uint32_t events);
  void deleted(uint8_t family, const std::string& name);
  void suspect_all();
  void look();
  Look restore(const Table& table);
  void send_elements();

  Loop& loop_;
  std::string plan_path_;
  int netns_;
  MethodSource<FirewallWatch> source_;
  std::vector<Table> tables_;
  Timer timer_;
  int64_t started_ = 0;  // when it began to wait for a lock
};

}  // namespace wherry

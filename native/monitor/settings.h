// What the monitor keeps of a plan's settings section, MonitorSettings in src/runtime/plan/sections.ts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include <vector>

#include "log.h"
#include "plan.h"

namespace wherry {

enum class RestartPolicy { kNo, kAlways, kUnlessStopped, kOnFailure };

// What events tell of a volume.
struct VolumeTold {
  std::string name;
  std::string folder;  // of an anonymous one, which may go with the container; else empty
  std::string mounted;  // JSON members
  std::string unmounted;
};

struct Settings {
  std::string id;
  std::string run_dir;
  std::string state_file;
  LogSettings log;
  bool tty = false;
  bool open_stdin = false;
  bool stdin_once = false;
  RestartPolicy restart_policy = RestartPolicy::kNo;
  int64_t restart_max = 0;
  int64_t restart_count = 0;
  uint64_t clone_flags = 0;
  std::string monitor_cgroups;
  std::string oom_file;
  std::string kill_file;
  std::string events_file;
  // For events: id and JSON members of each.
  std::vector<std::pair<std::string, std::string>> networks;
  std::vector<VolumeTold> volumes;
  bool auto_remove = false;
  std::vector<std::string> donors;  // state files of the containers whose namespaces it joins
  int stop_signal = 15;
  int32_t stop_timeout = 10;  // seconds, -1 never
};

Settings read_settings(const PlanView& plan);

}  // namespace wherry

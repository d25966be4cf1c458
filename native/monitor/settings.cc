#include "settings.h"

#include "donor.h"

namespace wherry {

static RestartPolicy restart_policy(const std::string& name) {
  if (name == "always") return RestartPolicy::kAlways;
  if (name == "unless-stopped") return RestartPolicy::kUnlessStopped;
  if (name == "on-failure") return RestartPolicy::kOnFailure;
  return RestartPolicy::kNo;
}

static void read_networks(std::string_view lines, Settings* settings) {
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    size_t space = line.find(' ');
    if (space != std::string_view::npos)
      settings->networks.emplace_back(std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
    lines.remove_prefix(line.size() < lines.size() ? line.size() + 1 : lines.size());
  }
}

// Cuts the text before the next separator off, and the separator.
static std::string take(std::string_view& text, char separator) {
  size_t end = text.find(separator);
  std::string part(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

static void read_volumes(std::string_view lines, Settings* settings) {
  while (!lines.empty()) {
    std::string line = take(lines, '\n');
    std::string_view rest = line;
    VolumeTold volume;
    for (std::string* part : {&volume.name, &volume.folder, &volume.mounted, &volume.unmounted})
      *part = take(rest, '\t');
    settings->volumes.push_back(std::move(volume));
  }
}

Settings read_settings(const PlanView& plan) {
  Settings s;
  s.id = plan.setting("id");
  s.run_dir = plan.setting("run-dir");
  s.state_file = plan.setting("state-file");
  std::string driver = plan.setting("log-driver");
  s.log.keep_bytes = driver == "local";
  if (driver == "json-file" || driver == "local") s.log.path = plan.setting("log-file");
  s.log.max_size = plan.setting_number("log-max-size", -1);
  s.log.max_files = plan.setting_number("log-max-files", 1);
  s.log.compress = plan.setting_number("log-compress", 0) != 0;
  s.log.attributes = plan.setting("log-attributes");
  s.tty = plan.setting_number("tty", 0) != 0;
  s.open_stdin = plan.setting_number("open-stdin", 0) != 0;
  s.stdin_once = plan.setting_number("stdin-once", 0) != 0;
  s.restart_policy = restart_policy(plan.setting("restart-policy"));
  s.restart_max = plan.setting_number("restart-max", 0);
  s.restart_count = plan.setting_number("restart-count", 0);
  s.clone_flags = static_cast<uint64_t>(plan.setting_number("clone-flags", 0));
  s.monitor_cgroups = plan.setting("monitor-cgroups");
  s.oom_file = plan.setting("oom-file");
  s.kill_file = plan.setting("kill-file");
  s.events_file = plan.setting("events-file");
  read_networks(plan.setting("networks"), &s);
  read_volumes(plan.setting("volumes"), &s);
  s.auto_remove = plan.setting_number("auto-remove", 0) != 0;
  auto add_donor = [&s](std::string_view path) {
    std::string_view file = donor_file(path);
    if (!file.empty()) s.donors.emplace_back(file);
  };
  add_donor(plan.setting("join-net"));
  add_donor(plan.setting("join-pid"));
  for (const Op& op : plan.section(Section::kInit))
    if (op.code() == OpCode::kJoinNamespace) add_donor(op.text(0));
  s.stop_signal = static_cast<int>(plan.setting_number("stop-signal", 15));
  s.stop_timeout = static_cast<int32_t>(plan.setting_number("stop-timeout", 10));
  return s;
}

}  // namespace wherry

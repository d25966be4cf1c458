// The container's health check: docker's rules for when it is run and what comes of it.
#pragma once

#include <cstdint>
#include <string>

#include "loop.h"
#include "plan.h"

namespace wherry {

class Monitor;
class Session;
struct Failure;

// What is done once the container has become unhealthy; podman's --health-on-failure.
enum class UnhealthyAction { kNone, kKill, kRestart, kStop };

struct HealthSettings {
  int64_t interval = 0;  // all in ns; 0: there is no health check
  int64_t timeout = 0;
  int64_t start_period = 0;
  int64_t start_interval = 0;
  int64_t retries = 0;
  std::string timeout_words;  // `1m30s`
  std::string log_file;
  UnhealthyAction action = UnhealthyAction::kNone;
};

HealthSettings read_health_settings(const PlanView& plan);

// The first bytes of what a process writes.
struct Excerpt {
  static constexpr size_t kLimit = 4096;
  std::string text;
  bool cut = false;
  void add(const char* data, size_t length);
};

class Health {
 public:
  explicit Health(Monitor& monitor);
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  void configure(HealthSettings settings) { settings_ = static_cast<HealthSettings&&>(settings); }
  bool checked() const { return settings_.interval > 0; }
  UnhealthyAction action() const { return settings_.action; }

  // The command runs: what earlier runs have logged stays, everything else begins anew.
  void begin();
  // The container goes on after a pause.
  void resume();
  // It is paused or has ended. No probe is run any more, and one that runs is killed and doesn't count.
  void halt();

  bool owns(const Session& session) const { return probe_ == &session; }
  void probe_failed(const Failure& failure);
  void probe_ended(int exit_code);

 private:
  void schedule();
  void probe();
  void time_out();
  void conclude(int exit_code, std::string output);
  void keep_result(int exit_code, const std::string& output) const;
  bool in_start_period(int64_t when) const { return when - began_ < settings_.start_period; }

  Monitor& monitor_;
  HealthSettings settings_;
  const char* status_ = nullptr;
  int64_t streak_ = 0;  // failures one after another
  int64_t began_ = 0;   // CLOCK_MONOTONIC
  Session* probe_ = nullptr;
  int64_t probe_began_ = 0;  // CLOCK_MONOTONIC
  int64_t probe_time_ = 0;   // CLOCK_REALTIME
  bool timed_out_ = false;
  Excerpt output_;
  Timer next_, patience_;
};

}  // namespace wherry

#include "health.h"

#include <signal.h>

#include "container.h"
#include "monitor.h"
#include "session.h"
#include "state.h"
#include "text.h"

namespace wherry {

namespace {

constexpr char kStarting[] = "starting";
constexpr char kHealthy[] = "healthy";
constexpr char kUnhealthy[] = "unhealthy";

// The last results, one JSON object in a line each: as many as docker keeps.
constexpr size_t kKept = 5;
// More than they can take, with every byte of the output escaped.
constexpr size_t kMaxLog = 256 * 1024;

UnhealthyAction unhealthy_action(const std::string& name) {
  if (name == "kill") return UnhealthyAction::kKill;
  if (name == "restart") return UnhealthyAction::kRestart;
  if (name == "stop") return UnhealthyAction::kStop;
  return UnhealthyAction::kNone;
}

// The last `count` lines of a text.
std::string last_lines(const std::string& text, size_t count) {
  size_t from = text.size();
  while (count > 0 && from > 0) {
    size_t end = from >= 2 ? text.rfind('\n', from - 2) : std::string::npos;
    from = end == std::string::npos ? 0 : end + 1;
    count--;
  }
  return text.substr(from);
}

}  // namespace

HealthSettings read_health_settings(const PlanView& plan) {
  HealthSettings s;
  s.interval = plan.setting_number("health-interval", 0);
  s.timeout = plan.setting_number("health-timeout", 0);
  s.start_period = plan.setting_number("health-start-period", 0);
  s.start_interval = plan.setting_number("health-start-interval", 0);
  s.retries = plan.setting_number("health-retries", 0);
  s.timeout_words = plan.setting("health-timeout-words");
  s.log_file = plan.setting("health-log");
  s.action = unhealthy_action(plan.setting("health-on-failure"));
  return s;
}

void Excerpt::add(const char* data, size_t length) {
  size_t room = kLimit - text.size();
  if (length > room) cut = true;
  text.append(data, length < room ? length : room);
}

Health::Health(Monitor& monitor) : monitor_(monitor) {
  next_.context = patience_.context = this;
  next_.fire = [](void* self) { static_cast<Health*>(self)->probe(); };
  patience_.fire = [](void* self) { static_cast<Health*>(self)->time_out(); };
}

Health::~Health() {
  monitor_.loop().cancel(next_);
  monitor_.loop().cancel(patience_);
}

void Health::begin() {
  if (!checked()) return;
  began_ = steady_clock();
  status_ = kStarting;
  streak_ = 0;
  monitor_.health_is(status_, streak_);
  schedule();
}

void Health::resume() {
  if (status_ != nullptr) schedule();
}

void Health::halt() {
  monitor_.loop().cancel(next_);
  monitor_.loop().cancel(patience_);
  if (probe_ != nullptr) {
    probe_->excerpt = nullptr;
    probe_->kill_group();
  }
  probe_ = nullptr;
  output_ = Excerpt();
  if (!checked()) return;
  // docker's word for a container whose health nobody looks after.
  status_ = kUnhealthy;
  monitor_.health_is(status_, streak_);
}

// The time counts from the end of the last probe.
void Health::schedule() {
  bool early = status_ == kStarting && in_start_period(steady_clock());
  monitor_.loop().set(next_, early ? settings_.start_interval : settings_.interval);
}

void Health::probe() {
  probe_began_ = steady_clock();
  probe_time_ = wall_clock();
  timed_out_ = false;
  Failure failure;
  probe_ = monitor_.start_probe(&failure);
  if (probe_ == nullptr) return conclude(-1, failure.message);
  probe_->excerpt = &output_;
  monitor_.loop().set(patience_, settings_.timeout);
}

// Waited for all the same: probes that don't die must not pile up.
void Health::time_out() {
  timed_out_ = true;
  if (probe_ != nullptr) probe_->kill_group();
}

void Health::probe_failed(const Failure& failure) {
  conclude(-1, "OCI runtime exec failed: exec failed: " + failure.message);
}

void Health::probe_ended(int exit_code) {
  std::string output;
  output.swap(output_.text);
  if (output_.cut) output += "...";
  if (!timed_out_) return conclude(exit_code, output);
  std::string words = "Health check exceeded timeout (" + settings_.timeout_words + ")";
  conclude(-1, output.empty() ? words : words + ": " + output);
}

void Health::conclude(int exit_code, std::string output) {
  monitor_.loop().cancel(patience_);
  if (probe_ != nullptr) probe_->excerpt = nullptr;
  probe_ = nullptr;
  output_ = Excerpt();
  keep_result(exit_code, output);
  const char* before = status_;
  int64_t streak_before = streak_;
  if (exit_code == 0) {
    streak_ = 0;
    status_ = kHealthy;
  } else if (status_ != kStarting || !in_start_period(probe_began_)) {
    streak_++;
    if (streak_ >= settings_.retries) status_ = kUnhealthy;
  }
  if (status_ != before || streak_ != streak_before) {
    monitor_.health_is(status_, streak_);
    monitor_.save_state();
  }
  if (status_ != before) monitor_.health_changed(status_, status_ == kUnhealthy);
  schedule();
}

void Health::keep_result(int exit_code, const std::string& output) const {
  if (settings_.log_file.empty()) return;
  std::string log;
  if (!read_small_file(settings_.log_file, kMaxLog, &log)) log.clear();
  log = last_lines(log, kKept - 1);
  if (!log.empty() && log.back() != '\n') log += '\n';
  std::string line = "{";
  append_member(line, "Start", time_text(probe_time_));
  append_member(line, "End", time_text(wall_clock()));
  append_member(line, "ExitCode", exit_code);
  append_member(line, "Output", output);
  log += line + "}\n";
  replace_file(settings_.log_file, log);
}

}  // namespace wherry

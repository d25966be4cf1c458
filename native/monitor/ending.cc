// How a container ends: its process, what else is in its cgroup, and what it has in the kernel and on the disk.
#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "events.h"
#include "fail.h"
#include "kernel/syscalls.h"
#include "monitor.h"
#include "paths.h"
#include "state.h"
#include "text.h"
#include "without.h"

namespace wherry {

void Monitor::process_ended() {
  end_execs();
  int64_t now = wall_clock();
  log_.finish(now);
  note_oom();
  disarm_oom();
  state_.pid = 0;
  state_.pid_start = 0;
  state_.exit_code = main_->exit_code();
  state_.finished_at = time_text(now);
  paused_ = false;
  std::string members;
  append_member(members, "exitCode", std::to_string(state_.exit_code));
  append_member(members, "execDuration", std::to_string((ended_ - started_) / 1000000000));
  int64_t delay = -1;
  if (renewing_ && !restart_forbidden_) delay = 0;
  else if (!restart_forbidden_)
    delay = restart_.decide(settings_, state_.exit_code, state_.restart_count, ended_ - started_);
  if (delay < 0) {
    state_.status = "exited";
    save_state();
    emit("die", members);
    emit_joined(false);
    return finish_for_good(nullptr);
  }
  phase_ = Phase::kBackoff;
  state_.status = "restarting";
  state_.restart_count++;
  save_state();
  emit("die", members);
  emit_joined(false);
  answer_exit(false);
  dead_sessions_.push_back(main_);
  main_ = nullptr;
  unmount_root();
  loop_.set(restart_timer_, delay);
}

// The policy's next start doesn't come.
void Monitor::end_in_backoff(bool manually) {
  state_.status = "exited";
  forbid_restart(manually);
  finish_for_good(nullptr);
}

// The end: what the container has in the kernel and, with --rm, on the disk goes. Until the state says that
// there is no monitor, others know that the stop plan is not through.
void Monitor::finish_for_good(const Failure* start_failure) {
  loop_.cancel(restart_timer_);
  loop_.cancel(stop_timer_);
  EventSubject subject = read_subject(settings_.id, settings_.run_dir);
  if (stop_requested_) emit("stop");
  if (set_up_) run_stop_plan();
  // The ports are free for others only now that nothing leads from them to the container.
  delete network_;
  network_ = nullptr;
  if (netns_ >= 0) close(netns_);
  netns_ = -1;
  stop_listening();
  phase_ = Phase::kEnded;
  if (root_ >= 0) {
    // Nobody mounts it again before.
    state_.unmount_pid = state_.monitor_pid;
    state_.unmount_start = state_.monitor_start;
  }
  state_.monitor_pid = 0;
  state_.monitor_start = 0;
  if (!settings_.auto_remove) {
    save_state();
  } else {
    emit_removed_volumes();
    write_event(settings_.events_file, subject, "destroy", "");
  }
  if (start_failure != nullptr && starter_ != nullptr) {
    starter_->send_error(*start_failure);
    starter_->finish();
  }
  answer_exit(true);
  for (Client* client : clients_)
    if (!client->dead()) client->finish();
  if (main_ != nullptr) dead_sessions_.push_back(main_);
  main_ = nullptr;
  // After a power cut a policy asks whether the container was stopped, and everybody how it ended. Unmounting an
  // overlay syncs the state, too. Nobody who waits for the end waits for the disk.
  bool synced = root_ >= 0 && filesystem_of(root_) == OVERLAYFS_SUPER_MAGIC;
  if (!settings_.auto_remove && !synced) sync_state(settings_.state_file);
}

void Monitor::run_stop_plan() {
  PlanFile file;
  std::string error;
  bool loaded = plan_load((settings_.run_dir + "/stop.plan").c_str(), &file, &error) ||
                plan_load(plan_path_.c_str(), &file, &error);
  Failure failure;
  if (!loaded) {
    failure.message = error;
  } else if (run_host_section(file.plan, Section::kStop, host_context(), true, &failure)) {
    return;
  }
  if (state_.error.empty()) state_.error = failure.message;
}

// Everybody who waits for the end of the process hears of it. Those who stop the container wait for its end
// for good.
void Monitor::answer_exit(bool final) {
  uint8_t flags = state_.oom_killed ? kOomKilled : 0;
  if (!final) flags |= kWillRestart;
  else if (settings_.auto_remove) flags |= kRemoved;
  for (Client* client : clients_) {
    if (client->dead() || !(client->waits_for_exit || (final && client->waits_for_end))) continue;
    client->send_exit(state_.exit_code, flags);
  }
}

// The file may be missing (before Linux 5.14). Linux since 6.12 kills whatever is cloned into a cgroup in which all
// were killed before, so that later processes have to join it.
void Monitor::kill_cgroup() {
  if (settings_.kill_file.empty()) return;
  try_write(settings_.kill_file, "1");
  sys::without.into_cgroup = true;
}

void Monitor::kill_rest() {
  kill_cgroup();
  // The memory cgroup lists who is left; on v2 any file of the cgroup is beside the list. cgroup.kill itself may be
  // missing (before Linux 5.14).
  const std::string& beside = settings_.oom_file.empty() ? settings_.kill_file : settings_.oom_file;
  size_t slash = beside.rfind('/');
  if (slash == std::string::npos) return;
  for (int round = 0; round < 10; round++) {
    std::string list;
    if (!read_small_file(beside.substr(0, slash) + "/cgroup.procs", 1 << 20, &list)) return;
    if (list.empty()) return;
    for (const char* p = list.c_str(); *p != 0;) {
      pid_t pid = static_cast<pid_t>(strtol(p, nullptr, 10));
      if (pid > 1 && pid != getpid()) kill(pid, SIGKILL);
      p = strchr(p, '\n');
      if (p == nullptr) break;
      p++;
    }
  }
}

// Sends SIGKILL to all of the container. What is frozen can't die on v1: it is thawed after.
void Monitor::send_kill() {
  if (main_ == nullptr || !main_->running()) return;
  kill_cgroup();
  main_->signal(SIGKILL);
  emit_kill(SIGKILL);
  thaw();
}

void Monitor::emit_kill(int number) {
  std::string members;
  append_member(members, "signal", std::to_string(number));
  emit("kill", members);
}

// docker: a container leaves its networks and volumes at every end of its process, also when its policy starts it
// again. Ours keeps what it has there.
void Monitor::emit_joined(bool joined) {
  if (joined == joined_told_) return;
  joined_told_ = joined;
  const std::string& journal = settings_.events_file;
  for (const auto& [id, members] : settings_.networks)
    write_object_event(journal, "network", id, joined ? "connect" : "disconnect", members);
  for (const VolumeTold& volume : settings_.volumes)
    write_object_event(journal, "volume", volume.name, joined ? "mount" : "unmount",
                       joined ? volume.mounted : volume.unmounted);
}

// The stop plan has removed those that nobody else uses.
void Monitor::emit_removed_volumes() {
  for (const VolumeTold& volume : settings_.volumes)
    if (!volume.folder.empty() && access(volume.folder.c_str(), F_OK) != 0 && errno == ENOENT)
      write_object_event(settings_.events_file, "volume", volume.name, "destroy", "\"driver\":\"local\"");
}

void Monitor::stop_process(int number, int32_t seconds, bool manually) {
  stop_requested_ = true;
  forbid_restart(manually);
  end_process(number, seconds);
}

void Monitor::end_process(int number, int32_t seconds) {
  if (main_ == nullptr || !main_->running()) {
    pending_stop_signal_ = number;
    pending_stop_seconds_ = seconds;
    return;
  }
  main_->signal(number);
  emit_kill(number);
  thaw();
  if (seconds >= 0) {
    loop_.cancel(stop_timer_);
    loop_.set(stop_timer_, seconds * 1000000000ll);
  }
}

// `manually`: the next boot doesn't bring it back either, unless it is to run always.
void Monitor::forbid_restart(bool manually) {
  restart_forbidden_ = true;
  state_.manually_stopped = state_.manually_stopped || manually;
  // Without a policy nobody asks before the end.
  if (settings_.restart_policy != RestartPolicy::kNo) save_state();
}

}  // namespace wherry

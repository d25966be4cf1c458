#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>

#include "donor.h"
#include "events.h"
#include "fail.h"
#include "kernel/fd.h"
#include "own_pages.h"
#include "text.h"

namespace wherry {

namespace {

constexpr size_t kMaxClients = 256;
constexpr int64_t kDonorPoll = 200 * 1000000ll;
constexpr int64_t kDonorPatience = 15 * 1000000000ll;

}  // namespace

Monitor::Monitor(const std::string& plan_path)
    : plan_path_(plan_path),
      health_(*this),
      listener_(*this, &Monitor::accept_clients),
      oom_source_(*this, &Monitor::on_oom) {
  stop_timer_.context = restart_timer_.context = this;
  stop_timer_.fire = [](void* self) { static_cast<Monitor*>(self)->send_kill(); };
  restart_timer_.fire = [](void* self) { static_cast<Monitor*>(self)->start_process(false, 0, 0); };
}

Monitor::~Monitor() {
  bury_dead();
  for (Client* client : clients_) delete client;
  for (Session* session : execs_) delete session;
  for (Session* session : released_) delete session;
  delete main_;
  delete network_;
  if (netns_ >= 0) close(netns_);
  unmount_root();
}

void Monitor::run(int starter) {
  load_settings();
  // The engine reads this as a monitor that is there but has not started anything.
  state_.monitor_pid = getpid();
  state_.monitor_start = process_start(getpid());
  state_.boot_id = read_boot_id();
  state_.restart_count = settings_.restart_count;
  read_past(settings_.state_file, &state_);
  if (health_.checked() && state_.started_at != kNever) health_.halt();
  if (settings_failure_.message.empty()) prepare();
  starter_ = new Client(*this, starter, true);
  clients_.push_back(starter_);
  idle();
  while (phase_ != Phase::kEnded || !clients_.empty()) {
    loop_.turn([](void* self) { static_cast<Monitor*>(self)->idle(); }, this);
    bury_dead();
    if (phase_ == Phase::kWaiting && starter_ == nullptr) return stop_listening();
  }
}

void Monitor::load_settings() {
  PlanFile file;
  std::string error;
  if (!plan_load(plan_path_.c_str(), &file, &error)) {
    settings_failure_.message = error;
    return;
  }
  settings_ = read_settings(file.plan);
  health_.configure(read_health_settings(file.plan));
  spill_directory_ = settings_.state_file.substr(0, settings_.state_file.rfind('/'));
}

void Monitor::prepare() {
  read_small_file("/proc/self/oom_score_adj", 32, &inherited_oom_score_);
  set_oom_score(true);
  if (!listen()) fail(&settings_failure_, errno, "listen on %s/attach.sock", settings_.run_dir.c_str());
}

// Leaves the cgroups of whoever started it. The setup section has made the new ones.
void Monitor::join_own_cgroups() {
  for (size_t at = 0; at < settings_.monitor_cgroups.size();) {
    size_t end = settings_.monitor_cgroups.find('\n', at);
    if (end == std::string::npos) end = settings_.monitor_cgroups.size();
    try_write(settings_.monitor_cgroups.substr(at, end - at), "0");
    at = end + 1;
  }
}

// A clone starts with the monitor's score: it must not inherit the lowered one.
void Monitor::set_oom_score(bool own) {
  if (!inherited_oom_score_.empty()) try_write("/proc/self/oom_score_adj", own ? "-900" : inherited_oom_score_);
}

bool Monitor::listen() {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  mkdir(settings_.run_dir.c_str(), 0700);
  Fd folder(open(settings_.run_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!folder || !descriptor) return false;
  // The path of a socket may be 107 bytes long only; through the folder's descriptor it always fits.
  int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/attach.sock", folder.get());
  unlink(address.sun_path);
  socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + static_cast<size_t>(length) + 1);
  if (bind(descriptor.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return false;
  if (chmod(address.sun_path, 0600) != 0 || ::listen(descriptor.get(), 64) != 0) return false;
  listener_.fd = descriptor.release();
  loop_.watch(listener_, EPOLLIN);
  return true;
}

void Monitor::accept_clients(uint32_t) {
  int descriptor = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return;
  if (clients_.size() >= kMaxClients) {
    close(descriptor);
    return;
  }
  clients_.push_back(new Client(*this, descriptor, false));
}

void Monitor::stop_listening() {
  if (listener_.fd < 0) return;
  loop_.forget(listener_);
  unlink((settings_.run_dir + "/attach.sock").c_str());
  close(listener_.fd);
  listener_.fd = -1;
}

// May take as long as the disk does.
void Monitor::unmount_root() {
  if (root_ >= 0) close(root_);
  root_ = -1;
}

void Monitor::bury_dead() {
  // Closing one may drop another.
  for (size_t i = 0; i < dead_clients_.size(); i++) {
    Client* client = dead_clients_[i];
    if (client == starter_) starter_ = nullptr;
    if (client == holder_) release_hold();
    for (size_t at = 0; at < clients_.size(); at++) {
      if (clients_[at] != client) continue;
      clients_[at] = clients_.back();
      clients_.pop_back();
      break;
    }
    if (client->session() != nullptr) client->session()->remove(client);
    delete client;
  }
  dead_clients_.clear();
  for (Session* session : dead_sessions_) delete session;
  dead_sessions_.clear();
}

void Monitor::idle() {
  log_.release();
  release_input_buffer();
  release_output_buffer();
  if (network_ != nullptr) network_->release_memory();
  malloc_trim(0);
  release_own_pages();
}

void Monitor::emit(const char* action, const std::string& members) {
  if (settings_.events_file.empty()) return;
  write_event(settings_.events_file, read_subject(settings_.id, settings_.run_dir), action, members);
}

void Monitor::save_state() {
  if (!settings_.state_file.empty()) write_state(settings_.state_file, state_);
}

void Monitor::health_is(const char* status, int64_t failing_streak) {
  state_.health = status;
  state_.failing_streak = failing_streak;
}

void Monitor::health_changed(const char* status, bool failing) {
  emit(("health_status: " + std::string(status)).c_str());
  // Somebody stops it anyway.
  if (!failing || restart_forbidden_) return;
  switch (health_.action()) {
    case UnhealthyAction::kNone: return;
    case UnhealthyAction::kKill: return send_kill();
    case UnhealthyAction::kStop: return stop_process(settings_.stop_signal, settings_.stop_timeout, true);
    case UnhealthyAction::kRestart:
      renewing_ = true;
      return end_process(settings_.stop_signal, settings_.stop_timeout);
  }
}

void Monitor::log_dropped() {
  if (drop_noted_) return;
  drop_noted_ = true;
  state_.error = "lines of the log were lost: " + error_words(log_.drop_reason());
  save_state();
}

void Monitor::start_process(bool first, uint16_t rows, uint16_t columns) {
  phase_ = Phase::kStarting;
  if (!settings_failure_.message.empty()) return start_failed(settings_failure_);
  Failure failure;
  PlanFile file;
  std::string error;
  if (!plan_load(plan_path_.c_str(), &file, &error)) {
    failure.message = error;
    return start_failed(failure);
  }
  if (first) {
    int reason = log_.open(settings_.log);
    if (reason != 0) {
      fail(&failure, reason, "open %s", settings_.log.path.c_str());
      return start_failed(failure);
    }
    // Before anything runs: later a full disk could leave it without a state, and so without a way to it.
    state_.status = resting_status();
    reason = settings_.state_file.empty() ? 0 : write_state(settings_.state_file, state_);
    if (reason != 0) {
      fail(&failure, reason, "write %s", settings_.state_file.c_str());
      return start_failed(failure);
    }
  }
  set_up_ = true;
  Child child;
  if (!run_host_section(file.plan, Section::kSetup, host_context(), false, &failure)) return start_failed(failure);
  set_oom_score(false);
  bool cloned = clone_init(file.plan, netns_, &child, &failure);
  set_oom_score(true);
  // While the init, which goes into its own, mounts: nine hierarchies take a fifth of a millisecond.
  if (first) join_own_cgroups();
  if (!cloned) return start_failed(failure);
  if (netns_ < 0) {
    netns_ = child.netns_fd;
  } else if (child.netns_fd >= 0) {
    close(child.netns_fd);
  }
  child.netns_fd = -1;
  oom_source_.fd = oom_.arm(settings_.oom_file);
  if (oom_source_.fd >= 0) loop_.watch(oom_source_, EPOLLIN);

  main_ = new Session(*this, "", &log_);
  main_->close_stdin_at_end = settings_.stdin_once;
  main_->keep_stdin = settings_.open_stdin;
  main_->expects_terminal = settings_.tty;
  main_->rows = rows;
  main_->columns = columns;
  if (first && starter_ != nullptr) starter_->join(main_, true);
  main_->begin(child);
  if (first && !run_network_section(file.plan, &failure)) {
    main_->abandon();
    return start_failed(failure);
  }
  if (!run_host_section(file.plan, Section::kCreated, host_context(), false, &failure)) {
    main_->abandon();
    return start_failed(failure);
  }
  emit_joined(true);
  main_->let_go();
}

void Monitor::session_running(Session& session) {
  if (&session != main_) {
    exec_running(session);
    return;
  }
  started_ = steady_clock();
  root_ = session.take_root();
  donor_awaited_ = 0;
  phase_ = Phase::kRunning;
  paused_ = false;
  state_.status = "running";
  state_.pid = session.pid();
  state_.pid_start = process_start(session.pid());
  state_.started_at = time_text(wall_clock());
  state_.exit_code = 0;
  state_.oom_killed = false;
  if (!drop_noted_) state_.error.clear();
  health_.begin();
  save_state();
  emit("start");
  if (renewing_) emit("restart");
  renewing_ = false;
  Failure hook;
  if (!run_section(Section::kStarted, &hook)) {
    state_.error = hook.message;
    save_state();
  }
  if (starter_ != nullptr && starter_->session() == main_) {
    starter_->send_ok("{\"pid\":" + std::to_string(session.pid()) + "}");
    if (starter_->wants(kDetached)) starter_->finish();
  }
  if (pending_stop_signal_ != 0) end_process(pending_stop_signal_, pending_stop_seconds_);
}

void Monitor::session_failed(Session& session, const Failure& failure) {
  if (&session == main_) start_failed(failure);
  else exec_failed(session, failure);
}

const char* Monitor::resting_status() const { return state_.started_at == kNever ? "created" : "exited"; }

// A container that is joined may itself be between two runs, or be restarted by hand: it gets some time.
bool Monitor::awaits_donor(const Failure& failure) {
  bool missing = false, comes = false;
  for (const std::string& file : settings_.donors) {
    missing = missing || !donor_runs(file);
    comes = comes || donor_restarts(file);
  }
  int64_t now = steady_clock();
  if (donor_awaited_ == 0 || comes) donor_awaited_ = now;
  if (!missing || restart_forbidden_ || now - donor_awaited_ > kDonorPatience) return false;
  phase_ = Phase::kBackoff;
  state_.status = "restarting";
  state_.error = failure.message;
  save_state();
  if (main_ != nullptr) dead_sessions_.push_back(main_);
  main_ = nullptr;
  loop_.set(restart_timer_, kDonorPoll);
  return true;
}

// A first start that fails leaves the container `created`, as docker does; a failed restart ends it.
void Monitor::start_failed(const Failure& failure) {
  bool first = started_ == 0;
  disarm_oom();
  emit_joined(false);
  if (!first && awaits_donor(failure)) return;
  state_.status = resting_status();
  state_.pid = 0;
  state_.pid_start = 0;
  state_.exit_code = failure.code;
  state_.error = failure.message;
  if (!first) state_.finished_at = time_text(wall_clock());
  save_state();
  finish_for_good(first ? &failure : nullptr);
}

void Monitor::session_exited(Session& session) {
  if (&session != main_) return;
  loop_.cancel(stop_timer_);
  health_.halt();
  ended_ = steady_clock();
  // With a pid namespace of its own the rest has died with its init.
  if ((settings_.clone_flags & CLONE_NEWPID) == 0) kill_rest();
}

void Monitor::session_ended(Session& session) {
  if (&session != main_) return exec_ended(session);
  process_ended();
}

void Monitor::session_released(Session& session) {
  for (size_t i = 0; i < released_.size(); i++) {
    if (released_[i] != &session) continue;
    released_.erase(released_.begin() + static_cast<ptrdiff_t>(i));
    dead_sessions_.push_back(&session);
    return;
  }
}

HostContext Monitor::host_context() const {
  HostContext context;
  context.netns_fd = netns_;
  context.pid = main_ != nullptr && main_->pid() > 0 ? main_->pid() : 0;
  return context;
}

bool Monitor::run_section(Section section, Failure* failure) {
  PlanFile file;
  std::string error;
  if (!plan_load(plan_path_.c_str(), &file, &error)) {
    failure->message = error;
    return false;
  }
  return run_host_section(file.plan, section, host_context(), false, failure);
}

bool Monitor::run_network_section(const PlanView& plan, Failure* failure) {
  if (plan.section(Section::kNetwork).empty()) return true;
  if (network_ == nullptr) network_ = new Network(loop_, plan_path_);
  Network::Mark mark = network_->mark();
  HostContext context = host_context();
  context.network = network_;
  if (run_host_section(plan, Section::kNetwork, context, false, failure)) return true;
  network_->roll_back(mark);
  return false;
}

bool Monitor::thaw() {
  if (!paused_) return true;
  Failure failure;
  if (!run_section(Section::kUnpause, &failure)) return false;
  paused_ = false;
  state_.status = "running";
  save_state();
  emit("unpause");
  health_.resume();
  return true;
}

void Monitor::disarm_oom() {
  if (oom_source_.fd >= 0) loop_.forget(oom_source_);
  oom_source_.fd = -1;
  oom_.disarm();
}

void Monitor::note_oom() {
  if (!oom_.killed()) return;
  state_.oom_killed = true;
  emit("oom");
}

void Monitor::on_oom(uint32_t) {
  oom_.acknowledge();
  note_oom();
}

}  // namespace wherry

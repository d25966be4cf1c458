// What clients ask of the monitor, and the exec sessions that come of it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "fail.h"
#include "monitor.h"
#include "random.h"
#include "text.h"

namespace wherry {

static constexpr size_t kStreamsLength = 6;

bool Monitor::handle(Client& client, Request request, const std::string& payload) {
  if (phase_ == Phase::kEnded || (phase_ == Phase::kWaiting) != (request == Request::kStart)) {
    refuse(client, "container " + settings_.id + " is not running");
    return true;
  }
  switch (request) {
    case Request::kStart: return client.starter() && handle_start(client, payload);
    case Request::kAttach: return handle_attach(client, payload);
    case Request::kExec: return handle_exec(client, payload);
    case Request::kSignal: return handle_signal(client, payload);
    case Request::kStop: return handle_stop(client, payload);
    case Request::kPause: handle_pause(client, true); return true;
    case Request::kUnpause: handle_pause(client, false); return true;
    case Request::kHold: handle_hold(client); return true;
    case Request::kWait: client.waits_for_exit = true; return true;
    case Request::kReload: handle_reload(client); return true;
    case Request::kResize: return handle_resize(client, payload);
    case Request::kNetwork: handle_network(client, payload, false); return true;
    case Request::kNames: handle_network(client, payload, true); return true;
    case Request::kReleasePort: return handle_release_port(client, payload);
  }
  return false;
}

void Monitor::refuse(Client& client, const std::string& message, int err) {
  Failure failure;
  failure.err = err;
  failure.message = message;
  client.send_error(failure);
  client.finish();
}

bool Monitor::handle_start(Client& client, const std::string& payload) {
  if (payload.size() != kStreamsLength) return false;
  uint8_t streams = static_cast<uint8_t>(payload[0]);
  client.want(streams);
  client.waits_for_exit = true;
  start_process(true, read_u16(&payload[2]), read_u16(&payload[4]));
  return true;
}

bool Monitor::handle_attach(Client& client, const std::string& payload) {
  if (payload.size() != kStreamsLength) return false;
  if (phase_ != Phase::kRunning) {
    refuse(client, "You cannot attach to a restarting container, wait until it is running");
    return true;
  }
  client.want(static_cast<uint8_t>(payload[0]));
  client.waits_for_exit = true;
  client.send_ok("{}");
  client.join(main_, false);
  uint16_t rows = read_u16(&payload[2]), columns = read_u16(&payload[4]);
  if (rows != 0 && columns != 0) main_->resize(rows, columns);
  return true;
}

bool Monitor::handle_exec(Client& client, const std::string& payload) {
  if (payload.size() <= kStreamsLength + kExecIdLength) return false;
  std::string id = payload.substr(kStreamsLength, kExecIdLength);
  for (char c : id)
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return false;
  if (phase_ != Phase::kRunning || main_ == nullptr || !main_->running()) {
    refuse(client, "container " + settings_.id + " is not running");
    return true;
  }
  if (paused_) {
    refuse(client, "container " + settings_.id + " is paused, unpause the container before exec");
    return true;
  }
  Failure failure;
  PlanView plan;
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(payload.data()) + kStreamsLength + kExecIdLength;
  if (!plan_decode(bytes, payload.size() - kStreamsLength - kExecIdLength, &plan, &failure.message)) {
    refuse(client, failure.message);
    return true;
  }
  uint8_t streams = static_cast<uint8_t>(payload[0]);
  Session* session = clone_session(plan, id, (streams & kWantStdin) != 0, &failure);
  if (session == nullptr) {
    client.send_error(failure);
    client.finish();
    return true;
  }
  session->close_stdin_at_end = true;
  session->rows = read_u16(&payload[2]);
  session->columns = read_u16(&payload[4]);
  client.want(streams);
  client.join(session, true);
  return true;
}

// A process of an exec section, in the container that runs.
Session* Monitor::clone_session(const PlanView& plan, const std::string& id, bool open_stdin, Failure* failure) {
  ExecContext context;
  context.init_pid = main_->pid();
  context.init_pidfd = main_->pidfd();
  context.open_stdin = open_stdin;
  Child child;
  set_oom_score(false);
  bool cloned = clone_exec(plan, context, &child, failure);
  set_oom_score(true);
  if (!cloned) return nullptr;
  Session* session = new Session(*this, id, nullptr);
  execs_.push_back(session);
  session->begin(child);
  return session;
}

Session* Monitor::start_probe(Failure* failure) {
  PlanFile file;
  if (!plan_load(plan_path_.c_str(), &file, &failure->message)) return nullptr;
  const auto& ops = file.plan.section(Section::kExec);
  std::string command;
  if (!ops.empty() && ops.back().code() == OpCode::kExec) {
    for (std::string_view word : ops.back().list(0)) {
      if (!command.empty()) command += ' ';
      command += word;
    }
  }
  std::string id = random_hex(kExecIdLength), members;
  append_member(members, "execID", id);
  emit(("exec_create: " + command).c_str(), members);
  emit(("exec_start: " + command).c_str(), members);
  return clone_session(file.plan, id, false, failure);
}

// An empty file `execs/<id>` for each that runs: `inspect` shows their ids.
void Monitor::note_exec(const Session& session, bool runs) {
  std::string folder = settings_.run_dir + "/execs";
  std::string path = folder + "/" + session.exec_id();
  if (!runs) {
    unlink(path.c_str());
    return;
  }
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == ENOENT && mkdir(folder.c_str(), 0700) == 0)
    fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) close(fd);
}

void Monitor::exec_running(Session& session) {
  note_exec(session, true);
  char pid[20];
  std::string json = "{\"pid\":" + std::string(pid, format_number(pid, session.pid())) + "}";
  for (Client* client : session.clients()) {
    client->send_ok(json);
    if (client->wants(kDetached)) client->finish();
  }
}

void Monitor::exec_failed(Session& session, const Failure& failure) {
  for (Client* client : session.clients()) {
    client->send_error(failure);
    client->finish();
  }
  if (health_.owns(session)) health_.probe_failed(failure);
  remove_exec(session);
  dead_sessions_.push_back(&session);
}

void Monitor::exec_ended(Session& session) {
  note_exec(session, false);
  std::string members;
  append_member(members, "execID", session.exec_id());
  append_member(members, "exitCode", std::to_string(session.exit_code()));
  emit("exec_die", members);
  for (Client* client : session.clients()) client->send_exit(session.exit_code(), 0);
  if (health_.owns(session)) health_.probe_ended(session.exit_code());
  remove_exec(session);
  if (session.still_held()) released_.push_back(&session);
  else dead_sessions_.push_back(&session);
}

void Monitor::remove_exec(Session& session) {
  for (size_t i = 0; i < execs_.size(); i++) {
    if (execs_[i] != &session) continue;
    execs_.erase(execs_.begin() + static_cast<ptrdiff_t>(i));
    return;
  }
}

// In a pid namespace of its own they have died before the container's process and are gone already.
void Monitor::end_execs() {
  while (!execs_.empty()) execs_.back()->end_now();
}

bool Monitor::handle_signal(Client& client, const std::string& payload) {
  if (payload.size() != 5) return false;
  int number = static_cast<int>(read_u32(payload.data()));
  bool last = (payload[4] & 1) != 0;
  client.waits_for_end = (payload[4] & 2) != 0;
  if (phase_ == Phase::kBackoff) {
    if (!client.waits_for_end) {
      client.send_ok("{}");
      client.finish();
    }
    if (last) end_in_backoff(true);
    return true;
  }
  if (main_ != nullptr && main_->running()) {
    int reason = number == 0 ? EINVAL : main_->signal(number);
    if (reason != 0) {
      refuse(client, "signal " + std::to_string(number) + ": " + error_words(reason), reason);
      return true;
    }
    if (last) forbid_restart(true);
    emit_kill(number);
    // A frozen process doesn't die before it is thawed.
    if (last || number == SIGKILL) thaw();
  } else if (last) {
    // Between the end of one process and the next, which its policy starts, or has begun to start.
    forbid_restart(true);
    end_process(number, -1);
  } else if (phase_ != Phase::kStarting) {
    refuse(client, "container " + settings_.id + " is not running");
    return true;
  }
  if (client.waits_for_end) return true;
  client.send_ok("{}");
  client.finish();
  return true;
}

bool Monitor::handle_stop(Client& client, const std::string& payload) {
  if (payload.size() != 8 && payload.size() != 9) return false;
  int number = static_cast<int>(read_u32(payload.data()));
  bool comes_back = payload.size() == 9 && (payload[8] & 1) != 0;
  int32_t seconds = static_cast<int32_t>(read_u32(payload.data() + 4));
  if (number < 1 || number > 64) {
    refuse(client, "invalid signal: " + std::to_string(number), EINVAL);
    return true;
  }
  client.waits_for_end = true;
  if (phase_ == Phase::kBackoff) {
    stop_requested_ = true;
    end_in_backoff(!comes_back);
  } else {
    stop_process(number, seconds, !comes_back);
  }
  return true;
}

void Monitor::handle_pause(Client& client, bool pause) {
  if (phase_ != Phase::kRunning || main_ == nullptr || !main_->running())
    return refuse(client, "container " + settings_.id + " is not running");
  if (paused_ == pause)
    return refuse(client, "container " + settings_.id + (pause ? " is already paused" : " is not paused"));
  Failure failure;
  // From now on it is as somebody has said, whoever held it.
  if (set_paused(pause, &failure)) {
    holder_ = nullptr;
    client.send_ok("{}");
  } else {
    client.send_error(failure);
  }
  client.finish();
}

bool Monitor::set_paused(bool pause, Failure* failure) {
  if (pause) health_.halt();
  bool done = run_section(pause ? Section::kPause : Section::kUnpause, failure);
  if (!done) {
    if (pause) health_.resume();
    return false;
  }
  paused_ = pause;
  state_.status = pause ? "paused" : "running";
  save_state();
  emit(pause ? "pause" : "unpause");
  if (!pause) health_.resume();
  return true;
}

// A client that is killed must not leave the container frozen.
void Monitor::handle_hold(Client& client) {
  if (phase_ != Phase::kRunning || main_ == nullptr || !main_->running())
    return refuse(client, "container " + settings_.id + " is not running");
  if (paused_) return refuse(client, "container " + settings_.id + " is already paused");
  Failure failure;
  if (!set_paused(true, &failure)) {
    client.send_error(failure);
    return client.finish();
  }
  holder_ = &client;
  client.send_ok("{}");
}

void Monitor::release_hold() {
  holder_ = nullptr;
  Failure failure;
  if (paused_ && phase_ == Phase::kRunning && main_ != nullptr && main_->running()) set_paused(false, &failure);
}

void Monitor::handle_reload(Client& client) {
  PlanFile file;
  std::string error;
  if (!plan_load(plan_path_.c_str(), &file, &error)) return refuse(client, error);
  Settings fresh = read_settings(file.plan);
  settings_.restart_policy = fresh.restart_policy;
  settings_.restart_max = fresh.restart_max;
  settings_.auto_remove = fresh.auto_remove;
  settings_.log.max_size = fresh.log.max_size;
  settings_.log.max_files = fresh.log.max_files;
  settings_.networks = std::move(fresh.networks);
  log_.change(settings_.log);
  client.send_ok("{}");
  client.finish();
}

bool Monitor::handle_resize(Client& client, const std::string& payload) {
  if (payload.size() != kExecIdLength + 4) return false;
  std::string id = payload.substr(0, kExecIdLength);
  Session* session = main_;
  if (id != std::string(kExecIdLength, '\0')) {
    session = nullptr;
    for (Session* exec : execs_)
      if (exec->exec_id() == id) session = exec;
  }
  if (session == nullptr || !session->running()) {
    refuse(client, "no such exec is running");
    return true;
  }
  session->resize(read_u16(&payload[kExecIdLength]), read_u16(&payload[kExecIdLength + 2]));
  client.send_ok("{}");
  client.finish();
  return true;
}

// A request for names is a network section that has nothing else.
void Monitor::handle_network(Client& client, const std::string& payload, bool names) {
  Failure failure;
  PlanView plan;
  if (!plan_decode(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), &plan, &failure.message))
    return refuse(client, failure.message);
  const auto& ops = plan.section(Section::kNetwork);
  if (names && (ops.size() != 1 || ops[0].code() != OpCode::kServeNames))
    return refuse(client, "a request for names has one operation serveNames", EINVAL);
  if (!run_network_section(plan, &failure)) {
    client.send_error(failure);
  } else {
    client.send_ok("{}");
  }
  client.finish();
}

bool Monitor::handle_release_port(Client& client, const std::string& payload) {
  std::string_view rest = payload;
  if (rest.empty()) return false;
  while (!rest.empty()) {
    if (rest.size() < 4 || rest.size() - 4 < static_cast<uint8_t>(rest[1])) return false;
    std::string_view address = rest.substr(4, static_cast<uint8_t>(rest[1]));
    HostPort port;
    Failure failure;
    if (!read_host_port(static_cast<uint8_t>(rest[0]), address, read_u16(&rest[2]), &port, &failure)) {
      refuse(client, failure.message, failure.err);
      return true;
    }
    if (network_ != nullptr) network_->release(port);
    rest.remove_prefix(4 + address.size());
  }
  client.send_ok("{}");
  client.finish();
  return true;
}

}  // namespace wherry

// The monitor of one container: its life from the request to start to the end for good (monitor.cc), and
// what its clients ask of it (requests.cc).
#pragma once

#include <string>
#include <vector>

#include "client.h"
#include "container.h"
#include "health.h"
#include "log.h"
#include "loop.h"
#include "network.h"
#include "oom.h"
#include "restart.h"
#include "session.h"
#include "settings.h"
#include "state.h"

namespace wherry {

class Monitor {
 public:
  explicit Monitor(const std::string& plan_path);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Serves the container until it has ended and every client has got its answer. `starter` is the
  // connection on which the request to start comes.
  void run(int starter);

  Loop& loop() { return loop_; }
  const std::string& spill_directory() const { return spill_directory_; }

  // For clients. False: the request is malformed.
  bool handle(Client& client, Request request, const std::string& payload);
  void bury(Client* client) { dead_clients_.push_back(client); }

  // For sessions.
  void session_running(Session& session);
  void session_failed(Session& session, const Failure& failure);
  void session_exited(Session& session);
  void session_ended(Session& session);
  void session_released(Session& session);
  void log_dropped();

  // For the health check. Runs the plan's exec section; null: it could not even be cloned.
  Session* start_probe(Failure* failure);
  // What the state says of it, from the next time on that it is written.
  void health_is(const char* status, int64_t failing_streak);
  // Tells a new status. `failing`: the container has become unhealthy.
  void health_changed(const char* status, bool failing);
  void save_state();

 private:
  // kWaiting: for the request to start. kBackoff: until the policy starts it again.
  enum class Phase { kWaiting, kStarting, kRunning, kBackoff, kEnded };

  bool handle_start(Client& client, const std::string& payload);
  bool handle_attach(Client& client, const std::string& payload);
  bool handle_exec(Client& client, const std::string& payload);
  Session* clone_session(const PlanView& plan, const std::string& id, bool open_stdin, Failure* failure);
  bool handle_signal(Client& client, const std::string& payload);
  bool handle_stop(Client& client, const std::string& payload);
  void handle_pause(Client& client, bool pause);
  void handle_hold(Client& client);
  bool set_paused(bool pause, Failure* failure);
  void release_hold();
  void handle_reload(Client& client);
  bool handle_resize(Client& client, const std::string& payload);
  void handle_network(Client& client, const std::string& payload, bool names);
  bool handle_release_port(Client& client, const std::string& payload);
  void refuse(Client& client, const std::string& message, int err = 0);
  void exec_running(Session& session);
  void note_exec(const Session& session, bool runs);
  void exec_failed(Session& session, const Failure& failure);
  void exec_ended(Session& session);
  void end_execs();
  void remove_exec(Session& session);

  void load_settings();
  void prepare();
  void join_own_cgroups();
  bool listen();
  void accept_clients(uint32_t events);
  void stop_listening();
  void unmount_root();
  void bury_dead();
  void idle();

  void start_process(bool first, uint16_t rows, uint16_t columns);
  void start_failed(const Failure& failure);
  bool awaits_donor(const Failure& failure);
  void process_ended();
  void end_in_backoff(bool manually);
  void finish_for_good(const Failure* start_failure);
  void run_stop_plan();
  void answer_exit(bool final);

  void stop_process(int number, int32_t seconds, bool manually);
  void end_process(int number, int32_t seconds);
  void forbid_restart(bool manually);
  void send_kill();
  void kill_cgroup();
  void kill_rest();
  HostContext host_context() const;
  bool run_section(Section section, Failure* failure);
  bool run_network_section(const PlanView& plan, Failure* failure);
  bool thaw();
  void on_oom(uint32_t events);
  void note_oom();
  void disarm_oom();
  void set_oom_score(bool own);

  void emit(const char* action, const std::string& members = "");
  void emit_kill(int number);
  void emit_joined(bool joined);
  void emit_removed_volumes();
  const char* resting_status() const;

  std::string plan_path_;
  std::string spill_directory_;
  Settings settings_;
  Failure settings_failure_;
  State state_;
  Loop loop_;
  Log log_;
  Restart restart_;
  Health health_;
  Phase phase_ = Phase::kWaiting;
  bool paused_ = false;
  bool set_up_ = false;  // something is there for the stop plan
  bool joined_told_ = false;  // that the container is connected to its networks and has its volumes
  bool stop_requested_ = false;
  bool restart_forbidden_ = false;
  bool renewing_ = false;  // stopped only to be started again at once
  bool drop_noted_ = false;
  int pending_stop_signal_ = 0;  // of what is to end a command that doesn't run yet
  int32_t pending_stop_seconds_ = 0;
  int netns_ = -1;
  int root_ = -1;  // keeps the root of the running process mounted
  Network* network_ = nullptr;  // once there is something for it
  int64_t started_ = 0, ended_ = 0;  // CLOCK_MONOTONIC
  int64_t donor_awaited_ = 0;        // CLOCK_MONOTONIC, 0: not
  std::string inherited_oom_score_;
  MethodSource<Monitor> listener_;
  MethodSource<Monitor> oom_source_;
  OomWatch oom_;
  Timer stop_timer_, restart_timer_;
  Client* starter_ = nullptr;
  Client* holder_ = nullptr;  // for whose connection it is paused
  Session* main_ = nullptr;  // the container's own process
  std::vector<Session*> execs_;
  std::vector<Session*> released_;  // ended execs whose output others still hold open
  std::vector<Session*> dead_sessions_;
  std::vector<Client*> clients_;
  std::vector<Client*> dead_clients_;
};

}  // namespace wherry

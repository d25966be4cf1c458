// A process of the container, its streams and the clients of them: the container's own, or an exec's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.h"
#include "container.h"
#include "log.h"
#include "loop.h"
#include "pace.h"

namespace wherry {

class Monitor;
struct Excerpt;

class Session {
 public:
  // `exec_id` is empty for the container's own. `log` may be null.
  Session(Monitor& monitor, const std::string& exec_id, Log* log);
  ~Session();

  // Takes over a child that has just been cloned. The monitor hears `session_running` or `session_failed`,
  // and after the first `session_ended`.
  void begin(const Child& child);

  // Lets the init go on after its `wait`, as soon as its terminal has the first size.
  void let_go();
  // Kills a child that has not got to its command. The monitor hears nothing of it.
  void abandon();
  // Kills the process and ends at once.
  void end_now();

  bool running() const { return phase_ == Phase::kRunning; }
  pid_t pid() const { return child_.pid; }
  int pidfd() const { return child_.pidfd; }
  // The descriptor of the root mount, which is the caller's from now on; -1: there is none.
  int take_root();
  int exit_code() const { return exit_code_; }
  const std::string& exec_id() const { return exec_id_; }
  const std::vector<Client*>& clients() const { return clients_; }

  void add(Client* client) { clients_.push_back(client); }
  void remove(Client* client);

  // Returns how many bytes were taken; the client is resumed when there is room for the rest.
  size_t write_stdin(const char* data, size_t length);
  void stdin_ended(Client& client);
  void resize(uint16_t rows, uint16_t columns);
  // Stops reading the output while a foreground client has too much of it.
  void update_reading();
  int signal(int number);
  // Also what the process has started in its process group.
  void kill_group();
  // After `session_ended`: output that other processes still hold open is read and thrown away.
  bool still_held() const { return output_open(); }

  bool close_stdin_at_end = false;  // whether the end of a client's stdin is the end of the process's
  bool keep_stdin = true;           // whether clients' stdin is taken at all
  bool expects_terminal = false;
  Excerpt* excerpt = nullptr;       // gets the output, too
  uint16_t rows = 0, columns = 0;   // the terminal's first size, when not 0

 private:
  enum class Phase { kStarting, kRunning, kExited, kEnded };

  void on_status(uint32_t events);
  void on_exit(uint32_t events);
  void on_stdout(uint32_t events);
  void on_stderr(uint32_t events);
  void on_stdin(uint32_t events);
  void adopt_streams();
  // The number of bytes; 0 at the end of the stream or when nothing is there.
  size_t read_output(MethodSource<Session>& source, Stream stream);
  void read_paced(MethodSource<Session>& source, Stream stream);
  void rest_over(MethodSource<Session>& source, Stream stream);
  void end_output(MethodSource<Session>& source);
  bool output_open() const { return stdout_.fd >= 0 || stderr_.fd >= 0; }
  void stdin_has_room();
  void close_stdin();
  void end_if_drained();
  void on_timer();
  void end();
  void reap();

  Monitor& monitor_;
  std::string exec_id_;
  Log* log_;
  Child child_;
  Phase phase_ = Phase::kStarting;
  bool tty_ = false;
  bool go_waits_ = false;
  bool stdin_waits_ = false;
  bool stdin_ended_early_ = false;
  bool choked_ = false;
  int exit_code_ = 0;
  std::vector<Client*> clients_;
  MethodSource<Session> status_, exit_, stdout_, stderr_, stdin_;
  Pace pace_[2];
  Timer drain_;
};

// Gives the memory of the shared buffer back until it is needed again.
void release_output_buffer();

}  // namespace wherry

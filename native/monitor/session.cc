#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "health.h"
#include "monitor.h"
#include "text.h"

namespace wherry {

namespace {

alignas(4096) char output_buffer[64 * 1024];

// After the end of the process others may hold its output open. What it wrote itself is read at once.
constexpr int64_t kDrainStep = 100 * 1000000ll;
// The most that a pipe holds, in reads, which may be as short as a page.
constexpr int kDrainReads = 64;
// After a rest, before others have their turn.
constexpr int kRestReads = 4;
constexpr int64_t kTerminalRetry = 1000 * 1000000ll;

void set_size(int terminal, uint16_t rows, uint16_t columns) {
  winsize size = {rows, columns, 0, 0};
  ioctl(terminal, TIOCSWINSZ, &size);
}

}  // namespace

void release_output_buffer() { madvise(output_buffer, sizeof output_buffer, MADV_DONTNEED); }

Session::Session(Monitor& monitor, const std::string& exec_id, Log* log)
    : monitor_(monitor),
      exec_id_(exec_id),
      log_(log),
      status_(*this, &Session::on_status),
      exit_(*this, &Session::on_exit),
      stdout_(*this, &Session::on_stdout),
      stderr_(*this, &Session::on_stderr),
      stdin_(*this, &Session::on_stdin) {
  drain_.context = this;
  drain_.fire = [](void* self) { static_cast<Session*>(self)->on_timer(); };
  for (Pace& pace : pace_) pace.timer.context = this;
  pace_[0].timer.fire = [](void* context) {
    Session* self = static_cast<Session*>(context);
    self->rest_over(self->stdout_, Stream::kStdout);
  };
  pace_[1].timer.fire = [](void* context) {
    Session* self = static_cast<Session*>(context);
    self->rest_over(self->stderr_, Stream::kStderr);
  };
}

Session::~Session() {
  Loop& loop = monitor_.loop();
  loop.cancel(drain_);
  for (Pace& pace : pace_) loop.cancel(pace.timer);
  for (Source* source : {static_cast<Source*>(&status_), static_cast<Source*>(&exit_), static_cast<Source*>(&stdout_),
                         static_cast<Source*>(&stderr_), static_cast<Source*>(&stdin_)})
    loop.forget(*source);
  close_child(child_);
  for (Client* client : clients_) client->leave();
}

void Session::begin(const Child& child) {
  child_ = child;
  status_.fd = child_.status_fd;
  monitor_.loop().watch(status_, EPOLLIN);
}

void Session::on_status(uint32_t) {
  // read_status closes the descriptor once it has an answer.
  monitor_.loop().forget(status_);
  Failure failure;
  switch (read_status(child_, &failure)) {
    case Status::kPending:
      monitor_.loop().watch(status_, EPOLLIN);
      if (go_waits_) let_go();
      return;
    case Status::kRunning:
      status_.fd = -1;
      phase_ = Phase::kRunning;
      adopt_streams();
      monitor_.session_running(*this);
      stdin_has_room();
      if (stdin_ended_early_ && close_stdin_at_end) close_stdin();
      return;
    case Status::kFailed:
      status_.fd = -1;
      if (child_.pidfd >= 0) {
        signal(SIGKILL);
        reap();
      }
      phase_ = Phase::kEnded;
      monitor_.session_failed(*this, failure);
  }
}

void Session::let_go() {
  bool sized = rows != 0 && columns != 0;
  go_waits_ = sized && expects_terminal && child_.console_master < 0;
  if (go_waits_) return;
  if (sized) set_size(child_.console_master, rows, columns);
  go(child_);
}

void Session::adopt_streams() {
  Loop& loop = monitor_.loop();
  exit_.fd = child_.pidfd;
  loop.watch(exit_, EPOLLIN);
  tty_ = child_.console_master >= 0;
  if (tty_) {
    stdout_.fd = child_.console_master;
    if (rows != 0 && columns != 0) resize(rows, columns);
  } else {
    stdout_.fd = child_.stdout_r;
    stderr_.fd = child_.stderr_r;
    stdin_.fd = child_.stdin_w;
    if (stderr_.fd >= 0) loop.watch(stderr_, EPOLLIN);
  }
  if (stdout_.fd >= 0) loop.watch(stdout_, EPOLLIN);
}

void Session::remove(Client* client) {
  for (size_t i = 0; i < clients_.size(); i++) {
    if (clients_[i] != client) continue;
    clients_.erase(clients_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  if (client->wants(kWantStdin)) stdin_ended(*client);
  update_reading();
}

void Session::on_stdout(uint32_t events) {
  if ((events & EPOLLOUT) != 0) stdin_has_room();
  if ((events & ~EPOLLOUT) != 0 && stdout_.fd >= 0) read_paced(stdout_, Stream::kStdout);
}

void Session::on_stderr(uint32_t) { read_paced(stderr_, Stream::kStderr); }

void Session::read_paced(MethodSource<Session>& source, Stream stream) {
  size_t length = read_output(source, stream);
  if (length == 0 || tty_ || phase_ != Phase::kRunning || choked_) return;
  Pace& pace = pace_[static_cast<int>(stream)];
  if (!pace.note(source.fd, length, steady_clock())) return;
  monitor_.loop().forget(source);
  monitor_.loop().set(pace.timer, Pace::kRest);
}

// Reads what has come. A stream that has nothing, or more than short pieces, is waited for as before.
void Session::rest_over(MethodSource<Session>& source, Stream stream) {
  if (source.fd < 0 || phase_ != Phase::kRunning || choked_) return;
  bool any = false;
  size_t length;
  int reads = 0;
  do {
    length = read_output(source, stream);
    any = any || length > 0;
  } while (length == sizeof output_buffer && !choked_ && ++reads < kRestReads);
  if (source.fd < 0 || choked_) return;
  if (any && length < sizeof output_buffer) monitor_.loop().set(pace_[static_cast<int>(stream)].timer, Pace::kRest);
  else monitor_.loop().watch(source, EPOLLIN);
}

void Session::on_stdin(uint32_t) { stdin_has_room(); }

size_t Session::read_output(MethodSource<Session>& source, Stream stream) {
  ssize_t n = read(source.fd, output_buffer, sizeof output_buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  // A terminal's master gives EIO when nobody has the other side.
  if (n <= 0) {
    end_output(source);
    return 0;
  }
  if (phase_ == Phase::kEnded) return static_cast<size_t>(n);
  size_t length = static_cast<size_t>(n);
  if (log_ != nullptr) {
    log_->append(stream, output_buffer, length, wall_clock());
    if (log_->dropped() > 0) monitor_.log_dropped();
  }
  if (excerpt != nullptr) excerpt->add(output_buffer, length);
  uint8_t bit = stream == Stream::kStdout ? kWantStdout : kWantStderr;
  MonitorFrame frame = stream == Stream::kStdout ? MonitorFrame::kStdout : MonitorFrame::kStderr;
  for (Client* client : clients_)
    if (client->wants(bit)) client->send(frame, output_buffer, length);
  return length;
}

void Session::end_output(MethodSource<Session>& source) {
  monitor_.loop().forget(source);
  monitor_.loop().cancel(pace_[&source == &stderr_].timer);
  int& owned = tty_ ? child_.console_master : &source == &stdout_ ? child_.stdout_r : child_.stderr_r;
  if (tty_ && phase_ == Phase::kRunning) {
    // Nobody has the terminal open, but the process lives and may open it again.
    return monitor_.loop().set(drain_, kTerminalRetry);
  }
  close(owned);
  owned = -1;
  source.fd = -1;
  if (phase_ == Phase::kExited) end_if_drained();
  else if (phase_ == Phase::kEnded && !output_open()) monitor_.session_released(*this);
}

void Session::update_reading() {
  bool choked = false;
  for (Client* client : clients_) choked = choked || (client->choked() && !client->dead());
  if (choked == choked_) return;
  choked_ = choked;
  if (phase_ != Phase::kRunning) return;
  for (Pace& pace : pace_) monitor_.loop().cancel(pace.timer);
  uint32_t events = choked ? 0u : static_cast<uint32_t>(EPOLLIN);
  if (stdout_.fd >= 0) monitor_.loop().watch(stdout_, events | (tty_ && stdin_waits_ ? EPOLLOUT : 0u));
  if (stderr_.fd >= 0) monitor_.loop().watch(stderr_, events);
}

size_t Session::write_stdin(const char* data, size_t length) {
  if (phase_ == Phase::kStarting) return 0;
  if (!keep_stdin) return length;
  int fd = tty_ ? stdout_.fd : stdin_.fd;
  if (fd < 0 || phase_ != Phase::kRunning) return length;
  size_t written = 0;
  while (written < length) {
    ssize_t n = write(fd, data + written, length - written);
    if (n > 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || errno == EAGAIN) {
      stdin_waits_ = true;
      if (tty_) monitor_.loop().watch(stdout_, EPOLLOUT | (choked_ ? 0u : static_cast<uint32_t>(EPOLLIN)));
      else monitor_.loop().watch(stdin_, EPOLLOUT);
      return written;
    }
    // Nobody reads it any more; what comes is thrown away.
    if (!tty_) close_stdin();
    return length;
  }
  return written;
}

void Session::stdin_has_room() {
  stdin_waits_ = false;
  if (tty_ && stdout_.fd >= 0) monitor_.loop().watch(stdout_, choked_ ? 0u : static_cast<uint32_t>(EPOLLIN));
  else if (stdin_.fd >= 0) monitor_.loop().forget(stdin_);
  for (Client* client : clients_) client->resume_input();
}

void Session::stdin_ended(Client&) {
  if (phase_ == Phase::kStarting) stdin_ended_early_ = true;
  else if (!tty_ && close_stdin_at_end) close_stdin();
}

void Session::close_stdin() {
  if (stdin_.fd < 0) return;
  monitor_.loop().forget(stdin_);
  close(child_.stdin_w);
  child_.stdin_w = stdin_.fd = -1;
}

void Session::resize(uint16_t new_rows, uint16_t new_columns) {
  if (!tty_ || stdout_.fd < 0) return;
  set_size(stdout_.fd, new_rows, new_columns);
}

int Session::signal(int number) {
  if (syscall(SYS_pidfd_send_signal, child_.pidfd, number, nullptr, 0) == 0) return 0;
  return errno;
}

int Session::take_root() {
  int root = child_.root_fd;
  child_.root_fd = -1;
  return root;
}

// The process leads its group; as long as it has not been reaped the group's number is no other's.
void Session::kill_group() {
  if (phase_ != Phase::kStarting && phase_ != Phase::kRunning) return;
  if (phase_ == Phase::kRunning && child_.pid > 1) kill(-child_.pid, SIGKILL);
  if (child_.helper > 0) kill(child_.helper, SIGKILL);
  if (child_.pidfd >= 0) signal(SIGKILL);
}

void Session::reap() {
  siginfo_t info = {};
  while (waitid(P_PIDFD, static_cast<id_t>(child_.pidfd), &info, WEXITED) != 0) {
    if (errno != EINTR) break;
  }
  exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void Session::abandon() {
  monitor_.loop().forget(status_);
  status_.fd = -1;
  if (child_.pidfd >= 0) {
    signal(SIGKILL);
    reap();
  }
  phase_ = Phase::kEnded;
}

void Session::end_now() {
  if (phase_ == Phase::kStarting) {
    abandon();
    Failure failure;
    failure.message = "the container has ended";
    return monitor_.session_failed(*this, failure);
  }
  if (phase_ == Phase::kRunning) {
    signal(SIGKILL);
    on_exit(0);
  }
  end();
}

void Session::on_exit(uint32_t) {
  monitor_.loop().forget(exit_);
  reap();
  exit_.fd = -1;
  phase_ = Phase::kExited;
  close_stdin();
  monitor_.session_exited(*this);
  // Whether a client is slow is of no importance any more: what is left is bounded by the pipes.
  monitor_.loop().cancel(drain_);
  for (Pace& pace : pace_) monitor_.loop().cancel(pace.timer);
  for (MethodSource<Session>* source : {&stdout_, &stderr_}) {
    Stream stream = source == &stdout_ ? Stream::kStdout : Stream::kStderr;
    for (int i = 0; i < kDrainReads && source->fd >= 0 && phase_ == Phase::kExited && read_output(*source, stream); i++) {}
  }
  end_if_drained();
}

void Session::end_if_drained() {
  if (phase_ != Phase::kExited) return;
  if (!output_open()) return end();
  for (MethodSource<Session>* source : {&stdout_, &stderr_})
    if (source->fd >= 0) monitor_.loop().watch(*source, EPOLLIN);
  if (drain_.deadline == 0) monitor_.loop().set(drain_, kDrainStep);
}

void Session::on_timer() {
  if (phase_ == Phase::kExited) return end();
  if (tty_ && stdout_.fd >= 0 && !choked_) monitor_.loop().watch(stdout_, EPOLLIN);
}

void Session::end() {
  if (phase_ != Phase::kExited) return;
  phase_ = Phase::kEnded;
  monitor_.loop().cancel(drain_);
  monitor_.session_ended(*this);
}

}  // namespace wherry

#include "client.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "monitor.h"
#include "session.h"
#include "text.h"

namespace wherry {

namespace {

// Shared by all connections: what a call doesn't consume is copied away.
alignas(4096) char input_buffer[64 * 1024];

// How long a connection may take to say what it wants.
constexpr int64_t kPatience = 30 * 1000000000ll;

}  // namespace

void release_input_buffer() { madvise(input_buffer, sizeof input_buffer, MADV_DONTNEED); }

Client::Client(Monitor& monitor, int descriptor, bool starter)
    : Source(descriptor), monitor_(monitor), backlog_(monitor.spill_directory()), starter_(starter) {
  patience_.context = this;
  patience_.fire = [](void* self) { static_cast<Client*>(self)->drop(); };
  // The engine prepares the container between spawning the monitor and the request to start.
  if (!starter) monitor_.loop().set(patience_, kPatience);
  update_watch();
}

Client::~Client() {
  monitor_.loop().cancel(patience_);
  monitor_.loop().forget(*this);
  if (fd >= 0) close(fd);
}

void Client::join(Session* session, bool foreground) {
  session_ = session;
  foreground_ = foreground && !wants(kDetached);
  session->add(this);
}

void Client::update_watch() {
  if (dead_) return monitor_.loop().forget(*this);
  uint32_t events = 0;
  // EPOLLPRI never comes: it keeps the descriptor watched for a hang-up.
  if (!input_blocked_) events = input_ended_ ? EPOLLPRI : EPOLLIN;
  if (!backlog_.empty()) events |= EPOLLOUT;
  monitor_.loop().watch(*this, events);
}

void Client::ready(uint32_t events) {
  if (dead_) return;
  if ((events & EPOLLOUT) != 0) flush();
  if (dead_) return;
  if (input_ended_) {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) drop();
  } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !input_blocked_) {
    receive();
    if (!dead_ && input_ended_ && (events & (EPOLLHUP | EPOLLERR)) != 0) drop();
  }
}

void Client::receive() {
  ssize_t n = recv(fd, input_buffer, sizeof input_buffer, MSG_DONTWAIT);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) drop();
    return;
  }
  if (n == 0) return half_close();
  consume(input_buffer, static_cast<size_t>(n));
}

// The peer has closed, or at least won't write any more; it may still read.
void Client::half_close() {
  input_ended_ = true;
  if (!asked_) return drop();
  if (session_ != nullptr && wants(kWantStdin)) session_->stdin_ended(*this);
  update_watch();
}

void Client::consume(const char* data, size_t length) {
  while (length > 0 && !dead_ && !finishing_) {
    if (head_length_ < kFrameHead) {
      size_t take = kFrameHead - head_length_ < length ? kFrameHead - head_length_ : length;
      memcpy(head_ + head_length_, data, take);
      head_length_ += take;
      data += take;
      length -= take;
      if (head_length_ < kFrameHead) return;
      left_ = read_u32(head_ + 4);
      if (!begin_frame()) return drop();
    } else {
      size_t take = left_ < length ? left_ : length;
      size_t taken = take;
      if (static_cast<ClientFrame>(head_[0]) != ClientFrame::kStdin) {
        payload_.append(data, take);
      } else if (session_ != nullptr && wants(kWantStdin)) {
        taken = session_->write_stdin(data, take);
      }
      data += taken;
      length -= taken;
      left_ -= taken;
      if (taken < take) {
        blocked_.assign(data, length);
        input_blocked_ = true;
        return update_watch();
      }
    }
    if (left_ == 0) {
      head_length_ = 0;
      if (!end_frame()) return drop();
    }
  }
}

bool Client::begin_frame() {
  if (left_ > kMaxFrame || head_[1] != 0 || head_[2] != 0 || head_[3] != 0) return false;
  payload_.clear();
  uint8_t type = static_cast<uint8_t>(head_[0]);
  if (!asked_) {
    if (type < static_cast<uint8_t>(Request::kStart) || type > static_cast<uint8_t>(Request::kHold)) return false;
    Request request = static_cast<Request>(type);
    bool has_plan = request == Request::kExec || request == Request::kNetwork || request == Request::kNames;
    return has_plan || left_ <= 256;
  }
  switch (static_cast<ClientFrame>(type)) {
    case ClientFrame::kStdin: return true;
    case ClientFrame::kStdinEnd: return left_ == 0;
    case ClientFrame::kResize: return left_ == 4;
  }
  return false;
}

bool Client::end_frame() {
  if (!asked_) {
    asked_ = true;
    monitor_.loop().cancel(patience_);
    std::string payload;
    payload.swap(payload_);
    return monitor_.handle(*this, static_cast<Request>(head_[0]), payload);
  }
  if (session_ == nullptr) return true;
  switch (static_cast<ClientFrame>(head_[0])) {
    case ClientFrame::kStdin: break;
    case ClientFrame::kStdinEnd:
      if (wants(kWantStdin)) session_->stdin_ended(*this);
      break;
    case ClientFrame::kResize:
      session_->resize(read_u16(payload_.data()), read_u16(payload_.data() + 2));
      break;
  }
  return true;
}

void Client::resume_input() {
  if (!input_blocked_ || dead_) return;
  input_blocked_ = false;
  std::string data;
  data.swap(blocked_);
  consume(data.data(), data.size());
  update_watch();
}

void Client::send(MonitorFrame type, const char* data, size_t length) {
  if (dead_ || finishing_) return;
  char head[kFrameHead] = {static_cast<char>(type), 0, 0, 0};
  write_u32(head + 4, static_cast<uint32_t>(length));
  size_t sent = 0;
  if (backlog_.empty()) {
    iovec parts[2] = {{head, kFrameHead}, {const_cast<char*>(data), length}};
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return drop();
    if (n > 0) sent = static_cast<size_t>(n);
  }
  if (sent == kFrameHead + length) return;
  if (!foreground_ && backlog_.full()) return drop();
  bool kept = true;
  if (sent < kFrameHead) {
    kept = backlog_.add(head + sent, kFrameHead - sent);
    sent = kFrameHead;
  }
  if (kept && sent < kFrameHead + length) kept = backlog_.add(data + (sent - kFrameHead), length - (sent - kFrameHead));
  if (!kept) return drop();
  if (foreground_ && backlog_.full() && !backlog_full_) {
    backlog_full_ = true;
    if (session_ != nullptr) session_->update_reading();
  }
  update_watch();
}

void Client::flush() {
  while (!backlog_.empty()) {
    size_t length;
    const char* data = backlog_.front(&length);
    ssize_t n = ::send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return drop();
      break;
    }
    backlog_.take(static_cast<size_t>(n));
  }
  if (backlog_full_ && backlog_.half_empty()) {
    backlog_full_ = false;
    if (session_ != nullptr) session_->update_reading();
  }
  if (finishing_ && backlog_.empty()) return drop();
  update_watch();
}

void Client::send_ok(const std::string& json) { send(MonitorFrame::kOk, json.data(), json.size()); }

void Client::send_error(const Failure& failure) {
  std::string json = "{";
  append_member(json, "code", failure.code);
  if (failure.section != 0) append_member(json, "section", failure.section);
  if (failure.op >= 0) append_member(json, "op", failure.op);
  if (failure.err != 0) append_member(json, "errno", failure.err);
  append_member(json, "message", failure.message);
  json += "}";
  send(MonitorFrame::kError, json.data(), json.size());
}

void Client::send_exit(int code, uint8_t flags) {
  char payload[5];
  write_u32(payload, static_cast<uint32_t>(code));
  payload[4] = static_cast<char>(flags);
  send(MonitorFrame::kExit, payload, sizeof payload);
  finish();
}

void Client::finish() {
  if (dead_) return;
  finishing_ = true;
  input_blocked_ = false;
  blocked_.clear();
  if (backlog_.empty()) drop();
  else update_watch();
}

void Client::drop() {
  if (dead_) return;
  dead_ = true;
  update_watch();
  if (finishing_) {
    // A socket closed with unread bytes would reset the connection under what the peer has yet to read.
    shutdown(fd, SHUT_WR);
    while (recv(fd, input_buffer, sizeof input_buffer, MSG_DONTWAIT) > 0) {}
  }
  close(fd);
  fd = -1;
  monitor_.bury(this);
}

}  // namespace wherry

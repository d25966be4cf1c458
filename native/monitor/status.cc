#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fail.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"

namespace wherry {

namespace {

constexpr char kGo = 'G', kConsole = 'C', kPid = 'P', kRoot = 'M', kReady = 'R', kWaiting = 'W', kListener = 'L', kFailure = 'F';
constexpr size_t kMaxMessage = 4096;

struct FailureHead {
  char type;
  char unused[3];
  int32_t code;
  uint32_t section;
  int32_t op;
  int32_t err;
};

// One packet and the descriptor that came with it, if one did. -1 with errno, 0 at the end.
ssize_t receive(int socket, char* buffer, size_t size, Fd* fd) {
  struct iovec part = {buffer, size};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)] = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) return length;
  for (auto* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; index++) {
      int one;
      memcpy(&one, CMSG_DATA(header) + index * sizeof one, sizeof one);
      fd->reset(one);
    }
  }
  return length;
}

void reap(pid_t* pid) {
  if (*pid > 0) {
    while (waitpid(*pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  *pid = -1;
}

void close_one(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void take(int* place, Fd fd) {
  if (*place < 0) *place = fd.release();
}

Status failed(Child& child, bool is_init) {
  close_one(&child.status_fd);
  // One that reported a failure ends by itself, one that didn't has ended; whoever is left is not needed.
  if (child.helper > 0) kill(child.helper, SIGKILL);
  bool from_helper = child.helper > 0 || !is_init;
  reap(&child.helper);
  if (from_helper && child.pid > 0) {
    sys::pidfd_send_signal(child.pidfd, SIGKILL);
    reap(&child.pid);
  }
  if (from_helper) close_child(child);
  return Status::kFailed;
}

}  // namespace

bool send_with_fd(int socket, const void* data, size_t length, int fd) {
  struct iovec part = {const_cast<void*>(data), length};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(length);
}

bool send_console(int status_fd, int master) { return send_with_fd(status_fd, &kConsole, 1, master); }

bool send_root(int status_fd, int root) { return send_with_fd(status_fd, &kRoot, 1, root); }

bool send_listener(int status_fd, int listener) { return send_with_fd(status_fd, &kListener, 1, listener); }

bool send_pid(int status_fd, pid_t pid, int pidfd) {
  char packet[1 + sizeof pid] = {kPid};
  memcpy(packet + 1, &pid, sizeof pid);
  return send_with_fd(status_fd, packet, sizeof packet, pidfd);
}

// write(2) and not send(2): a seccomp filter that is loaded by then allows it more likely.
bool send_ready(int status_fd) { return write(status_fd, &kReady, 1) == 1; }

bool send_waiting(int status_fd) { return write(status_fd, &kWaiting, 1) == 1; }

bool send_failure(int status_fd, const Failure& failure) {
  FailureHead head = {kFailure, {}, failure.code, failure.section, failure.op, failure.err};
  std::string packet(reinterpret_cast<const char*>(&head), sizeof head);
  packet.append(failure.message, 0, kMaxMessage - sizeof head);
  return write(status_fd, packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
}

bool wait_go(int status_fd) {
  char packet;
  ssize_t got;
  while ((got = recv(status_fd, &packet, 1, 0)) < 0 && errno == EINTR) {
  }
  return got == 1 && packet == kGo;
}

bool status_pair(int* monitor_end, int* child_end) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return false;
  *monitor_end = ends[0];
  *child_end = ends[1];
  return true;
}

void go(Child& child) {
  if (child.status_fd >= 0) send(child.status_fd, &kGo, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Status read_status(Child& child, Failure* failure) {
  if (child.status_fd < 0) return child.ready ? Status::kRunning : Status::kFailed;
  for (;;) {
    char packet[kMaxMessage];
    Fd fd;
    ssize_t length = receive(child.status_fd, packet, sizeof packet, &fd);
    // A child that ended without reading our `go` shows as a reset, once, before what it has told.
    if (length < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
    if (length < 0 && errno == EAGAIN) return Status::kPending;
    bool is_init = child.init;
    if (length <= 0) {
      if (child.ready && child.pid > 0) {
        close_one(&child.status_fd);
        reap(&child.helper);
        return Status::kRunning;
      }
      fail(failure, 0, "%s ended while it was set up (killed?)", is_init ? "the container's init" : "the process");
      return failed(child, is_init);
    }
    switch (packet[0]) {
      case kConsole:
        if (fd) fcntl(fd.get(), F_SETFL, O_RDWR | O_NONBLOCK);
        take(&child.console_master, std::move(fd));
        break;
      case kPid:
        if (length != 1 + static_cast<ssize_t>(sizeof child.pid) || !fd || child.pid > 0) break;
        memcpy(&child.pid, packet + 1, sizeof child.pid);
        take(&child.pidfd, std::move(fd));
        break;
      case kRoot:
        take(&child.root_fd, std::move(fd));
        break;
      case kListener:
        take(&child.listener_fd, std::move(fd));
        break;
      case kReady:
        child.ready = true;
        break;
      case kWaiting:
        child.waiting = child.ready = true;
        break;
      case kFailure: {
        FailureHead head;
        if (length < static_cast<ssize_t>(sizeof head)) break;
        memcpy(&head, packet, sizeof head);
        failure->code = head.code;
        failure->section = head.section;
        failure->op = head.op;
        failure->err = head.err;
        failure->message.assign(packet + sizeof head, static_cast<size_t>(length) - sizeof head);
        child.ready = false;
        return failed(child, is_init);
      }
      default:
        break;
    }
  }
}

bool await_exec(Child& child, Failure* failure) {
  for (;;) {
    Status status = read_status(child, failure);
    if (status != Status::kPending) return status == Status::kRunning;
    struct pollfd wait = {child.status_fd, POLLIN, 0};
    poll(&wait, 1, -1);
  }
}

void close_child(Child& child) {
  for (int* fd : {&child.pidfd, &child.status_fd, &child.root_fd, &child.console_master, &child.stdin_w, &child.stdout_r,
                  &child.stderr_r, &child.netns_fd, &child.listener_fd}) {
    close_one(fd);
  }
}

}  // namespace wherry

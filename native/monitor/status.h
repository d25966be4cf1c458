// What a child and its monitor say to each other over a socket pair of packets before the command runs. The
// child's end is close-on-exec, so its end tells the monitor that the command runs.
#pragma once

#include "container.h"

namespace wherry {

// In the child. Each is false with errno.
bool send_console(int status_fd, int master);
bool send_pid(int status_fd, pid_t pid, int pidfd);
bool send_root(int status_fd, int root);
bool send_ready(int status_fd);  // nothing but execve can fail now
bool send_waiting(int status_fd);  // an init of `wherry oci` waits for its start
bool send_listener(int status_fd, int listener);  // of a seccomp filter
bool send_failure(int status_fd, const Failure&);
bool wait_go(int status_fd);  // false: the monitor is gone

// A packet, or the first bytes of a stream, with a descriptor.
bool send_with_fd(int socket, const void* data, size_t length, int fd);

// A socket pair; both ends are above descriptor 2.
bool status_pair(int* monitor_end, int* child_end);

}  // namespace wherry

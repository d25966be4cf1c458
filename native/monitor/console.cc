// The streams of the command: pipes or a terminal.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "child.h"
#include "mount_api.h"
#include "paths.h"
#include "status.h"

namespace wherry {

namespace {

constexpr long kDevptsMagic = 0x1cd1;
constexpr unsigned kPtmxMinor = 2;

bool on_streams(int input, int output, int error, Failure* failure) {
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) return fail(failure, errno, "dup2");
  return true;
}

// Shows the terminal as /dev/console. The slave is known by descriptor only: no name in the container's
// /dev/pts is looked up, so nothing can be put in its place.
bool bind_console(ChildState& state, int slave, Failure* failure) {
  Place place;
  if (!place_in_root(state.root, "/dev/console", &place)) {
    return fail(failure, errno, "make the folder of /dev/console");
  }
  Fd made(openat(place.folder.get(), "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made && errno != EEXIST) return fail(failure, errno, "make /dev/console");
  Fd target(openat(place.folder.get(), "console", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info;
  if (!target || fstat(target.get(), &info) < 0) return fail(failure, errno, "open /dev/console");
  if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode)) return fail(failure, EINVAL, "/dev/console");
  Fd mount(clone_tree(slave, "", false));
  if (!mount || !attach(mount.get(), target.get())) return fail(failure, errno, "bind the terminal on /dev/console");
  return true;
}

}  // namespace

bool start_session(ChildState& state, Failure* failure) {
  if (state.wants_session && setsid() < 0 && errno != EPERM) return fail(failure, errno, "setsid");
  if (state.wants_terminal && ioctl(0, TIOCSCTTY, 0) < 0) return fail(failure, errno, "set the controlling terminal");
  state.wants_session = state.wants_terminal = false;
  return true;
}

bool op_console(ChildState& state, const Op& op, Failure* failure) {
  if (state.root < 0) return fail(failure, 0, "the plan has no root");
  Fd master(open_in_root(state.root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY));
  struct stat info;
  if (!master || fstat(master.get(), &info) < 0) return fail(failure, errno, "open /dev/pts/ptmx");
  if (filesystem_of(master.get()) != kDevptsMagic || info.st_rdev != makedev(5, kPtmxMinor)) {
    return fail(failure, 0, "/dev/pts/ptmx is not a pseudo-terminal multiplexer");
  }
  int unlocked = 0;
  if (ioctl(master.get(), TIOCSPTLCK, &unlocked) < 0) return fail(failure, errno, "unlock the terminal");
  Fd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return fail(failure, errno, "open the terminal");
  if (op.number(0) > 0 && op.number(1) > 0) {
    struct winsize size = {};
    size.ws_row = static_cast<unsigned short>(op.number(0));
    size.ws_col = static_cast<unsigned short>(op.number(1));
    if (ioctl(master.get(), TIOCSWINSZ, &size) < 0) return fail(failure, errno, "set the terminal's size");
  }
  if (state.section == Section::kInit && !bind_console(state, slave.get(), failure)) return false;
  if (!send_console(state.status_fd, master.get())) return fail(failure, errno, "send the terminal to the monitor");
  if (!on_streams(slave.get(), slave.get(), slave.get(), failure)) return false;
  state.wants_session = state.wants_terminal = true;
  return state.fork_at_exec || start_session(state, failure);
}

bool op_stdio(ChildState& state, const Op&, Failure* failure) {
  if (!on_streams(state.pipes[0], state.pipes[1], state.pipes[2], failure)) return false;
  for (int& fd : state.pipes) {
    if (fd > 2) close(fd);
    fd = -1;
  }
  state.wants_session = true;
  return state.fork_at_exec || start_session(state, failure);
}

}  // namespace wherry

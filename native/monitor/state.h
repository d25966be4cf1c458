// The state file: MonitorState of src/runtime/monitor-protocol.ts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace wherry {

constexpr char kNever[] = "0001-01-01T00:00:00Z";

struct State {
  const char* status = "created";
  pid_t pid = 0;
  uint64_t pid_start = 0;
  pid_t monitor_pid = 0;
  uint64_t monitor_start = 0;
  std::string boot_id;
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;
  std::string started_at = kNever;  // RFC 3339
  std::string finished_at = kNever;
  int64_t restart_count = 0;
  bool manually_stopped = false;
  pid_t unmount_pid = 0;  // who still unmounts the root
  uint64_t unmount_start = 0;
  const char* health = nullptr;  // null: nobody checks it
  int64_t failing_streak = 0;
};

std::string state_json(const State& state);

// Replaces a file by rename. 0 or an errno.
int replace_file(const std::string& path, const std::string& text);

// Replaces the file by rename. On a full disk the old file's bytes are overwritten in place, since a state
// that is out of date would mislead for ever. 0 or an errno.
int write_state(const std::string& path, const State& state);

// Has the disk keep the file as it is.
void sync_state(const std::string& path);

// Takes startedAt and finishedAt from the state of an earlier run, when there is one.
void read_past(const std::string& path, State* state);

// Field 22 of /proc/PID/stat, 0 when there is no such process.
uint64_t process_start(pid_t pid);
uint64_t start_of_stat(const std::string& stat);

std::string read_boot_id();

// Reads a file of at most `limit` bytes. False: not readable.
bool read_small_file(const std::string& path, size_t limit, std::string* content);

// Writes to a file of the kernel that may be missing.
void try_write(const std::string& path, const std::string& text);

}  // namespace wherry

#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernel/fd.h"
#include "text.h"

namespace wherry {

static void append_flag(std::string& out, const char* key, bool value) {
  out += ",\"";
  out += key;
  out += value ? "\":true" : "\":false";
}

std::string state_json(const State& state) {
  std::string out = "{";
  append_member(out, "status", std::string(state.status));
  append_member(out, "pid", state.pid);
  append_member(out, "pidStart", static_cast<int64_t>(state.pid_start));
  append_member(out, "monitorPid", state.monitor_pid);
  append_member(out, "monitorStart", static_cast<int64_t>(state.monitor_start));
  append_member(out, "bootId", state.boot_id);
  append_member(out, "exitCode", state.exit_code);
  append_flag(out, "oomKilled", state.oom_killed);
  append_member(out, "error", state.error);
  append_member(out, "startedAt", state.started_at);
  append_member(out, "finishedAt", state.finished_at);
  append_member(out, "restartCount", state.restart_count);
  append_flag(out, "manuallyStopped", state.manually_stopped);
  if (state.unmount_pid != 0) {
    append_member(out, "unmountPid", state.unmount_pid);
    append_member(out, "unmountStart", static_cast<int64_t>(state.unmount_start));
  }
  if (state.health != nullptr) {
    append_member(out, "health", std::string(state.health));
    append_member(out, "failingStreak", state.failing_streak);
  }
  out += "}\n";
  return out;
}

// The value of a member that is a time; `otherwise` when there is none.
static std::string time_member(const std::string& json, const char* key, const std::string& otherwise) {
  size_t at = json.find(std::string("\"") + key + "\"");
  if (at == std::string::npos) return otherwise;
  at = json.find_first_not_of(" \t\r\n:", at + strlen(key) + 2);
  if (at == std::string::npos || json[at] != '"') return otherwise;
  size_t end = json.find_first_not_of("0123456789-+:.TZ", at + 1);
  if (end == std::string::npos || json[end] != '"' || end - at < 20 || end - at > 40) return otherwise;
  return json.substr(at + 1, end - at - 1);
}

void read_past(const std::string& path, State* state) {
  std::string json;
  if (!read_small_file(path, 64 * 1024, &json)) return;
  state->started_at = time_member(json, "startedAt", kNever);
  state->finished_at = time_member(json, "finishedAt", kNever);
}

static int write_file(int fd, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    ssize_t n = write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    written += static_cast<size_t>(n);
  }
  return 0;
}

int replace_file(const std::string& path, const std::string& text) {
  std::string temporary = path + ".new";
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  int error = fd < 0 ? errno : write_file(fd, text);
  if (fd >= 0) close(fd);
  if (error == 0) {
    if (rename(temporary.c_str(), path.c_str()) == 0) return 0;
    error = errno;
  }
  if (fd >= 0) unlink(temporary.c_str());
  return error;
}

int write_state(const std::string& path, const State& state) {
  std::string text = state_json(state);
  int error = replace_file(path, text);
  if (error == 0) return 0;
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return error;
  int again = write_file(fd, text);
  if (again == 0 && ftruncate(fd, static_cast<off_t>(text.size())) != 0) again = errno;
  close(fd);
  return again;
}

void sync_state(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  fdatasync(fd);
  close(fd);
}

bool read_small_file(const std::string& path, size_t limit, std::string* content) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  content->clear();
  char buffer[1024];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || content->size() + static_cast<size_t>(n) > limit) break;
    content->append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return n == 0;
}

void try_write(const std::string& path, const std::string& text) {
  Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && write(file.get(), text.data(), text.size()) < 0) return;
}

uint64_t process_start(pid_t pid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  std::string stat;
  return read_small_file(path, 4096, &stat) ? start_of_stat(stat) : 0;
}

uint64_t start_of_stat(const std::string& stat) {
  // The name in field 2 may have spaces and parentheses: fields are counted from its end.
  size_t at = stat.rfind(')');
  if (at == std::string::npos) return 0;
  for (int field = 2; field < 22; field++) {
    at = stat.find(' ', at + 1);
    if (at == std::string::npos) return 0;
  }
  return strtoull(stat.c_str() + at + 1, nullptr, 10);
}

std::string read_boot_id() {
  std::string id;
  if (!read_small_file("/proc/sys/kernel/random/boot_id", 100, &id)) return "";
  while (!id.empty() && (id.back() == '\n' || id.back() == ' ')) id.pop_back();
  return id;
}

}  // namespace wherry

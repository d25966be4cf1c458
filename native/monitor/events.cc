#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "text.h"

namespace wherry {

static constexpr size_t kMaxEvent = 4096;
static constexpr size_t kLongAction = 400;

// The value of a member with a string, as it is in the JSON text.
static std::string raw_member(const std::string& members, const char* key) {
  std::string start = std::string("\"") + key + "\":\"";
  size_t from = members.find(start);
  if (from == std::string::npos || (from > 0 && members[from - 1] != ',')) return "";
  from += start.size();
  for (size_t at = from; at < members.size(); at++) {
    if (members[at] == '\\') at++;
    else if (members[at] == '"') return members.substr(from, at - from);
  }
  return "";
}

EventSubject read_subject(const std::string& id, const std::string& run_dir) {
  EventSubject subject;
  subject.id = id;
  read_small_file(run_dir + "/attributes", 64 * 1024, &subject.attributes);
  while (!subject.attributes.empty() && subject.attributes.back() == '\n') subject.attributes.pop_back();
  return subject;
}

// What docker tells of all kinds of objects.
static void append_end(std::string& line, const std::string& id, const std::string& attributes, int64_t now) {
  line += ",\"Actor\":{";
  append_member(line, "ID", id);
  line += ",\"Attributes\":{" + attributes + "}},\"scope\":\"local\"";
  append_member(line, "time", now / 1000000000);
  append_member(line, "timeNano", now);
  line += "}\n";
}

std::string event_line(const EventSubject& subject, const char* action, const std::string& members,
                       int64_t now) {
  std::string image = raw_member(subject.attributes, "image");
  std::string attributes = subject.attributes;
  // Labels may make it too long; then only what docker shows first stays.
  if (attributes.size() + members.size() + 2 * image.size() + 2 * strlen(action) + 400 > kMaxEvent) {
    std::string name = raw_member(attributes, "name");
    if (image.size() > 1024) image.resize(0);
    if (name.size() > 256) name.resize(0);
    attributes = "\"image\":\"" + image + "\",\"name\":\"" + name + "\"";
  }
  if (!attributes.empty() && !members.empty()) attributes += ',';
  attributes += members;
  std::string line = "{";
  append_member(line, "status", std::string(action));
  append_member(line, "id", subject.id);
  line += ",\"from\":\"" + image + "\",\"Type\":\"container\"";
  append_member(line, "Action", std::string(action));
  append_end(line, subject.id, attributes, now);
  return line;
}

static void append_line(const std::string& journal, const std::string& line) {
  if (line.size() > kMaxEvent) return;
  // Opened anew each time: the engine rotates the journal by rename.
  int fd = open(journal.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  ssize_t n;
  do n = write(fd, line.data(), line.size());
  while (n < 0 && errno == EINTR);
  close(fd);
}

void write_object_event(const std::string& journal, const char* type, const std::string& id, const char* action,
                        const std::string& members) {
  if (journal.empty()) return;
  std::string line = std::string("{\"Type\":\"") + type + "\"";
  append_member(line, "Action", std::string(action));
  append_end(line, id, members, wall_clock());
  append_line(journal, line);
}

void write_event(const std::string& journal, const EventSubject& subject, const char* action,
                 const std::string& members) {
  if (journal.empty()) return;
  int64_t now = wall_clock();
  std::string line = event_line(subject, action, members, now);
  // The command of a probe may be that long.
  if (line.size() > kMaxEvent) {
    line = event_line(subject, (std::string(action, strnlen(action, kLongAction)) + "...").c_str(), members, now);
  }
  append_line(journal, line);
}

}  // namespace wherry

// The journal of events: one JSON line for each, in docker's format.
#pragma once

#include <string>

namespace wherry {

// What an event says of its container: its id, and the file `attributes` in its run-dir, whose content is
// JSON members (`"image":"busybox","name":"x"`).
struct EventSubject {
  std::string id;
  std::string attributes;
};

EventSubject read_subject(const std::string& id, const std::string& run_dir);

// Appends an event with one write of at most 4096 bytes. `members` are more attributes, JSON members or empty.
void write_event(const std::string& journal, const EventSubject& subject, const char* action,
                 const std::string& members);

// The same for what a container uses, a `network` or a `volume`: its id and the attributes, JSON members.
void write_object_event(const std::string& journal, const char* type, const std::string& id, const char* action,
                        const std::string& members);

// The line of an event, with its newline.
std::string event_line(const EventSubject& subject, const char* action, const std::string& members, int64_t now);

}  // namespace wherry

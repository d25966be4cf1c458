// The names of a container's networks, as the files of src/engine/networks/zone.ts have them: read when they
// are asked for and changed since.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ip_address.h"

namespace wherry {

class Zones {
 public:
  // Folders.
  void set(std::vector<std::string> folders);
  // The addresses of a name (lower case), none when there is no such name.
  std::vector<IpAddress> find(std::string_view name);
  // The first name of an address, or an empty string.
  std::string reverse(const IpAddress& address);
  // Gives the memory back until the next question.
  void release();

 private:
  struct Folder {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
    int64_t changed = -1;  // -1: wasn't there
  };
  struct Record {
    uint32_t name;  // in names_
    uint16_t length;
    IpAddress address;
  };
  struct Alias {
    uint32_t name;
    uint16_t length;
    std::string target;
  };

  void refresh();
  void read_folder(const std::string& path);
  void read_line(std::string_view line);
  void collect(std::string_view name, std::vector<IpAddress>* found) const;
  std::string_view name_of(const Record& record) const { return {names_.data() + record.name, record.length}; }

  std::vector<Folder> folders_;
  std::string names_;
  std::vector<Record> records_;      // in the order of the files
  std::vector<uint32_t> by_name_;    // indexes of records_
  std::vector<Alias> aliases_;
  bool loaded_ = false;
  bool settled_ = false;
};

}  // namespace wherry

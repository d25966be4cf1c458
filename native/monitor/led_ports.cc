#include "led_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "bpf.h"
#include "host.h"
#include "ip_address.h"
#include "led_ports_programs.h"
#include "port_ranges.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71  // Linux 5.14
#endif

namespace wherry {

namespace {

// What a program of ours is attached as. The first two find connections their way; the others are polite.
constexpr bpf_attach_type kAttachTypes[LedPorts::kPrograms] = {
    BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_INET4_GETPEERNAME, BPF_CGROUP_INET6_GETPEERNAME};

// The kernel has 16 bytes ready for each, for as long as there is any. What is beyond isn't led.
constexpr uint32_t kMostPorts = 1 << 16;

// Arguments of both operations, and the lock of leadPorts.
constexpr unsigned kName = 0, kAddressArgument = 1, kTargetArgument = 2, kPortsArgument = 3, kLockArgument = 4;

bool namespace_cookie(uint64_t* cookie) {
  Fd any(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof *cookie;
  return any && getsockopt(any.get(), SOL_SOCKET, SO_NETNS_COOKIE, cookie, &length) == 0;
}

Fd by_id(int command, uint32_t id) {
  bpf_attr get = bpf_attributes();
  get.link_id = id;  // or prog_id, or map_id
  return Fd(bpf(command, &get));
}

template <typename Info>
bool read_info(int fd, Info* info) {
  bpf_attr get = bpf_attributes();
  get.info.bpf_fd = static_cast<uint32_t>(fd);
  get.info.info_len = sizeof *info;
  get.info.info = bpf_address(info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, &get) == 0;
}

// The maps of a program, if they are as ours: what has our name may be somebody else's.
void take_maps(int program, Fd* ports, Fd* sockets) {
  uint32_t ids[2] = {};
  bpf_prog_info info = {};
  info.nr_map_ids = 2;
  info.map_ids = bpf_address(ids);
  if (!read_info(program, &info)) return;
  for (uint32_t index = 0; index < info.nr_map_ids && index < 2; index++) {
    Fd map = by_id(BPF_MAP_GET_FD_BY_ID, ids[index]);
    bpf_map_info about = {};
    if (!map || !read_info(map.get(), &about)) continue;
    if (about.type == BPF_MAP_TYPE_HASH && about.key_size == sizeof(LedPort) &&
        about.value_size == sizeof(LedTarget)) {
      *ports = std::move(map);
    } else if (about.type == BPF_MAP_TYPE_SK_STORAGE && about.value_size == sizeof(LedSocket)) {
      *sockets = std::move(map);
    }
  }
}

// Calls `each` with every link of a program of this name: the index of what it is attached as, the id of the cgroup
// (0: that has gone) and the program.
template <typename Each>
void each_link(const char* name, Each each) {
  for (uint32_t id = 0;;) {
    bpf_attr next = bpf_attributes();
    next.start_id = id;
    if (bpf(BPF_LINK_GET_NEXT_ID, &next) != 0) return;
    id = next.next_id;
    Fd link = by_id(BPF_LINK_GET_FD_BY_ID, id);
    bpf_link_info info = {};
    if (!link || !read_info(link.get(), &info) || info.type != BPF_LINK_TYPE_CGROUP) continue;
    for (unsigned index = 0; index < LedPorts::kPrograms; index++) {
      if (info.cgroup.attach_type != kAttachTypes[index]) continue;
      Fd program = by_id(BPF_PROG_GET_FD_BY_ID, info.prog_id);
      bpf_prog_info about = {};
      if (program && read_info(program.get(), &about) && strncmp(about.name, name, sizeof about.name) == 0)
        each(index, info.cgroup.cgroup_id, program.get(), link);
    }
  }
}

// The links by which an engine's programs are attached to a cgroup, and their maps. False when one isn't there.
bool find_programs(const char* name, uint64_t cgroup, Fd links[], Fd* ports, Fd* sockets) {
  each_link(name, [&](unsigned index, uint64_t at, int program, Fd& link) {
    if (at != cgroup) return;
    if (index == 0) take_maps(program, ports, sockets);
    links[index] = std::move(link);
  });
  for (unsigned index = 0; index < LedPorts::kPrograms; index++)
    if (!links[index]) return false;
  return *ports && *sockets;
}

Fd create_map(bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags, const char* name,
              int types) {
  bpf_attr create = bpf_attributes();
  create.map_type = type;
  create.key_size = key;
  create.value_size = value;
  create.max_entries = entries;
  create.map_flags = flags;
  strncpy(create.map_name, name, sizeof create.map_name - 1);
  if (types >= 0) {
    create.btf_fd = static_cast<uint32_t>(types);
    create.btf_key_type_id = 1;
    create.btf_value_type_id = 2;
  }
  return Fd(bpf(BPF_MAP_CREATE, &create));
}

// The kernel wants to know the types of a socket's storage: an int, and one number of its size will do for what is in
// it (Documentation/bpf/btf.rst).
Fd load_types() {
  struct Integer {
    btf_type type;
    uint32_t encoding;
  };
  struct {
    btf_header header;
    Integer key, value;
    char names[8];
  } types = {};
  types.header.magic = BTF_MAGIC;
  types.header.version = BTF_VERSION;
  types.header.hdr_len = sizeof types.header;
  types.header.type_len = types.header.str_off = 2 * sizeof(Integer);
  types.header.str_len = sizeof types.names;
  memcpy(types.names, "\0int\0to", sizeof types.names);
  types.key = {{1, BTF_KIND_INT << 24, {sizeof(int32_t)}}, 8 * sizeof(int32_t)};
  types.value = {{5, BTF_KIND_INT << 24, {sizeof(LedSocket)}}, 8 * sizeof(LedSocket)};
  bpf_attr load = bpf_attributes();
  load.btf = bpf_address(&types);
  load.btf_size = sizeof types;
  return Fd(bpf(BPF_BTF_LOAD, &load));
}

// The top of cgroup v2 as this process sees it: all that it can lead is below. In a line of mountinfo the fourth field is
// what of the file system is mounted, the fifth one the mount point, with blanks in octal; the type follows a dash.
Fd open_cgroup_root() {
  Fd root;
  FILE* mounts = fopen("/proc/self/mountinfo", "re");
  char* line = nullptr;
  size_t size = 0;
  while (mounts && !root && getline(&line, &size, mounts) > 0) {
    const char* type = strstr(line, " - ");
    if (type == nullptr || strncmp(type, " - cgroup2 ", 11) != 0) continue;
    const char* at = line;
    for (int field = 1; field < 4 && at != nullptr; field++) {
      at = strchr(at, ' ');
      if (at != nullptr) at++;
    }
    if (at == nullptr || strncmp(at, "/ ", 2) != 0) continue;
    at += 2;
    std::string path;
    for (; *at != ' ' && *at != '\0'; at++) {
      unsigned code;
      if (*at == '\\' && sscanf(at + 1, "%3o", &code) == 1) {
        path += static_cast<char>(code);
        at += 3;
      } else {
        path += *at;
      }
    }
    root.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  free(line);
  if (mounts) fclose(mounts);
  return root;
}

struct Entry {
  LedPort key;
  LedTarget target;
};

bool read_entries(const Op& op, std::vector<Entry>* out, Failure* failure) {
  IpAddress address, target;
  std::vector<PortRange> ranges;
  const bool every = op.text(kAddressArgument).empty();
  if (!every && (!IpAddress::from_bytes(op.text(kAddressArgument), &address) || address.length != 4))
    return fail(failure, EINVAL, "an address of %zu bytes", op.text(kAddressArgument).size());
  if (!IpAddress::from_bytes(op.text(kTargetArgument), &target) || target.length != 4)
    return fail(failure, EINVAL, "an address of %zu bytes", op.text(kTargetArgument).size());
  if (!read_port_ranges(op.text(kPortsArgument), &ranges))
    return fail(failure, EINVAL, "ports %s", op.path(kPortsArgument));
  Entry entry = {};
  memcpy(&entry.key.address, address.bytes, sizeof entry.key.address);
  memcpy(&entry.target.address, target.bytes, sizeof entry.target.address);
  // Without it there is nothing to lead anybody with, and nothing to take back.
  if (!namespace_cookie(&entry.key.namespace_cookie)) return true;
  for (const PortRange& range : ranges) {
    for (uint32_t i = 0; i < range.count; i++) {
      entry.key.port = htons(range.port(i));
      entry.target.port = htons(range.partner(i));
      out->push_back(entry);
    }
  }
  return true;
}

}  // namespace

bool LedPorts::create(const char* name, int root) {
  if (!ports_ || !sockets_) {
    // Programs without these maps are those of monitors that are about to end.
    for (Fd& link : links_) link.reset();
    Fd types = load_types();
    if (!types) return false;
    ports_ = create_map(BPF_MAP_TYPE_HASH, sizeof(LedPort), sizeof(LedTarget), kMostPorts,
                        BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG, name, -1);
    sockets_ = create_map(BPF_MAP_TYPE_SK_STORAGE, sizeof(int32_t), sizeof(LedSocket), 0, BPF_F_NO_PREALLOC, name,
                          types.get());
    if (!ports_ || !sockets_) return false;
  }
  for (unsigned index = 0; index < kPrograms; index++) {
    if (links_[index]) continue;
    const bool ipv6 = index % 2 == 1;
    bpf_attr load = bpf_attributes();
    load.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
    load.expected_attach_type = kAttachTypes[index];
    strncpy(load.prog_name, name, sizeof load.prog_name - 1);
    Fd program = load_bpf(load, index < 2 ? connect_program(ipv6, ports_.get(), sockets_.get())
                                          : peer_name_program(ipv6, sockets_.get()));
    if (!program) return false;
    bpf_attr attach = bpf_attributes();
    attach.link_create.prog_fd = static_cast<uint32_t>(program.get());
    attach.link_create.target_fd = static_cast<uint32_t>(root);
    attach.link_create.attach_type = kAttachTypes[index];
    links_[index].reset(bpf(BPF_LINK_CREATE, &attach));
    if (!links_[index]) return false;
  }
  return true;
}

bool LedPorts::acquire(const Op& op) {
  if (links_[kPrograms - 1]) return true;
  const char* name = op.path(kName);
  Fd root = open_cgroup_root();
  struct stat info;
  if (!root || fstat(root.get(), &info) != 0) return false;
  // A cgroup's id is the number of its inode.
  bool ok = find_programs(name, info.st_ino, links_, &ports_, &sockets_);
  if (!ok) {
    Fd lock;
    Failure failure;
    ok = lock_file(op.path(kLockArgument), &lock, &failure) &&
         (find_programs(name, info.st_ino, links_, &ports_, &sockets_) || create(name, root.get()));
  }
  if (ok) return true;
  for (Fd& link : links_) link.reset();
  ports_.reset();
  sockets_.reset();
  return false;
}

bool LedPorts::lead(const Op& op, Failure* failure) {
  std::vector<Entry> entries;
  if (!read_entries(op, &entries, failure)) return false;
  if (entries.empty() || !acquire(op)) return true;
  for (const Entry& entry : entries) {
    bpf_attr update = bpf_attributes();
    update.map_fd = static_cast<uint32_t>(ports_.get());
    update.key = bpf_address(&entry.key);
    update.value = bpf_address(&entry.target);
    update.flags = BPF_ANY;
    if (bpf(BPF_MAP_UPDATE_ELEM, &update) != 0) break;
  }
  return true;
}

bool unlead_ports(const Op& op, Failure* failure) {
  std::vector<Entry> entries;
  if (!read_entries(op, &entries, failure)) return false;
  // Wherever it has been published: this may be another process, which sees other cgroups.
  each_link(op.path(kName), [&](unsigned index, uint64_t, int program, Fd&) {
    Fd ports, sockets;
    if (index == 0) take_maps(program, &ports, &sockets);
    if (!ports) return;
    for (const Entry& entry : entries) {
      LedTarget target = {};
      bpf_attr element = bpf_attributes();
      element.map_fd = static_cast<uint32_t>(ports.get());
      element.key = bpf_address(&entry.key);
      element.value = bpf_address(&target);
      if (bpf(BPF_MAP_LOOKUP_ELEM, &element) != 0 || memcmp(&target, &entry.target, sizeof target) != 0) continue;
      element.value = 0;
      bpf(BPF_MAP_DELETE_ELEM, &element);
    }
  });
  return true;
}

}  // namespace wherry

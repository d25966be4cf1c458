// Operations of the host sections, which the monitor itself runs.
#pragma once

#include "fail.h"
#include "kernel/fd.h"

namespace wherry {

// Removes what is at `path` without following links or entering another file system; nothing there is fine.
// A tree of any depth takes a bounded number of descriptors.
bool remove_tree(const char* path, Failure*);

// Ends every process in a cgroup and below it, then removes it and its children. A cgroup that is gone is fine.
// When this process is in there it moves to the hierarchy's root first.
bool remove_cgroup(const char* path, Failure*);

// Sends a batch of netlink messages and reads every answer. The socket is in the namespace `socket_netns` (-1:
// ours). Meanwhile descriptor 100 is our network namespace and 101 is `container_netns` (-1: none), which is how
// messages name them (IFLA_NET_NS_FD).
bool send_netlink(int socket_netns, int container_netns, int protocol, std::string_view messages, Failure*);

// The bridge looks for this MAC address behind this port of it, an interface, and nowhere else.
bool pin_address(const char* port, std::string_view mac, Failure*);

// A socket in another network namespace (-1: ours), where it stays. Close-on-exec.
bool socket_in_network(int netns, int family, int type, int protocol, Fd*, Failure*);

// flock(2) without waiting. False: somebody else holds it, or it can't be opened. A folder that isn't there (any
// more) needs no lock.
bool try_lock_file(const char* path, Fd* lock);
// The same, but waits for half a minute.
bool lock_file(const char* path, Fd* lock, Failure*);

// Loads and attaches a cgroup-device program (an array of struct bpf_insn).
bool attach_device_filter(const char* cgroup, std::string_view program, Failure*);

}  // namespace wherry

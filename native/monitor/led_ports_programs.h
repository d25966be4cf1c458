// The programs that lead connections of the host's processes to its own addresses: into the container, past the
// loopback and past the translation of addresses. bpf(2), linux/bpf.h, and the kernel's Documentation/bpf.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

namespace wherry {

// What is published: a port of an address of one network namespace. In network order, but the cookie.
struct LedPort {
  uint64_t namespace_cookie;  // SO_NETNS_COOKIE
  uint32_t address;           // 0: each that is local
  uint32_t port;              // of its two bytes the second ones are 0, as struct bpf_sock_addr has it
};

// Where it leads.
struct LedTarget {
  uint32_t address;
  uint32_t port;
};

// What a socket that has been led asked for, and what it was given.
struct LedSocket {
  LedTarget wanted;
  LedTarget given;
};

// A program for BPF_CGROUP_INET4_CONNECT or, for IPv4 addresses mapped to IPv6 ones, BPF_CGROUP_INET6_CONNECT, with a
// hash of LedPort to LedTarget, and a map of sockets' storage with LedSocket. It changes where a TCP socket of the
// namespace connects to, if that is published, the address is local, and the socket isn't bound to an address or a
// device. Unless the address is one of 127.0.0.0/8 the socket is bound to it, so that the host's address is what the
// container sees.
std::vector<bpf_insn> connect_program(bool ipv6, int ports_map, int sockets_map);

// For BPF_CGROUP_INET4_GETPEERNAME and BPF_CGROUP_INET6_GETPEERNAME: a socket that has been led says what it wanted.
std::vector<bpf_insn> peer_name_program(bool ipv6, int sockets_map);

}  // namespace wherry

// bpf(2).
#pragma once

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "kernel/fd.h"

namespace wherry {

// Attributes of a command, all zero: the kernel refuses others in what it doesn't know.
inline bpf_attr bpf_attributes() {
  bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  return attributes;
}

inline int bpf(int command, bpf_attr* attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, attributes, sizeof *attributes));
}

inline uint64_t bpf_address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// BPF_PROG_LOAD of `load`, which has the program's types and perhaps a name, with these instructions. -1 with errno.
inline Fd load_bpf(bpf_attr load, const std::vector<bpf_insn>& instructions) {
  static const char license[] = "Apache-2.0";
  load.insn_cnt = static_cast<uint32_t>(instructions.size());
  load.insns = bpf_address(instructions.data());
  load.license = bpf_address(license);
  return Fd(bpf(BPF_PROG_LOAD, &load));
}

}  // namespace wherry

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "host.h"
#include "kernel/fd.h"

namespace wherry {

namespace {

constexpr size_t kMaxInstructions = 4096;

int bpf(int command, bpf_attr* attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, attributes, sizeof *attributes));
}

uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

}  // namespace

bool attach_device_filter(const char* cgroup, std::string_view program, Failure* failure) {
  size_t count = program.size() / sizeof(bpf_insn);
  if (!count || program.size() % sizeof(bpf_insn) || count > kMaxInstructions) {
    return fail(failure, EINVAL, "device program of %zu bytes", program.size());
  }
  Fd folder(open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(failure, errno, "open the cgroup %s", cgroup);
  std::vector<bpf_insn> instructions(count);
  memcpy(instructions.data(), program.data(), program.size());
  static const char license[] = "Apache-2.0";
  bpf_attr load;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insn_cnt = static_cast<uint32_t>(count);
  load.insns = address(instructions.data());
  load.license = address(license);
  Fd loaded(bpf(BPF_PROG_LOAD, &load));
  if (!loaded) {
    // Once more for the verifier's words.
    int err = errno;
    char log[1024] = "";
    load.log_level = 1;
    load.log_size = sizeof log;
    load.log_buf = address(log);
    Fd again(bpf(BPF_PROG_LOAD, &load));
    return fail(failure, err, "load the device program%s%.200s", *log ? ": " : "", log);
  }
  bpf_attr attach;
  memset(&attach, 0, sizeof attach);
  attach.target_fd = static_cast<uint32_t>(folder.get());
  attach.attach_bpf_fd = static_cast<uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  return bpf(BPF_PROG_ATTACH, &attach) == 0 || fail(failure, errno, "attach the device program to %s", cgroup);
}

}  // namespace wherry

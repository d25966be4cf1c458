#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <vector>

#include "bpf.h"
#include "host.h"
#include "kernel/fd.h"

namespace wherry {

namespace {

constexpr size_t kMaxInstructions = 4096;

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
  bpf_attr load = bpf_attributes();
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  Fd loaded = load_bpf(load, instructions);
  if (!loaded) {
    // Once more for the verifier's words.
    int err = errno;
    char log[1024] = "";
    load.log_level = 1;
    load.log_size = sizeof log;
    load.log_buf = bpf_address(log);
    Fd again = load_bpf(load, instructions);
    return fail(failure, err, "load the device program%s%.200s", *log ? ": " : "", log);
  }
  bpf_attr attach = bpf_attributes();
  attach.target_fd = static_cast<uint32_t>(folder.get());
  attach.attach_bpf_fd = static_cast<uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  return bpf(BPF_PROG_ATTACH, &attach) == 0 || fail(failure, errno, "attach the device program to %s", cgroup);
}

}  // namespace wherry

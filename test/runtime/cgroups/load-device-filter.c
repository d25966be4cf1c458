/*
 * Loads the eBPF instructions in the file argv[1] as BPF_PROG_TYPE_CGROUP_DEVICE, so that the kernel's
 * verifier looks at them, attaches them to the cgroup argv[2], joins it, and prints as JSON what making and
 * opening devices in the folder argv[3] then gives: 0, or an errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static long load(const char *path) {
  static struct bpf_insn code[4096];
  static char log[65536];
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  size_t count = fread(code, sizeof *code, 4096, file);
  fclose(file);
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = (unsigned long)code;
  attr.insn_cnt = (unsigned)count;
  attr.license = (unsigned long)"Apache-2.0";
  attr.log_buf = (unsigned long)log;
  attr.log_size = sizeof log;
  attr.log_level = 1;
  long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
  if (fd < 0) fprintf(stderr, "load: %s\n%s", strerror(errno), log);
  return fd;
}

static int attach(long program, const char *cgroup) {
  int folder = open(cgroup, O_RDONLY | O_DIRECTORY);
  if (folder < 0) return -1;
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.target_fd = (unsigned)folder;
  attr.attach_bpf_fd = (unsigned)program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr)) return -1;
  int procs = openat(folder, "cgroup.procs", O_WRONLY);
  return procs >= 0 && write(procs, "0", 1) == 1 ? 0 : -1;
}

static void try(const char *folder, const char *name, mode_t type, unsigned device_major, unsigned device_minor,
                const char *end) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int made = mknod(path, type | 0600, makedev(device_major, device_minor)) ? errno : 0;
  int fd = made ? -1 : open(path, O_RDONLY | O_NONBLOCK);
  int opened = fd < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  unlink(path);
  printf("\"%s\": [%d, %d]%s", name, made, opened, end);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  long program = load(argv[1]);
  if (program < 0) return 3;
  if (attach(program, argv[2])) {
    perror("attach");
    return 4;
  }
  printf("{");
  try(argv[3], "null", S_IFCHR, 1, 3, ", ");
  try(argv[3], "memory", S_IFCHR, 1, 1, ", ");
  try(argv[3], "loop", S_IFBLK, 7, 0, ", ");
  try(argv[3], "disk", S_IFBLK, 8, 0, "}\n");
  return 0;
}

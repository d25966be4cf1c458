/*
 * Builds a filter with libseccomp from a description on stdin and writes the BPF to stdout:
 *   default ACTION                 first; a number, SECCOMP_RET_* with its data
 *   arch TOKEN...                  decimal SCMP_ARCH_*; exactly these
 *   rule ACTION NAME [INDEX OP A B]...
 * A name that libseccomp doesn't know is told on stderr: "unknown NAME".
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const char *object, int rc) {
  fprintf(stderr, "%s %s: %s\n", what, object, strerror(-rc));
  return 1;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  scmp_filter_ctx ctx = NULL;
  uint32_t by_default = 0;
  while (getline(&line, &room, stdin) > 0) {
    char *save = NULL;
    char *word = strtok_r(line, " \n", &save);
    if (!word) continue;
    if (!strcmp(word, "default")) {
      by_default = (uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
      ctx = seccomp_init(by_default);
      if (!ctx) return fail("init", "", -EINVAL);
      seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    } else if (!strcmp(word, "arch")) {
      int keeps_native = 0;
      while ((word = strtok_r(NULL, " \n", &save))) {
        uint32_t token = (uint32_t)strtoul(word, NULL, 10);
        if (token == seccomp_arch_native()) keeps_native = 1;
        int rc = seccomp_arch_add(ctx, token);
        if (rc && rc != -EEXIST) return fail("arch", word, rc);
      }
      if (!keeps_native) seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
    } else {
      uint32_t action = (uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
      char *name = strtok_r(NULL, " \n", &save);
      struct scmp_arg_cmp args[6];
      unsigned count = 0;
      while ((word = strtok_r(NULL, " \n", &save))) {
        args[count].arg = (unsigned)strtoul(word, NULL, 10);
        args[count].op = (enum scmp_compare)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
        args[count].datum_a = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
        args[count].datum_b = strtoull(strtok_r(NULL, " \n", &save), NULL, 10);
        count++;
      }
      if (action == by_default) continue;
      int number = seccomp_syscall_resolve_name(name);
      if (number == __NR_SCMP_ERROR) {
        fprintf(stderr, "unknown %s\n", name);
        continue;
      }
      int rc = seccomp_rule_add_array(ctx, action, number, count, args);
      if (rc) return fail("rule", name, rc);
    }
  }
  free(line);
  int rc = seccomp_export_bpf(ctx, 1);
  seccomp_release(ctx);
  return rc ? fail("export", "", rc) : 0;
}

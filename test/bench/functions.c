/*
 * A plugin for qemu's emulation (qemu_plugin_install, docs/devel/tcg-plugins.rst of qemu 7.2): how many instructions
 * the processor executes in each translated block of the kernel, and in all programs together. Whenever the program
 * mark.S is started, it writes a line "mark" and then "ADDRESS COUNT" for each block that has run since the last mark.
 * MARK_ADDRESS is where that is linked to. Argument: out=FILE.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of qemu-plugin.h, which Debian has in no package. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef void (*translated_fn)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_fn)(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_fn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed_fn, int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int operation, void *word, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { add_to_word = 0, no_registers = 0 };

struct counter {
  uint64_t address;
  uint64_t count;
  uint64_t written;
};

/* A hash table that is never resized: emitted code adds to its words. */
enum { slots = 1 << 20 };
static struct counter *table;
static FILE *out;

static struct counter *counter_of(uint64_t address) {
  size_t slot = (address * UINT64_C(0x9e3779b97f4a7c15)) >> 44;
  for (size_t tried = 0; tried < slots; tried++, slot = (slot + 1) % slots) {
    if (table[slot].address == 0) table[slot].address = address;
    if (table[slot].address == address) return &table[slot];
  }
  fprintf(stderr, "functions: more than %d blocks\n", slots);
  exit(1);
}

static void marked(unsigned cpu, void *data) {
  (void)cpu;
  (void)data;
  fputs("mark\n", out);
  for (size_t slot = 0; slot < slots; slot++) {
    struct counter *each = &table[slot];
    if (each->count == each->written) continue;
    fprintf(out, "%llx %llu\n", (unsigned long long)each->address, (unsigned long long)(each->count - each->written));
    each->written = each->count;
  }
  fflush(out);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  uint64_t address = qemu_plugin_tb_vaddr(block);
  if (address == MARK_ADDRESS) qemu_plugin_register_vcpu_tb_exec_cb(block, marked, no_registers, NULL);
  bool kernel = address >> 63;
  uint64_t *count = &counter_of(kernel ? address : 1)->count;
  qemu_plugin_register_vcpu_tb_exec_inline(block, add_to_word, count, qemu_plugin_tb_n_insns(block));
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
    fputs("functions: the argument is out=FILE\n", stderr);
    return 1;
  }
  table = calloc(slots, sizeof *table);
  out = fopen(argv[0] + 4, "w");
  if (!table || !out) {
    fprintf(stderr, "functions: %s: %s\n", argv[0] + 4, strerror(errno));
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}

#include "own_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace wherry {

namespace {

// Called for the program first, and then no more. What is relocated at the start lies in the writable segments only:
// pages of the others are those of the file (madvise(2), MADV_DONTNEED).
int release_segments(dl_phdr_info* program, size_t, void*) {
  uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < program->dlpi_phnum; i++) {
    const ElfW(Phdr)& segment = program->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    uintptr_t start = (program->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    uintptr_t end = program->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
  }
  return 1;
}

}  // namespace

void release_own_pages() { dl_iterate_phdr(release_segments, nullptr); }

}  // namespace wherry

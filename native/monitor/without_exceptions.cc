// The monitor is built without exceptions. These replace the parts of the C++ library that would throw, and
// with them the unwinder, the demangler and the locales that a static link would otherwise carry along.
// Memory that isn't there or a length out of range ends the program, as an exception that nobody catches would.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <new>

namespace {
[[noreturn]] void give_up(const char* what) {
  dprintf(2, "wherry-monitor: %s\n", what);
  abort();
}
void* allocate(size_t size) {
  void* memory = malloc(size ? size : 1);
  if (!memory) give_up("out of memory");
  return memory;
}
}  // namespace

void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { give_up("pure virtual call"); }

namespace std {
[[noreturn]] void __throw_bad_alloc() { give_up("out of memory"); }
[[noreturn]] void __throw_bad_array_new_length() { give_up("out of memory"); }
[[noreturn]] void __throw_length_error(const char* what) { give_up(what); }
[[noreturn]] void __throw_logic_error(const char* what) { give_up(what); }
[[noreturn]] void __throw_out_of_range(const char* what) { give_up(what); }
[[noreturn]] void __throw_out_of_range_fmt(const char* what, ...) { give_up(what); }
[[noreturn]] void __throw_invalid_argument(const char* what) { give_up(what); }
[[noreturn]] void __throw_bad_function_call() { give_up("empty function called"); }
}  // namespace std

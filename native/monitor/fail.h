// Errors as values: the functions of this side fill a Failure and return false.
#pragma once

#include "container.h"

namespace wherry {

// Sets code, errno and message (`format` and, with an errno, `: ` and its words in lower case as docker
// writes them). Returns false, so that `return fail(...)` ends a function.
bool fail(Failure* failure, int err, const char* format, ...) __attribute__((format(printf, 3, 4)));

// The words of an errno as docker writes them: `no such file or directory`.
std::string error_words(int err);

// docker's exit code for a reason: 127 for what isn't there, 126 for what may not be run, 125 for the rest.
int exit_code_for(int err);

}  // namespace wherry

// /etc/passwd and /etc/group of an image, read without NSS and without trust.
#pragma once

#include <string>

#include "child.h"

namespace wherry {

// Resolves `user[:group]` and additional groups (names or numbers) as docker does. A number is never looked up
// as a name. Fails in docker's words.
bool resolve_identity(int root, std::string_view spec, const std::vector<std::string_view>& groups, Identity*,
                      Failure*);

}  // namespace wherry

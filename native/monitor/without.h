#pragma once

namespace wherry::sys {

// Features that a run may do without, to test the ways around them on a kernel that has them all.
struct Without {
  bool mount_setattr, lowerdir_plus, into_cgroup, clone3, close_range;
};
extern Without without;

}  // namespace wherry::sys

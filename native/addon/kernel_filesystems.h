#pragma once

namespace wherry {

/**
 * Whether a descriptor (O_PATH, too) is of a file system of the kernel's own, like procfs and sysfs: what is in it
 * is made while it is read, and is nobody's file. True when it can't be asked.
 */
bool is_kernel_filesystem(int fd);

}  // namespace wherry

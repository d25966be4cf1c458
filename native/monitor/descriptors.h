// How many descriptors this process may have.
#pragma once

namespace wherry {

// Raises the limit as far as the kernel lets it. False when it stands there already.
bool raise_descriptor_limit();

// In a child: the limit that this process was started with, which is what its programs inherit.
void restore_descriptor_limit();

}  // namespace wherry

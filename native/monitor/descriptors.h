// How many descriptors this process may have.
#pragma once

namespace wherry {

// Raises the limit as far as the kernel lets it. False when it stands there already.
bool raise_descriptor_limit();

// Gives the descriptor back; closes it and gives -1 with EMFILE when it is one of the last that there are: those
// are for the container's own streams and clients, and not for what anybody can make us open.
int unless_last(int fd);

// In a child: the limit that this process was started with, which is what its programs inherit.
void restore_descriptor_limit();

}  // namespace wherry

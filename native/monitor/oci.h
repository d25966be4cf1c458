// The native side of `wherry oci`: containers without a monitor, as the OCI runtime command line makes them.
#pragma once

namespace wherry {

// `wherry-monitor oci-create PLAN OPTION...`: makes a container that waits for its start, or with --foreground
// starts it, carries its terminal and signals and ends with its exit code.
// `wherry-monitor oci-start PLAN --init PID OPTION...`: lets its command run.
// `wherry-monitor oci-exec PLAN --init PID OPTION...`: runs the exec section in it.
// Options: --result FD gets one JSON line, {"pid":N} or the failure {"code":N,"message":"..."}; --pid-file PATH;
// --console-socket PATH gets the terminal's master; --preserve-fds N; --detach (exec).
int oci_main(int argc, char** argv);

}  // namespace wherry

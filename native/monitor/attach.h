// SPDX-License-Identifier: MIT
// A further process of a running container: `vxn-monitor exec`.
#ifndef VXN_ATTACH_H
#define VXN_ATTACH_H

/// Asks the container's monitor for the process that fd 4 describes (PROCESS frames of the id ATTACH_PROCESS; with a terminal the
/// last one, TERMINAL, is still missing), stands for it
/// and gives its status. fd 3 gets one line: "ok PID" when its program runs, or why it does not. Unless --foreground is given the caller
/// returns at once, and a child of nobody goes on.
int attach_main(int argc, char **argv);

#define ATTACH_PROCESS 2u

#endif

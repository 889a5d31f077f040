// SPDX-License-Identifier: MIT
// The program `vxn-monitor exec`: the holder of a further process of a running container.
#ifndef VXN_EXEC_H
#define VXN_EXEC_H

/// Asks the domain's monitor for the process that fd 4 describes, stands for it and gives its
/// status. fd 4 is a file of PROCESS frames of the id REMOTE_PROCESS; with a terminal its last
/// frame, TERMINAL, is still missing. fd 3 gets one line: "ok PID" when the program runs, or why it
/// does not. Unless --foreground is given the caller returns at once, and a child of nobody goes
/// on.
int exec_main(int argc, char **argv);

#endif

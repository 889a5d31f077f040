// SPDX-License-Identifier: MIT
// A FIFO that is held open as long as something is not over yet. Whoever reads it gets end of file
// when it is over, or when all holders have died. The runtime waits at it with plain blocking
// reads.
#ifndef VXN_GATE_H
#define VXN_GATE_H

/// Makes the FIFO dir/name (mode 0600, in place of an old one) and holds it open. Its descriptor,
/// or -1 with errno.
int gate_open(const char *dir, const char *name);

#endif

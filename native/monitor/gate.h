// SPDX-License-Identifier: MIT
// A FIFO that is held open as long as something is not over yet: whoever reads it gets end of file when it is, or when its
// holders died. The runtime waits at it with plain blocking reads.
#ifndef VXN_GATE_H
#define VXN_GATE_H

/// Makes the FIFO (mode 0600, in place of an old one) and holds it open. Its descriptor, or -1 with errno.
int gate_open(const char *path);

#endif

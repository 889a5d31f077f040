// SPDX-License-Identifier: MIT
// The start file: the frames by which the runtime makes and starts the container, passed on to the guest in order.
#ifndef VXN_START_H
#define VXN_START_H

#include <stdbool.h>

/// Opens the file and removes its name. 0, or -1 with errno.
int start_open(const char *path);

/// True while there is something to pass on.
bool start_pending(void);

/// Passes on what the channel has room for. False when the file is not what it should be.
bool start_pump(void);

#endif

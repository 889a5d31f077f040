// SPDX-License-Identifier: MIT
// The start file: the frames with which the runtime describes a container, its network and its
// first process.
#ifndef VXN_DESCRIPTION_H
#define VXN_DESCRIPTION_H

#include <stdbool.h>

#include "../link/link.h"

/// Opens dir/start.frames and removes its name. A JOIN in front is sent at once. 0, or -1 with
/// errno.
int description_open(const char *dir, const struct link *link);

/// True while there are frames to send.
bool description_pending(void);

/// Sends what the link has room for. False when the file is damaged.
bool description_send(const struct link *link);

#endif

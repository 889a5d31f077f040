// SPDX-License-Identifier: MIT
// The holder's end of a link over the control socket of a domain's monitor. The other end is
// domain/relay.c.
#ifndef VXN_REMOTE_H
#define VXN_REMOTE_H

#include "link.h"

/// The id of the process on the link. The monitor gives it another one towards the guest.
#define REMOTE_PROCESS 2u

/// Connects to the monitor of the domain whose folder dir is. 0, or -1 with errno.
int remote_connect(const char *dir);

/// Sends the frames that are in the file as they are. Waits while the monitor cannot take them, so
/// it is for the beginning only, before remote_open(). 0, or -1 with errno when the file cannot be
/// read.
int remote_copy(int file);

/// From now on frames come and go. NULL with errno on failure.
const struct link *remote_open(const struct link_events *events);

/// Once per turn of the loop: takes what came.
void remote_receive(void);

/// Sends what is queued.
void remote_flush(void);

#endif

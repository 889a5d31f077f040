// SPDX-License-Identifier: MIT
#ifndef VXN_LIFELINE_H
#define VXN_LIFELINE_H

/// Calls cut() when the other end of fd is gone: the caller holds it while it waits for us. fd may
/// be a pidfd. 0, or -1 with errno.
int lifeline_watch(int fd, void (*cut)(void));

/// Lets go of it: the caller need not wait any longer.
void lifeline_release(void);

#endif

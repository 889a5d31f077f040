// SPDX-License-Identifier: MIT
// The part that all holders share. A holder stands for one process of a container towards an
// engine: it holds its stdio and terminal, takes its signals, and ends with its exit status. One
// program is the holder of one process. first.h is the holder of a container's first process,
// exec.h that of a further one.
#ifndef VXN_HOLDER_H
#define VXN_HOLDER_H

#include <stdint.h>

#include "../link/link.h"

// The exit status when the process's own is not known.
#define HOLDER_STATUS_LOST 255
// After a KILL, or when the guest is gone, the reader of our output gets this long to take the
// rest.
#define HOLDER_GRACE_MS 2000

enum holder_state { HOLDER_WAITING, HOLDER_RUNNING, HOLDER_ENDED };

/// Begins to stand for the process. ended: called once with the exit status, before the link is
/// hung up.
void holder_init(const struct link *link, void (*ended)(int status));

enum holder_state holder_state(void);

/// The exit status, HOLDER_STATUS_LOST before the end.
int holder_status(void);

/// The program runs.
void holder_started(void);

/// The process is over, or never will be. The loop stops when its output has been passed on.
void holder_end(int status);

/// The loop stops after ms milliseconds even if output is left.
void holder_stop_after(int ms);

/// Sends the signal to the process.
void holder_send_signal(int signo);

/// A frame of a running process. NULL, or the rule that it breaks.
vxn_fault holder_frame(const struct vxn_header *h, const uint8_t *payload);

/// Once per turn of the loop, between taking what came over the link and sending.
void holder_turn(void);

#endif

// SPDX-License-Identifier: MIT
// The one line that the runtime waits for on READY_FD: "ok ...", or what is wrong. A text of the
// guest comes behind "failed: " only, since it may read "ok 1".
#ifndef VXN_READY_H
#define VXN_READY_H

#include <stdbool.h>

#define READY_FD 3

/// Says a line. False when nobody is there to hear it.
bool ready_say(const char *line);

/// Says what is wrong, with the meaning of errno unless that is 0, and exits with 1.
_Noreturn void ready_fail(const char *text);

#endif

// SPDX-License-Identifier: MIT
// The program's standard input: our descriptor -> STDIN frames, within the guest's credit.
#ifndef VXN_STDIN_H
#define VXN_STDIN_H

#include <stdbool.h>
#include <stdint.h>

#include "../link/link.h"

/// Takes over fd. ends: the end of input is passed on.
void stdin_open(int fd, const struct link *link, bool ends);

/// The guest has room for n more bytes. False when that is beyond the limit.
bool stdin_credit(uint32_t n);

/// Waits for input exactly while it could be sent on: the program runs, there is credit and room.
void stdin_gate(bool running);

void stdin_close(void);

#endif

// SPDX-License-Identifier: MIT
// A process's pseudo-terminal.
#ifndef VXN_AGENT_TERMINAL_H
#define VXN_AGENT_TERMINAL_H

#include "error.h"

struct terminal {
  int master, slave;  ///< -1: none yet
};

/// Opens a pseudo-terminal of the devpts that is mounted below root. 0, or -1 with *e.
int terminal_open(int root, struct terminal *t, struct error *e);

/// Makes it /dev/console below root. 0, or -1 with *e.
int terminal_bind_console(int root, const struct terminal *t, struct error *e);

#endif

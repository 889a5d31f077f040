// SPDX-License-Identifier: MIT
// Reports of a process's child to the agent, from clone to execve. Their socket closes with execve.
#ifndef VXN_AGENT_REPORT_H
#define VXN_AGENT_REPORT_H

#include "error.h"

enum report_kind {
  REPORT_TERMINAL = 'T',  ///< with the terminal's master
  REPORT_READY = 'R',     ///< execve is next
  REPORT_ERROR = 'E',
};

struct report {
  char kind;
  struct error error;  ///< of REPORT_ERROR
};

/// The child's side: sends a report, with a descriptor unless fd is -1. Ends the child when the
/// agent is gone.
void report_send(int socket, const struct report *r, int fd);

/// The agent's side: takes the next report without waiting. *fd is the descriptor that came with
/// it, or -1. 1: *r is filled, 0: the child has closed its end, -1 with errno: none now.
int report_take(int socket, struct report *r, int *fd);

#endif

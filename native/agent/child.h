// SPDX-License-Identifier: MIT
// Everything between clone and execve, in the order that runc keeps: namespaces, root, identity,
// program.
#ifndef VXN_AGENT_CHILD_H
#define VXN_AGENT_CHILD_H

#include "records.h"

struct child_plan {
  const char *dir;  ///< holds root/ and bind/ of the container
  const struct container_desc *container;
  const struct process_desc *process;
  int stdio[3];   ///< -1 each with a terminal
  int report_fd;  ///< report.h
  int join_fd;    ///< pidfd of the container's first process to join; -1: this is the first one
  uint16_t rows, cols;
};

/// Becomes the process's program. Failures are reported.
_Noreturn void child_main(const struct child_plan *plan);

#endif

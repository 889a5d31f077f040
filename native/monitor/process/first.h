// SPDX-License-Identifier: MIT
// The holder of a container's first process. Its end is the container's end.
#ifndef VXN_FIRST_H
#define VXN_FIRST_H

#include <stdbool.h>
#include <stdint.h>

#include "terminal.h"

struct first_plan {
  const char *run_dir;   // the container's: start.gate, started, error, exit
  const char *log_dir;   // the container's: output.log, start.frames
  uint64_t log_bytes;    // of output.log
  struct terminal_plan terminal;
  // The domain knows the process without a description. It is told of all signals, makes the
  // process's terminal where there is one, takes no input and cannot be made to wait with its
  // output.
  bool described;
};

/// Opens the files and streams of the process, and the link to the domain in this program. plan has
/// to stay. 0, or -1 with *error set to the start of a sentence.
int first_open(const struct first_plan *plan, const char **error);

/// A signal arrived. by_kernel: no process sent it.
void first_signal(int signo, bool by_kernel);

/// Ends the container as SIGKILL does.
void first_kill(void);

/// Once per turn of the loop, between taking what came over the link and sending.
void first_turn(void);

/// The loop has stopped: keeps the records and gives the terminal back. The status to exit with.
int first_close(void);

#endif

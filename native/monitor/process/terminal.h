// SPDX-License-Identifier: MIT
// A process's terminal on this side: the slave of a pseudo-terminal whose master an engine has, or
// the terminal of the person who called. It is raw: the guest's line discipline edits lines, echoes
// and makes signals.
#ifndef VXN_TERMINAL_H
#define VXN_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "../link/link.h"

struct terminal_plan {
  const char *console_socket;  // NULL: none
  bool of_caller;              // the terminal that fds 0 to 2 are; no console socket then
  uint16_t rows, columns;      // the size of a new terminal
};

/// Descriptors of a process's streams on this side. err is -1 when stdout and stderr are one.
struct stdio {
  int in, out, err;
  bool in_ends;  // an end of input is to be passed on
};

/// Parses ROWSxCOLUMNS.
bool terminal_parse_size(const char *text, uint16_t *rows, uint16_t *columns);

/// Opens the planned terminal, sends a new terminal's master away, and gives the streams: fds 0 to
/// 2 without a terminal. 0, or -1 with errno and *error set to the start of a sentence.
int terminal_open(const struct terminal_plan *plan, struct stdio *stdio, const char **error);

/// True when there is a terminal, whether or not anybody still has its other end.
bool terminal_is_open(void);

/// True when the signal is the terminal's own affair and is not handed on: a change of size, a
/// hang-up.
bool terminal_takes_signal(int signo, bool by_kernel);

/// Sends the last frame of a PROCESS with a terminal: TERMINAL, with the size as it is now. The
/// frames that the runtime wrote before it end in MORE.
void terminal_describe(const struct link *link);

/// Sends a RESIZE to the size as it is now.
void terminal_resize(const struct link *link);

/// The caller's terminal becomes raw. Any other one is raw already.
void terminal_begin(void);

/// Gives the terminal back as it was. Output that has been written to it stays readable at its
/// other end.
void terminal_end(void);

#endif

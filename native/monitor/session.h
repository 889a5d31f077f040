// SPDX-License-Identifier: MIT
// One container's life as the monitor sees it: booting, ready, running, exited.
#ifndef VXN_SESSION_H
#define VXN_SESSION_H

#include "domain.h"
#include "options.h"

/// Sets up stdio, records and the control socket. 0, or -1 with *error set to a sentence.
int session_open(const struct options *o, const char **error);

/// The domain's id, once known.
void session_domain(uint32_t domid);

/// Events of the domain.
void session_served(const char *path);
void session_console(const char *tty);
void session_ended(enum domain_end end);

/// A signal arrived that belongs to the program.
void session_signal(int signo);

/// Called once per turn of the loop.
void session_turn(void);

/// The status to exit with, when the loop has stopped.
int session_status(void);

#endif

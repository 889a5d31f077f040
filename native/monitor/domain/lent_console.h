// SPDX-License-Identifier: MIT
// A console that an engine has: it is the terminal of the program, and nobody here reads it.
#ifndef VXN_LENT_CONSOLE_H
#define VXN_LENT_CONSOLE_H

#include <stdbool.h>

/// Waits for the domain's console, makes it raw and sends it to the engine that listens at socket.
/// On failure it says why on READY_FD and exits.
void lent_console_send(const char *socket);

/// True while there is output that the engine has not read.
bool lent_console_is_unread(void);

/// Lets go of it.
void lent_console_close(void);

#endif

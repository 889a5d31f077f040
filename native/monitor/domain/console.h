// SPDX-License-Identifier: MIT
// The guest's kernel console. It is kept in console.log and searched for a panic.
#ifndef VXN_CONSOLE_H
#define VXN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Keeps the console in dir/console.log. panic: called once when the kernel says that it gives up.
void console_init(const char *dir, void (*panic)(void));

/// Begins to read the console from its pty.
void console_open(const char *tty);

/// Gives every byte to data, too. closed is called when no more can come.
void console_tap(void (*data)(const uint8_t *data, size_t len), void (*closed)(void));

/// Stops reading for now, or goes on.
void console_pause(bool pause);

/// The kernel's panic message, printable characters only. NULL when none was seen.
const char *console_panic(void);

#endif

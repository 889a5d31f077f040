// SPDX-License-Identifier: MIT
// The guest's kernel console: kept in console.log, searched for a panic.
#ifndef VXN_CONSOLE_H
#define VXN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Keeps what comes from the pty tty in dir/console.log; calls panic once when the kernel says that it gives up.
void console_init(const char *dir, void (*panic)(void));
void console_open(const char *tty);

/// Shows everything that comes to data, too; closed is called when nothing more can come.
void console_tap(void (*data)(const uint8_t *data, size_t len), void (*closed)(void));

/// Leaves what comes unread for now, or no longer.
void console_pause(bool pause);

/// The kernel's panic message, printable characters only; NULL when none was seen.
const char *console_panic(void);

#endif

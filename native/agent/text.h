// SPDX-License-Identifier: MIT
// Text for messages.
#ifndef VXN_AGENT_TEXT_H
#define VXN_AGENT_TEXT_H

#include <stddef.h>

/// Writes s in double quotes, escaped as Go's %q does, and returns buf. A string that is too long
/// ends in "...".
char *quote(char *buf, size_t size, const char *s);

/// Replaces each byte that is not UTF-8 by '?', and drops a character that was cut at the end.
/// Returns the length.
size_t make_utf8(char *s, size_t len);

#endif

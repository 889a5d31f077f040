// SPDX-License-Identifier: MIT
// Text of a guest, made fit for a line that people read on their terminals.
#ifndef VXN_WORDS_H
#define VXN_WORDS_H

#include <stddef.h>
#include <stdint.h>

/// Copies len bytes as text. Line feeds and tabs become spaces; other control characters and
/// invalid UTF-8 become question marks. to: len + 1 bytes.
void words_copy(char *to, const uint8_t *from, size_t len);

#endif

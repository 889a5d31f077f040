// SPDX-License-Identifier: MIT
// What a guest says, as part of a line that people read on their terminals.
#ifndef VXN_WORDS_H
#define VXN_WORDS_H

#include <stddef.h>
#include <stdint.h>

/// Copies len bytes as text: line feeds and tabs become spaces, other control characters and what is no UTF-8 question marks.
/// to: len + 1 bytes.
void words_copy(char *to, const uint8_t *from, size_t len);

#endif

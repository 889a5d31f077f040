// SPDX-License-Identifier: MIT
// The rules of UTF-8, for programs that pass on text which they do not trust.
#ifndef VXN_UTF8_H
#define VXN_UTF8_H

#include <stddef.h>
#include <stdint.h>

/// The length in bytes (1 to 4) of the UTF-8 character at s, of which left bytes (at least one) may
/// be read. 0: the bytes are no character of UTF-8. -1: the text ends inside a character.
int vxn_utf8_length(const uint8_t *s, size_t left);

#endif

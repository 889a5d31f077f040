// SPDX-License-Identifier: MIT
#include "words.h"

#include <stdbool.h>

// The length of the first character, 0: UTF-8 does not allow it.
static size_t character(const uint8_t *p, size_t left) {
  size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  if (n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  // Overlong forms, surrogates, values beyond U+10FFFF.
  if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
  if (p[0] == 0xed && p[1] > 0x9f) return 0;
  if (p[0] == 0xf0 && p[1] < 0x90) return 0;
  if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
  return n;
}

void words_copy(char *to, const uint8_t *from, size_t len) {
  for (size_t at = 0; at < len;) {
    size_t n = character(from + at, len - at);
    bool space = from[at] == '\n' || from[at] == '\t' || from[at] == '\r';
    bool control = (n == 1 && (from[at] < 0x20 || from[at] == 0x7f)) || (n == 2 && from[at] == 0xc2 && from[at + 1] < 0xa0);
    if (n == 0 || control) {
      *to++ = space ? ' ' : '?';
      at += n == 0 ? 1 : n;
      continue;
    }
    for (size_t end = at + n; at < end; at++) *to++ = (char)from[at];
  }
  *to = '\0';
}

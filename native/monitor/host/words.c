// SPDX-License-Identifier: MIT
#include "words.h"

#include <stdbool.h>

#include "utf8.h"

void words_copy(char *to, const uint8_t *from, size_t len) {
  for (size_t at = 0; at < len;) {
    int length = vxn_utf8_length(from + at, len - at);
    size_t n = length < 0 ? 0 : (size_t)length;
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

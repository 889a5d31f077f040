// SPDX-License-Identifier: MIT
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

char *quote(char *buf, size_t size, const char *s) {
  size_t n = 0;
  buf[n++] = '"';
  for (; *s != '\0'; s++) {
    unsigned char c = (unsigned char)*s;
    char piece[8];
    switch (c) {
      case '"':
      case '\\':
        snprintf(piece, sizeof piece, "\\%c", c);
        break;
      case '\n':
        snprintf(piece, sizeof piece, "\\n");
        break;
      case '\t':
        snprintf(piece, sizeof piece, "\\t");
        break;
      case '\r':
        snprintf(piece, sizeof piece, "\\r");
        break;
      default:
        snprintf(piece, sizeof piece, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
    }
    size_t len = strlen(piece);
    if (n + len + 5 > size) {
      memcpy(buf + n, "...", 3);
      n += 3;
      break;
    }
    memcpy(buf + n, piece, len);
    n += len;
  }
  buf[n++] = '"';
  buf[n] = '\0';
  return buf;
}

size_t make_utf8(char *s, size_t len) {
  for (size_t i = 0; i < len;) {
    int n = vxn_utf8_length((const uint8_t *)s + i, len - i);
    if (n < 0) return i;
    if (n == 0) {
      s[i] = '?';
      n = 1;
    }
    i += (size_t)n;
  }
  return len;
}

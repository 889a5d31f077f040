// SPDX-License-Identifier: MIT
#include "utf8.h"

int vxn_utf8_length(const uint8_t *s, size_t left) {
  static const struct {
    uint8_t mask, lead;
    int length;
    uint32_t least;  // a smaller code has a shorter form, which is the only one allowed
  } forms[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if ((s[0] & forms[i].mask) != forms[i].lead) continue;
    uint32_t c = s[0] & (uint8_t)~forms[i].mask;
    for (int k = 1; k < forms[i].length; k++) {
      if ((size_t)k == left) return -1;
      if ((s[k] & 0xc0) != 0x80) return 0;
      c = c << 6 | (s[k] & 0x3f);
    }
    // 0xd800 to 0xdfff are the halves of UTF-16's pairs.
    return c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : forms[i].length;
  }
  return 0;
}

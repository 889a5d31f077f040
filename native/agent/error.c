// SPDX-License-Identifier: MIT
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(struct error *e, int code, const char *fmt, ...) {
  va_list ap;
  e->code = code;
  va_start(ap, fmt);
  vsnprintf(e->text, sizeof e->text, fmt, ap);
  va_end(ap);
  return -1;
}

const char *errno_text(int code) {
  static char text[128];
  int saved = errno;
  snprintf(text, sizeof text, "%s", strerror(code));
  // Go keeps capitals only in abbreviations ("RFS specific error").
  if (text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) text[0] = (char)(text[0] | 0x20);
  errno = saved;
  return text;
}

// SPDX-License-Identifier: MIT
// Errors. A function that can fail answers -1 (or NULL) and fills *e through fail(). On success it
// leaves *e alone.
#ifndef VXN_AGENT_ERROR_H
#define VXN_AGENT_ERROR_H

#include "protocol.h"

struct error {
  int code;  ///< errno, 0 where none fits
  char text[VXN_TEXT_MAX + 1];
};

/// Fills *e and answers -1. The text of the code is not added: name it with errno_text() where it
/// helps.
__attribute__((format(printf, 3, 4))) int fail(struct error *e, int code, const char *fmt, ...);

/// The text of an errno as runc (Go) words it: "no such file or directory". errno itself stays as
/// it is. The text is valid until the next call.
const char *errno_text(int code);

#endif

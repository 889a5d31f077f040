// SPDX-License-Identifier: MIT
// The marker protocol of meta-virtualization's guest images (docs/marker-guests.md), read from a
// console: bytes in, the program's output and exit status out. Pure, and of fixed size.
#ifndef VXN_MARKER_H
#define VXN_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKER_LINE_MAX 512u
#define MARKER_TEXT_MAX 200u
#define MARKER_CHUNK 4096u
// Bytes after an end marker are kept up to this size: another end marker shows that they were the
// program's.
#define MARKER_HELD_MAX (64u << 10)

enum marker_state {
  MARKER_BEFORE,  // the guest boots
  MARKER_OUTPUT,  // the program's output comes
  MARKER_AFTER,   // a status came; the guest shuts down, or the program writes on after all
};

struct marker {
  void (*output)(const uint8_t *data, size_t len);
  enum marker_state state;
  bool cr;       // a carriage return that may belong to a line feed
  bool done;     // the guest said that it shuts down
  bool failing;  // the guest tells why it failed
  int status;    // -1: none yet
  char line[MARKER_LINE_MAX];
  size_t line_len;
  uint8_t match[64];  // bytes that may begin an end marker
  size_t match_len;
  uint8_t held[MARKER_HELD_MAX];
  size_t held_len, marker_len;  // the end marker is the first part of what is held
  uint8_t chunk[MARKER_CHUNK];
  size_t chunk_len;
  char error[MARKER_TEXT_MAX + 1];
};

/// output gets the program's output, as it comes.
void marker_init(struct marker *m, void (*output)(const uint8_t *data, size_t len));

/// Takes bytes of the console.
void marker_feed(struct marker *m, const uint8_t *data, size_t len);

/// The console has ended: passes on the bytes that waited for more.
void marker_finish(struct marker *m);

/// The program's exit status, -1 while none came. A later status replaces it.
int marker_status(const struct marker *m);

/// True when nothing of interest can follow.
bool marker_done(const struct marker *m);

/// Why the guest's init says it failed, printable characters only; NULL when it does not.
const char *marker_error(const struct marker *m);

#endif

// SPDX-License-Identifier: MIT
// Records (docs/protocol.md) written into a payload of at most one frame.
#ifndef VXN_WRITER_H
#define VXN_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct vxn_writer {
  uint8_t *data;  ///< free() it
  size_t len, size;
  bool full;  ///< something did not fit, or there was no memory
};

/// Room for len more bytes, or NULL when full.
uint8_t *vxn_write(struct vxn_writer *w, size_t len);

void vxn_write_record(struct vxn_writer *w, uint16_t tag, const void *value, size_t len);
void vxn_write_u32(struct vxn_writer *w, uint16_t tag, uint32_t value);
/// Without its NUL.
void vxn_write_string(struct vxn_writer *w, uint16_t tag, const char *text);

/// Begins a record whose value is what is written until vxn_write_end().
size_t vxn_write_begin(struct vxn_writer *w, uint16_t tag);
void vxn_write_end(struct vxn_writer *w, size_t begun);

void vxn_writer_free(struct vxn_writer *w);

#endif

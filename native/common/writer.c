// SPDX-License-Identifier: MIT
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER 8u
#define FIRST_SIZE 2048u

uint8_t *vxn_write(struct vxn_writer *w, size_t len) {
  if (w->full || len > VXN_PAYLOAD_MAX - w->len) {
    w->full = true;
    return NULL;
  }
  if (w->len + len > w->size) {
    size_t size = w->size == 0 ? FIRST_SIZE : w->size;
    while (size < w->len + len) size *= 2;
    uint8_t *data = realloc(w->data, size);
    if (data == NULL) {
      w->full = true;
      return NULL;
    }
    w->data = data;
    w->size = size;
  }
  uint8_t *at = w->data + w->len;
  w->len += len;
  return at;
}

static void put_header(uint8_t *at, uint16_t tag, size_t len) {
  vxn_put16(at, tag);
  vxn_put16(at + 2, 0);
  vxn_put32(at + 4, (uint32_t)len);
}

void vxn_write_record(struct vxn_writer *w, uint16_t tag, const void *value, size_t len) {
  uint8_t *at = vxn_write(w, RECORD_HEADER + len);
  if (at == NULL) return;
  put_header(at, tag, len);
  if (len > 0) memcpy(at + RECORD_HEADER, value, len);
}

void vxn_write_u32(struct vxn_writer *w, uint16_t tag, uint32_t value) {
  uint8_t bytes[4];
  vxn_put32(bytes, value);
  vxn_write_record(w, tag, bytes, sizeof bytes);
}

void vxn_write_string(struct vxn_writer *w, uint16_t tag, const char *text) {
  vxn_write_record(w, tag, text, strlen(text));
}

size_t vxn_write_begin(struct vxn_writer *w, uint16_t tag) {
  size_t begun = w->len;
  uint8_t *at = vxn_write(w, RECORD_HEADER);
  if (at != NULL) put_header(at, tag, 0);
  return begun;
}

void vxn_write_end(struct vxn_writer *w, size_t begun) {
  if (!w->full) vxn_put32(w->data + begun + 4, (uint32_t)(w->len - begun - RECORD_HEADER));
}

void vxn_writer_free(struct vxn_writer *w) {
  free(w->data);
  *w = (struct vxn_writer){0};
}

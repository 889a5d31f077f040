// SPDX-License-Identifier: MIT
#include "backlog.h"

#include <stdlib.h>
#include <string.h>

#include "../host/monitor_log.h"

// Less is not worth a frame.
#define CREDIT_MIN (VXN_OUTPUT_WINDOW / 4)

static struct {
  uint8_t *data;
  size_t head, len, size;
} kept;
static uint32_t owed;  // bytes passed on and not yet credited

static bool make_room(size_t len) {
  if (kept.head + kept.len + len <= kept.size) return true;
  memmove(kept.data, kept.data + kept.head, kept.len);
  kept.head = 0;
  if (kept.len + len <= kept.size) return true;
  size_t size = kept.size == 0 ? VXN_OUTPUT_WINDOW : 2 * kept.size;
  while (size < kept.len + len) size *= 2;
  uint8_t *data = realloc(kept.data, size);
  if (data == NULL) return false;
  kept.data = data;
  kept.size = size;
  return true;
}

void backlog_write(struct output *o, const uint8_t *data, size_t len) {
  if (kept.len == 0 && len <= o->window) {
    output_write(o, data, len);
    return;
  }
  if (!make_room(len)) {
    monitor_log("out of memory: %zu bytes of output are lost", len);
    owed += (uint32_t)len;
    return;
  }
  memcpy(kept.data + kept.head + kept.len, data, len);
  kept.len += len;
}

static void pass_on(struct output *o) {
  size_t n = kept.len < o->window ? kept.len : o->window;
  if (n == 0) return;
  output_write(o, kept.data + kept.head, n);
  kept.head += n;
  kept.len -= n;
  // The reader took all at once: no event will tell that it takes more.
  if (kept.len > 0 && output_idle(o)) loop_again();
  if (kept.len > 0) return;
  free(kept.data);
  memset(&kept, 0, sizeof kept);
}

static void give_credit(const struct link *link) {
  uint8_t payload[8];
  if (owed < CREDIT_MIN) return;
  vxn_put32(payload, 1);
  vxn_put32(payload + 4, owed);
  if (link->send(VXN_H_CREDIT, 0, payload, sizeof payload)) owed = 0;
}

void backlog_turn(struct output *o, const struct link *link) {
  owed += o->owed;
  o->window += o->owed;
  o->owed = 0;
  pass_on(o);
  give_credit(link);
}

bool backlog_empty(void) { return kept.len == 0; }

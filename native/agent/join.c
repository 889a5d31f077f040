// SPDX-License-Identifier: MIT
#include "join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "send.h"

// All descriptions under way together.
#define TOTAL_MAX (16u << 20)

struct join {
  struct join *next;
  uint16_t type;
  uint32_t id;
  size_t len;
  uint8_t *data;
  bool refused;  // there was no room for it
};

static struct join *joins;
static size_t total;

static void drop(struct join **at) {
  struct join *j = *at;
  *at = j->next;
  total -= j->len;
  free(j->data);
  free(j);
}

// The rest of its frames is still to come, and is thrown away: the stream itself is in order.
static void refuse(struct join *j) {
  total -= j->len;
  free(j->data);
  j->data = NULL;
  j->len = 0;
  j->refused = true;
}

static void answer_refused(const struct join *j) {
  struct error e;
  fail(&e, ENOMEM, "too many long descriptions at once");
  send_failed(j->type == VXN_H_CONTAINER ? VXN_G_CONTAINER_FAILED : VXN_G_PROCESS_FAILED, j->id, &e);
}

static vxn_fault append(struct join *j, const uint8_t *payload, size_t len) {
  if (j->len + len > VXN_DESCRIPTION_MAX) return "description over the limit";
  if (total + len > TOTAL_MAX) refuse(j);
  if (j->refused) return NULL;
  uint8_t *data = realloc(j->data, j->len + len + 1);
  if (data == NULL) return "out of memory";
  memcpy(data + j->len, payload, len);
  j->data = data;
  j->len += len;
  total += len;
  return NULL;
}

vxn_fault join_frame(const struct vxn_header *h, const uint8_t *payload,
                     void (*done)(uint32_t id, const uint8_t *data, size_t len)) {
  struct join **at = &joins;
  while (*at != NULL && ((*at)->type != h->type || (*at)->id != h->id)) at = &(*at)->next;
  bool more = (h->flags & VXN_FLAG_MORE) != 0;
  if (*at == NULL && !more) {
    done(h->id, payload, h->length);
    return NULL;
  }
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    if (*at == NULL) return "out of memory";
    (*at)->type = h->type;
    (*at)->id = h->id;
  }
  struct join *j = *at;
  vxn_fault fault = append(j, payload, h->length);
  if (fault != NULL || more) return fault;
  if (j->refused) {
    answer_refused(j);
  } else {
    done(j->id, j->data, j->len);
  }
  drop(at);
  return NULL;
}

void join_clear(void) {
  while (joins != NULL) drop(&joins);
}

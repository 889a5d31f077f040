// SPDX-License-Identifier: MIT
#include "pool.h"

#include <stdlib.h>
#include <string.h>

struct pool_block {
  struct pool_block *next;
  max_align_t data[];
};

void *pool_alloc(struct pool *p, size_t size) {
  struct pool_block *b = calloc(1, sizeof *b + size);
  if (b == NULL) return NULL;
  b->next = p->blocks;
  p->blocks = b;
  return b->data;
}

char *pool_string(struct pool *p, const uint8_t *data, size_t len) {
  char *s = pool_alloc(p, len + 1);
  if (s != NULL && len > 0) memcpy(s, data, len);
  return s;
}

void pool_free(struct pool *p) {
  while (p->blocks != NULL) {
    struct pool_block *b = p->blocks;
    p->blocks = b->next;
    free(b);
  }
}

void *pool_push(struct pool *p, void *array, size_t *n, size_t size) {
  void **items = array;
  // Full whenever the count is a power of two.
  if ((*n & (*n - 1)) == 0) {
    void *more = pool_alloc(p, (*n == 0 ? 1 : 2 * *n) * size);
    if (more == NULL) return NULL;
    if (*n > 0) memcpy(more, *items, *n * size);
    *items = more;
  }
  return (char *)*items + size * (*n)++;
}

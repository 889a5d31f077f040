// SPDX-License-Identifier: MIT
// Memory that is given back all at once.
#ifndef VXN_AGENT_POOL_H
#define VXN_AGENT_POOL_H

#include <stddef.h>
#include <stdint.h>

/// Begins zeroed.
struct pool {
  struct pool_block *blocks;
};

/// Zeroed memory that pool_free() gives back; NULL without memory.
void *pool_alloc(struct pool *p, size_t size);

/// A copy of len bytes with a NUL behind them; NULL without memory.
char *pool_string(struct pool *p, const uint8_t *data, size_t len);

/// Makes room for one more item of `size` bytes in an array of *n (array: the address of the
/// pointer to the first item). Returns the item, zeroed; NULL without memory.
void *pool_push(struct pool *p, void *array, size_t *n, size_t size);

/// Gives everything back. The pool can be used again.
void pool_free(struct pool *p);

#endif

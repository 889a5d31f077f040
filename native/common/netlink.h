// SPDX-License-Identifier: MIT
// Netlink sockets: requests put together in a fixed buffer, answers parsed with every length
// checked.
#ifndef VXN_NETLINK_H
#define VXN_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NL_MESSAGE_MAX 8192u
#define NL_TEXT 160

struct nl {
  int fd;
  uint32_t seq;
  char text[NL_TEXT];  ///< what the kernel said about the last request that failed; often empty
};

/// A request. What does not fit is noticed by nl_request().
struct nl_message {
  size_t len;
  bool full;
  _Alignas(8) uint8_t data[NL_MESSAGE_MAX];
};

/// An attribute's value; data is NULL where there is none.
struct nl_value {
  const uint8_t *data;
  size_t len;
};

/// Opens an rtnetlink socket of the current network namespace, subscribed to groups (RTMGRP_*). 0,
/// or -1 with errno.
int nl_open(struct nl *n, uint32_t groups);
void nl_close(struct nl *n);

/// Begins a request with its fixed part.
void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *body, size_t len);
void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len);
void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t value);
/// Bytes without an attribute's header.
void nl_put_body(struct nl_message *m, const void *data, size_t len);
/// With its NUL.
void nl_put_string(struct nl_message *m, uint16_t type, const char *text);
/// Begins an attribute of this type; everything put until nl_nest_end() goes into it.
size_t nl_nest(struct nl_message *m, uint16_t type);
void nl_nest_end(struct nl_message *m, size_t nest);

/// Called for each message of an answer; body and len are what follows the header. An answer other
/// than 0 is handed on by nl_request() after the rest has been read.
typedef int (*nl_fn)(void *ctx, uint16_t type, const uint8_t *body, size_t len);

/// Sends the request and reads its whole answer. 0, or -errno: the kernel's or, without an answer
/// in ten seconds, -ETIMEDOUT. A dump that the kernel found to be inconsistent gives -EINTR: ask
/// again, from the beginning.
int nl_request(struct nl *n, struct nl_message *m, nl_fn fn, void *ctx);

/// A dump of this type, asked for again while the kernel finds it to be inconsistent; start (NULL:
/// nothing) undoes what fn has collected before. As nl_request(), -EINTR when it never was
/// consistent.
int nl_dump(struct nl *n, uint16_t type, const void *body, size_t len, nl_fn fn, void (*start)(void *ctx), void *ctx);

/// Reads what the groups have to tell without waiting. 1: fn was called, 0: nothing there,
/// -ENOBUFS: something was lost.
int nl_events(struct nl *n, nl_fn fn, void *ctx);

/// The last attribute of each type below n, of those that are whole. 0, or -1 when the last one is
/// cut.
int nl_parse(const uint8_t *data, size_t len, struct nl_value *values, size_t n);

/// Takes the next attribute off *data. 1: *type and *value are filled, 0: none left, -1: it is cut.
int nl_next(const uint8_t **data, size_t *len, uint16_t *type, struct nl_value *value);

/// Where the next thing begins after n bytes.
static inline size_t nl_align(size_t n) { return (n + 3) & ~(size_t)3; }

/// A number of four bytes, or otherwise what to take instead.
uint32_t nl_u32(struct nl_value v, uint32_t otherwise);

/// True when the value is a string that ends in NUL and fits; then it is copied.
bool nl_string(struct nl_value v, char *out, size_t size);

#endif

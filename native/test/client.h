// SPDX-License-Identifier: MIT
// The host's side of the guest channel, for tests: starts an agent in namespaces of its own and talks to it.
#ifndef VXN_TEST_CLIENT_H
#define VXN_TEST_CLIENT_H

#include <sys/types.h>

#include "harness.h"
#include "protocol.h"

#define PROCS 64
#define CONTAINER 1u

/// Everything that has come of one process, and of the container with the same id.
struct proc {
  uint8_t *out[2];
  size_t len[2];
  bool eof[2], started, failed, exited, ok;
  uint32_t code, signal, error, pid;
  uint64_t credit;  ///< of stdin
  uint16_t failure;  ///< the type of the frame that told of it
  char text[VXN_TEXT_MAX + 1];
  unsigned order;  ///< when it ended, counted over all
};

#define QUESTIONS 16
/// A name that the guest asks for.
struct question {
  uint32_t id;
  uint8_t transport, resolver, message[512];
  size_t len;
};

struct client {
  int fd;
  pid_t agent;
  bool closed, keep_credit;  ///< keep_credit: output is not credited back
  struct vxn_parser parser;
  struct proc procs[PROCS];
  bool hello;
  size_t pongs, stats_len;
  uint8_t pong[64], stats[256];
  char log[4096];
  struct question questions[QUESTIONS];
  size_t n_questions;
  unsigned ended;
};

/// Records being put together.
struct payload {
  size_t len, size;
  uint8_t *data;
};

void put(struct payload *p, uint16_t tag, const void *value, size_t len);
void put_str(struct payload *p, uint16_t tag, const char *value);
void put_u32(struct payload *p, uint16_t tag, uint32_t value);
void put_u64(struct payload *p, uint16_t tag, uint64_t value);
void put_mount(struct payload *p, const char *type, const char *dest, uint64_t flags, const char *data);
void put_bind(struct payload *p, const char *bind, const char *dest, uint64_t flags);
/// proc, /dev, devpts, mqueue, sysfs and cgroup as engines ask for them.
void put_default_mounts(struct payload *p);

/// A new root directory with busybox. Lives until clean_up().
const char *new_root(void);
void clean_up(void);

struct client *client_start(void);
/// The same by a socket of that name, at which the agent listens.
struct client *client_start_at(const char *socket_name);
/// POWEROFF; fails the test when the agent does not end well.
void client_end(struct client *c);
/// Waits for an agent that ends by itself.
void expect_end(struct client *c, int status);
/// Closes the channel as a host that dies does, and waits for the agent to end well.
void shutdown_client(struct client *c);
/// Takes back what a failed test has left.
void client_abandon(void);

void client_send(struct client *c, uint16_t type, uint32_t id, const void *payload, size_t len);
/// Sends a description in frames of at most `part` bytes and frees it.
void client_describe(struct client *c, uint16_t type, uint32_t id, struct payload *p, size_t part);
/// Sends one part of a description.
void client_part(struct client *c, uint16_t type, uint32_t id, const void *data, size_t len, bool more);
void client_u32s(struct client *c, uint16_t type, uint32_t id, uint32_t a, uint32_t b);

/// Reads until the expression over c holds, or fails the test after twenty seconds.
#define UNTIL(c, cond)                                                    \
  do {                                                                    \
    for (uint64_t end_ = client_now() + 20000; !(cond);)                  \
      if (!client_read(c, end_)) FAIL("in vain: %s; log: %s", #cond, (c)->log); \
  } while (0)
uint64_t client_now(void);
bool client_read(struct client *c, uint64_t deadline);

/// Output so far as a string.
const char *output(struct client *c, uint32_t id, int stream);

#endif

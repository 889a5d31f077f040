// SPDX-License-Identifier: MIT
#include "container.h"

#include <string.h>

const char *put_root(struct payload *p) {
  static char disk[300];
  const char *root = new_root();
  snprintf(disk, sizeof disk, "dir:%s", root);
  put_str(p, VXN_T_ROOT_DISK, disk);
  return root;
}

void container(struct client *c, struct payload *p) {
  client_describe(c, VXN_H_CONTAINER, CONTAINER, p, WHOLE);
  UNTIL(c, c->procs[CONTAINER].ok || c->procs[CONTAINER].failed);
  if (c->procs[CONTAINER].failed) FAIL("container: %s", c->procs[CONTAINER].text);
}

// A container with the usual mounts.
struct client *plain(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_default_mounts(&p);
  put_str(&p, VXN_T_HOSTNAME, "box");
  container(c, &p);
  return c;
}

void put_caps(struct payload *p, uint64_t bounding, uint64_t effective, uint64_t inheritable, uint64_t permitted,
                     uint64_t ambient) {
  uint64_t sets[5] = {bounding, effective, inheritable, permitted, ambient};
  uint8_t b[40];
  for (int i = 0; i < 5; i++) vxn_put64(b + 8 * i, sets[i]);
  put(p, VXN_T_CAPS, b, sizeof b);
}

void put_terminal(struct payload *p, uint16_t rows, uint16_t cols) {
  uint8_t b[4];
  vxn_put16(b, rows);
  vxn_put16(b + 2, cols);
  put(p, VXN_T_TERMINAL, b, sizeof b);
}

// The start of a PROCESS: id 2 is the container's first.
struct payload process(uint32_t id) {
  struct payload p = {0};
  put_u32(&p, VXN_T_CONTAINER_ID, CONTAINER);
  if (id == 2) put(&p, VXN_T_INIT, NULL, 0);
  return p;
}

void put_args(struct payload *p, const char *const *args) {
  for (; *args != NULL; args++) put_str(p, VXN_T_ARG, *args);
}

void launch(struct client *c, uint32_t id, struct payload *p) {
  client_describe(c, VXN_H_PROCESS, id, p, WHOLE);
  UNTIL(c, c->procs[id].started || c->procs[id].failed);
}

void expect_started(struct client *c, uint32_t id) {
  if (!c->procs[id].started) FAIL("process %u: %s", id, c->procs[id].text);
}

void put_usual(struct payload *p) {
  put_str(p, VXN_T_ENV, "PATH=/bin");
  put_caps(p, ALL_CAPS, ALL_CAPS, 0, ALL_CAPS, 0);
}

void start_shell(struct client *c, uint32_t id, const char *script) {
  struct payload p = process(id);
  ARGS(&p, "sh", "-c", script);
  put_usual(&p);
  launch(c, id, &p);
  expect_started(c, id);
}

void finish(struct client *c, uint32_t id, uint32_t code) {
  expect_started(c, id);
  UNTIL(c, c->procs[id].exited);
  if (c->procs[id].code != code || c->procs[id].signal != 0)
    FAIL("process %u ended with %u, signal %u: %s", id, c->procs[id].code, c->procs[id].signal, output(c, id, 1));
}

void end_input(struct client *c, uint32_t id) { client_send(c, VXN_H_STDIN_EOF, id, NULL, 0); }

// Runs a script as the only process of a usual container and checks what it prints.
void prints(const char *script, const char *want) {
  struct client *c = plain();
  start_shell(c, 2, script);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), want);
  client_end(c);
}

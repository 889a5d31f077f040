// SPDX-License-Identifier: MIT
// Containers and processes of an agent under test, in a line each. The first process has the id 2.
#ifndef VXN_TEST_CONTAINER_H
#define VXN_TEST_CONTAINER_H

#include "client.h"

#define ALL_CAPS ((UINT64_C(1) << 41) - 1)
#define WHOLE VXN_PAYLOAD_MAX

const char *put_root(struct payload *p);
void container(struct client *c, struct payload *p);
struct client *plain(void);
void put_caps(struct payload *p, uint64_t bounding, uint64_t effective, uint64_t inheritable, uint64_t permitted, uint64_t ambient);
void put_terminal(struct payload *p, uint16_t rows, uint16_t cols);
struct payload process(uint32_t id);
void put_args(struct payload *p, const char *const *args);
void launch(struct client *c, uint32_t id, struct payload *p);
void expect_started(struct client *c, uint32_t id);
void put_usual(struct payload *p);
void start_shell(struct client *c, uint32_t id, const char *script);
void finish(struct client *c, uint32_t id, uint32_t code);
void end_input(struct client *c, uint32_t id);
void prints(const char *script, const char *want);
#define ARGS(p, ...) put_args(p, (const char *const[]){__VA_ARGS__, NULL})

#endif

// SPDX-License-Identifier: MIT
// Name servers of the host's namespace that have a loopback address: questions to that address and
// port 53 are taken here and asked over the channel. Message by message, also those of a TCP
// connection.
#ifndef VXN_AGENT_DNS_H
#define VXN_AGENT_DNS_H

#include "error.h"

/// Takes questions to port 53 of a loopback address (4 or 16 bytes) from now on. 0, or -1 with *e.
int dns_listen(const uint8_t *address, size_t len, struct error *e);

/// The host's answer to question id; empty when there will be none.
void dns_answer(uint32_t id, const uint8_t *message, size_t len);

/// Frees the connections that have been closed, when no event of theirs is under way.
void dns_collect(void);

#endif

// SPDX-License-Identifier: MIT
// The agent's words about itself: HELLO, and LOG.
#ifndef VXN_HELLO_H
#define VXN_HELLO_H

#include "../../common/protocol.h"

/// Answers the agent's HELLO and stamps the boot's phases. NULL, or a sentence for the operator: the
/// agent speaks another version of the protocol.
const char *hello_from_guest(const uint8_t *payload);

/// Keeps a line of the agent in monitor.log, as long as it does not say too much.
void hello_log(const uint8_t *payload, uint32_t length);

#endif

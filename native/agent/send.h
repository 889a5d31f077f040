// SPDX-License-Identifier: MIT
// Frames on their way to the host: a queue that grows as it must, and is emptied as the transport
// takes it.
#ifndef VXN_AGENT_SEND_H
#define VXN_AGENT_SEND_H

#include "error.h"
#include "transport.h"

/// False when so much is queued that nothing more may be read from processes or taken from the
/// host. Answers to frames that were taken already, and ends of processes, are queued all the same;
/// so the queue stays bounded.
bool send_has_room(void);

/// Where the payload of the next frame may be put, at most `payload` bytes. NULL without memory:
/// then the agent ends.
uint8_t *send_reserve(size_t payload);
/// Queues the frame whose payload was put there; its length may be less than was reserved.
void send_commit(uint16_t type, uint32_t id, size_t payload);

/// Queues a frame.
void send_frame(uint16_t type, uint32_t id, const void *payload, size_t len);
/// Queues a frame of two numbers.
void send_u32_u32(uint16_t type, uint32_t id, uint32_t a, uint32_t b);

/// HELLO; began_ns is when the agent began.
void send_hello(uint64_t began_ns);
/// CONTAINER_FAILED or PROCESS_FAILED.
void send_failed(uint16_t type, uint32_t id, const struct error *e);
/// LOG, unless the host reads nothing: its silence must not make the agent's memory grow.
void send_log(const char *text);

/// Writes what the transport takes now. 1: something was written, 0: nothing, -1 with errno: the
/// peer is gone.
int send_flush(struct vxn_transport *t);

/// The host cannot be served any more: says why in the log, once, and ends the loop.
void send_lost(const char *why);

/// Drops what is queued.
void send_clear(void);

#endif

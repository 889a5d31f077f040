// SPDX-License-Identifier: MIT
// Processes of containers, from the host's request to the end. The first process of a container
// ends it.
#ifndef VXN_AGENT_PROCESS_H
#define VXN_AGENT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct process;

/// To be called once before the first process. 0, or -1 with errno.
int processes_open(void);

/// PROCESS
void process_create(uint32_t id, const uint8_t *payload, size_t len);
/// The process of that number that has neither failed nor ended, or NULL.
struct process *process_find(uint32_t id);
/// STDIN. Its fault: more than the credit.
vxn_fault process_input(struct process *p, const uint8_t *data, size_t len);
/// STDIN_EOF
void process_input_eof(struct process *p);
/// CREDIT for stdout (1) or stderr (2).
vxn_fault process_credit(struct process *p, uint32_t stream, uint32_t bytes);
/// SIGNAL for the process, or for all of its container.
void process_signal(struct process *p, int signal, bool all);
/// RESIZE
void process_resize(struct process *p, uint16_t rows, uint16_t cols);

/// Moves output of processes, and tells of their ends. True when something happened.
bool processes_pump(void);
/// Frees the processes that are gone, when no event of theirs is under way.
void processes_collect(void);
/// At the end of everything: kills all, and waits a few seconds at most. A process that hangs in
/// the kernel must not keep the guest from powering off.
void processes_kill(void);

#endif

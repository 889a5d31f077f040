// SPDX-License-Identifier: MIT
// RLIMIT_NOFILE: the agent's own, and the one that processes get unless they say otherwise.
#ifndef VXN_AGENT_LIMITS_H
#define VXN_AGENT_LIMITS_H

/// In a guest: raises the agent's own limit; processes get 1024:524288.
void limits_raise(void);

/// In a test on a host: the agent keeps its limit, and processes get the same. 0, or -1 with errno.
int limits_keep(void);

/// In the child of a process: sets its limit.
void limits_for_process(void);

#endif

// SPDX-License-Identifier: MIT
// Signals of a process that is about to become another program.
#ifndef VXN_AGENT_SIGNALS_H
#define VXN_AGENT_SIGNALS_H

/// As after a boot: every signal has its default, none is blocked.
void reset_signals(void);

#endif

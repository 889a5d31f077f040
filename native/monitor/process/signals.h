// SPDX-License-Identifier: MIT
// The signals that a holder takes for the program that it stands for.
#ifndef VXN_SIGNALS_H
#define VXN_SIGNALS_H

#include <stdbool.h>

/// From now on the loop calls arrived() for each signal that can be handed on. by_kernel: no
/// process sent it, such as the hang-up of a terminal. 0, or -1 with errno.
int signals_take(void (*arrived)(int signo, bool by_kernel));

#endif

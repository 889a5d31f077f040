// SPDX-License-Identifier: MIT
#include "signals.h"

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// By system call, since glibc keeps two signals to itself, and a parent may have had those ignored,
// too.
void reset_signals(void) {
  static const uint64_t zeros[8];  // SIG_DFL, no flags; or an empty set
  for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, zeros, NULL, NSIG / 8);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL, NSIG / 8);
}

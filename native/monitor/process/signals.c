// SPDX-License-Identifier: MIT
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../host/loop.h"

static struct source src = {.fd = -1};
static void (*on_signal)(int signo, bool by_kernel);

static void readable(struct source *s, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info;
  while (read(s->fd, &info, sizeof info) == sizeof info) on_signal((int)info.ssi_signo, info.ssi_code == SI_KERNEL);
}

int signals_take(void (*arrived)(int signo, bool by_kernel)) {
  static const int not_forwarded[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGILL,  SIGBUS,  SIGFPE,
                                      SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGTSTP, SIGTRAP};
  sigset_t set;
  on_signal = arrived;
  sigfillset(&set);
  for (size_t i = 0; i < sizeof not_forwarded / sizeof *not_forwarded; i++) sigdelset(&set, not_forwarded[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  signal(SIGTSTP, SIG_IGN);
  src = (struct source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = EPOLLIN, .ready = readable};
  return src.fd < 0 ? -1 : loop_add(&src);
}

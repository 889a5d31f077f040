// SPDX-License-Identifier: MIT
// vxn-monitor: the process that an engine waits for. It stands for one container's first process: it holds its stdio, takes
// its signals, and exits with its status. The process that was started ends at once, its child is the monitor. fd 3 gets
// one line, "ok DOMID PID" or the reason of a failure.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgroup.h"
#include "loop.h"
#include "options.h"
#include "prepare.h"
#include "record.h"
#include "session.h"

#define READY_FD 3

static const struct session *session;

static void say(const char *text) {
  if (write(READY_FD, text, strlen(text)) < 0) return;
}

static void fail(const char *text) {
  say(text);
  if (errno != 0) say(": "), say(strerror(errno));
  say("\n");
  exit(1);
}

static void join_cgroups(const struct options *o) {
  for (size_t i = 0; i < o->n_cgroups; i++) {
    if (cgroup_join(o->cgroups[i]) == 0) continue;
    char text[512];
    int saved = errno;
    snprintf(text, sizeof text, "cannot join the cgroup %s", o->cgroups[i]);
    errno = saved;
    fail(text);
  }
}

static void enter_netns(const char *netns) {
  if (strcmp(netns, "new") == 0) {
    if (unshare(CLONE_NEWNET) < 0) fail("cannot make a network namespace");
    return;
  }
  int fd = open(netns, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("cannot open the network namespace");
  if (setns(fd, CLONE_NEWNET) < 0) fail("cannot enter the network namespace");
  close(fd);
}

static void set_oom_score_adj(const char *value) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, value, strlen(value)) < 0) { /* lowering it may be forbidden; then it stays */
  }
  close(fd);
}

static void signal_arrived(struct source *s, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info;
  while (read(s->fd, &info, sizeof info) == sizeof info) session->signal((int)info.ssi_signo);
}

static void take_signals(void) {
  static struct source src;
  static const int not_forwarded[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGILL,  SIGBUS,  SIGFPE,
                                      SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGTSTP, SIGTRAP};
  sigset_t set;
  sigfillset(&set);
  for (size_t i = 0; i < sizeof not_forwarded / sizeof *not_forwarded; i++) sigdelset(&set, not_forwarded[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  signal(SIGTSTP, SIG_IGN);
  src = (struct source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = EPOLLIN, .ready = signal_arrived};
  if (src.fd < 0 || loop_add(&src) < 0) fail("cannot take signals");
}

// Its parent ends, so that whoever started it need not wait for more than the line at fd 3.
static void detach(void) {
  pid_t pid = fork();
  if (pid < 0) fail("cannot fork");
  if (pid > 0) _exit(0);
  setsid();
}

// In the namespaces and with the signals of the caller, as xl and its hotplug programs expect.
static void make_domain(const struct options *o) {
  char path[160];
  const char *failure;
  snprintf(path, sizeof path, "%s/timeline", o->run_dir);
  timeline_open(path);
  if (o->prepare == NULL || prepare(o->prepare, &failure)) return;
  errno = 0;
  fail(failure);
}

int main(int argc, char **argv) {
  struct options o;
  const char *error = NULL;
  options_parse(&o, argc, argv);
  session = strcmp(o.guest, "marker") == 0 ? &marker_session : &agent_session;
  fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_NAME, "vxn-monitor");
  detach();
  make_domain(&o);
  take_signals();
  join_cgroups(&o);
  if (o.netns != NULL) enter_netns(o.netns);
  if (o.oom_score_adj != NULL) set_oom_score_adj(o.oom_score_adj);
  errno = 0;
  if (session->open(&o, &error) < 0) fail(error);
  int64_t domid;
  if ((domid = domain_open(o.uuid, &session->events, &error)) < 0) fail(error);
  session->domain((uint32_t)domid);
  char ready[48];
  snprintf(ready, sizeof ready, "ok %" PRId64 " %d\n", domid, (int)getpid());
  say(ready);
  close(READY_FD);
  if (domain_socket() != NULL) session->events.served(domain_socket());
  loop_run(session->turn);
  return session->status();
}

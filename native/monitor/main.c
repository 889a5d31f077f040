// SPDX-License-Identifier: MIT
// vxn-monitor: the process that an engine waits for. It stands for one container's first process: it holds its stdio, takes
// its signals, and exits with its status. The process that was started ends at once, its child is the monitor. fd 3 gets
// one line, "ok DOMID PID" or the reason of a failure. `vxn-monitor exec` stands for a further process: attach.c.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/version.h"
#include "attach.h"
#include "cgroup.h"
#include "lifeline.h"
#include "loop.h"
#include "network.h"
#include "oom.h"
#include "options.h"
#include "prepare.h"
#include "ready.h"
#include "record.h"
#include "session.h"
#include "signals.h"
#include "terminal.h"

// One for each exec, and our own.
#define DESCRIPTORS 4096

static const struct session *session;

static void join_cgroups(const struct options *o) {
  for (size_t i = 0; i < o->n_cgroups; i++) {
    if (cgroup_join(o->cgroups[i]) == 0) continue;
    char text[512];
    int saved = errno;
    snprintf(text, sizeof text, "cannot join the cgroup %s", o->cgroups[i]);
    errno = saved;
    ready_fail(text);
  }
}

static void enter_netns(const char *netns) {
  if (strcmp(netns, "new") == 0) {
    if (unshare(CLONE_NEWNET) < 0) ready_fail("cannot make a network namespace");
    return;
  }
  int fd = open(netns, O_RDONLY | O_CLOEXEC);
  if (fd < 0) ready_fail("cannot open the network namespace");
  if (setns(fd, CLONE_NEWNET) < 0) ready_fail("cannot enter the network namespace");
  close(fd);
}

static void allow_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS) return;
  limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void end_with(pid_t caller) {
  int fd = (int)syscall(SYS_pidfd_open, caller, 0);
  if (fd < 0 || lifeline_watch(fd, session->kill) < 0) ready_fail("cannot watch the caller");
}

// Its parent ends, so that whoever started it need not wait for more than the line at fd 3.
static void detach(void) {
  pid_t pid = fork();
  if (pid < 0) ready_fail("cannot fork");
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
  ready_fail(failure);
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-monitor version " VXN_VERSION);
  struct options o;
  const char *error = NULL;
  if (argc > 1 && strcmp(argv[1], "exec") == 0) return attach_main(argc - 1, argv + 1);
  options_parse(&o, argc, argv);
  session = strcmp(o.guest, "marker") == 0 ? &marker_session : &agent_session;
  fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
  close_range(READY_FD + 1, ~0U, 0);
  prctl(PR_SET_NAME, "vxn-monitor");
  detach();
  make_domain(&o);
  allow_descriptors();
  if (signals_take(session->signal) < 0) ready_fail("cannot take signals");
  join_cgroups(&o);
  network_prepare();
  if (o.netns != NULL) enter_netns(o.netns);
  if (o.oom_score_adj != NULL) oom_score_adj(o.oom_score_adj);
  if (o.caller > 0) end_with(o.caller);
  errno = 0;
  if (session->open(&o, &error) < 0) ready_fail(error);
  int64_t domid;
  if ((domid = domain_open(o.uuid, &session->events, &error)) < 0) ready_fail(error);
  session->domain((uint32_t)domid);
  char ready[48];
  snprintf(ready, sizeof ready, "ok %" PRId64 " %d", domid, (int)getpid());
  ready_say(ready);
  close(READY_FD);
  if (domain_socket() != NULL) session->events.served(domain_socket());
  loop_run(session->turn);
  int status = session->status();
  terminal_end();
  return status;
}

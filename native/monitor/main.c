// SPDX-License-Identifier: MIT
// vxn-monitor: the process that owns a domain, together with the holder of the container's first
// process, for which an engine waits. The process that was started ends at once; its child goes on.
// fd 3 gets one line, "ok DOMID PID" or the reason of a failure. `vxn-monitor exec` is the holder
// of a further process, process/exec.h.
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
#include "domain/kind.h"
#include "domain/network.h"
#include "domain/prepare.h"
#include "host/cgroup.h"
#include "host/loop.h"
#include "host/oom.h"
#include "host/ready.h"
#include "host/timeline.h"
#include "options.h"
#include "process/exec.h"
#include "process/first.h"
#include "process/lifeline.h"
#include "process/signals.h"

// One for each exec, and our own.
#define DESCRIPTORS 4096

static const struct kind *kind;

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
  if (fd < 0 || lifeline_watch(fd, first_kill) < 0) ready_fail("cannot watch the caller");
}

// The parent ends, so that its caller need not wait for more than the line at fd 3.
static void detach(void) {
  pid_t pid = fork();
  if (pid < 0) ready_fail("cannot fork");
  if (pid > 0) _exit(0);
  setsid();
}

// In the namespaces and with the signals of the caller, as xl and its hotplug programs expect.
static void make_domain(const struct options *o) {
  const char *failure;
  timeline_open(o->process.run_dir);
  if (o->domain.prepare == NULL || prepare(o->domain.prepare, &failure)) return;
  errno = 0;
  ready_fail(failure);
}

static void enter_place(const struct options *o) {
  allow_descriptors();
  if (signals_take(first_signal) < 0) ready_fail("cannot take signals");
  join_cgroups(o);
  network_prepare();
  if (o->domain.netns != NULL) enter_netns(o->domain.netns);
  if (o->oom_score_adj != NULL) oom_score_adj(o->oom_score_adj);
  if (o->caller > 0) end_with(o->caller);
}

static void open_all(const struct options *o) {
  const char *error = NULL;
  errno = 0;
  if (kind->open(&o->domain, &error) < 0 || first_open(&o->process, &error) < 0) ready_fail(error);
  int64_t domid = domain_open(o->domain.uuid, &kind->events, &error);
  if (domid < 0) ready_fail(error);
  kind->domain((uint32_t)domid);
  char ready[48];
  snprintf(ready, sizeof ready, "ok %" PRId64 " %d", domid, (int)getpid());
  ready_say(ready);
  close(READY_FD);
}

static void turn(void) {
  kind->receive();
  first_turn();
  kind->flush();
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-monitor version " VXN_VERSION);
  struct options o;
  if (argc > 1 && strcmp(argv[1], "exec") == 0) return exec_main(argc - 1, argv + 1);
  options_parse(&o, argc, argv);
  kind = o.marker ? &marker_kind : &agent_kind;
  o.process.described = kind->described;
  fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
  close_range(READY_FD + 1, ~0U, 0);
  prctl(PR_SET_NAME, "vxn-monitor");
  detach();
  make_domain(&o);
  enter_place(&o);
  open_all(&o);
  loop_run(turn);
  int status = first_close();
  kind->close();
  return status;
}

// SPDX-License-Identifier: MIT
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>

#include "cleanup.h"
#include "file.h"
#include "hooks.h"
#include "identity.h"
#include "program.h"
#include "report.h"
#include "rootfs.h"
#include "seccomp.h"
#include "signals.h"

// ---- File descriptors

// Closes all but the standard streams and those kept, so that this child holds no other process's
// pipe open.
static void close_others(const int *keep, size_t n) {
  unsigned from = 3;
  for (;;) {
    unsigned next = UINT_MAX;
    for (size_t i = 0; i < n; i++)
      if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next) next = (unsigned)keep[i];
    if (next > from) close_range(from, next - 1, 0);
    if (next == UINT_MAX) return;
    from = next + 1;
  }
}

// Programs of another user open /dev/stdout anew, so the streams are theirs.
static int take_stdio(const int fds[3], uint32_t uid, struct error *e) {
  for (int i = 0; i < 3; i++) {
    if (dup2(fds[i], i) < 0) return fail(e, errno, "dup2: %s", errno_text(errno));
    if (fchown(i, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS)
      return fail(e, errno, "chown of stdio: %s", errno_text(errno));
  }
  return 0;
}

static int use_terminal(const struct child_plan *plan, struct terminal *t, struct error *e) {
  struct winsize size = {.ws_row = plan->rows, .ws_col = plan->cols};
  ioctl(t->master, TIOCSWINSZ, &size);
  report_send(plan->report_fd, &(struct report){.kind = REPORT_TERMINAL}, t->master);
  close(t->master);
  if (ioctl(t->slave, TIOCSCTTY, 0) < 0) return fail(e, errno, "controlling terminal: %s", errno_text(errno));
  return take_stdio((int[3]){t->slave, t->slave, t->slave}, plan->process->uid, e);
}

// ---- Namespaces

static int enter_new(const struct child_plan *plan, struct terminal *t, struct error *e) {
  const struct container_desc *d = plan->container;
  // Not at clone: the namespace's root is the cgroup of whoever makes it.
  if (unshare(CLONE_NEWCGROUP) < 0) return fail(e, errno, "cgroup namespace: %s", errno_text(errno));
  if (d->hostname != NULL && sethostname(d->hostname, strlen(d->hostname)) < 0)
    return fail(e, errno, "sethostname: %s", errno_text(errno));
  if (d->domainname != NULL && setdomainname(d->domainname, strlen(d->domainname)) < 0)
    return fail(e, errno, "setdomainname: %s", errno_text(errno));
  return rootfs_enter(plan->dir, d, plan->process, t, e);
}

static int enter_existing(const struct child_plan *plan, struct terminal *t, struct error *e) {
  // ESRCH: the container's first process has ended meanwhile.
  if (setns(plan->join_fd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0)
    return fail(e, errno, "cannot exec in a stopped container: %s", errno_text(errno));
  if (!plan->process->terminal) return 0;
  autoclose int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return terminal_open(root, t, e);
}

// ---- The whole

static int set_oom_score(const struct process_desc *p, struct error *e) {
  char text[16];
  snprintf(text, sizeof text, "%d", p->has_oom_score_adj ? p->oom_score_adj : 0);
  if (write_file("/proc/self/oom_score_adj", text) == 0) return 0;
  return fail(e, errno, "oom_score_adj: %s", errno_text(errno));
}

// Answers only when something failed.
static int run(const struct child_plan *plan, struct error *e) {
  const struct process_desc *p = plan->process;
  struct terminal t = {-1, -1};
  char path[PATH_MAX], **env;
  setsid();
  // Processes of the container must not trace this one while it still holds the agent's
  // descriptors.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  close_others((int[5]){plan->stdio[0], plan->stdio[1], plan->stdio[2], plan->report_fd, plan->join_fd}, 5);
  if (set_oom_score(p, e) < 0) return -1;
  if ((plan->join_fd < 0 ? enter_new(plan, &t, e) : enter_existing(plan, &t, e)) < 0) return -1;
  if ((p->terminal ? use_terminal(plan, &t, e) : take_stdio(plan->stdio, p->uid, e)) < 0) return -1;
  if (program_environment(p, &env, e) < 0 || identity_take(p, e) < 0 || program_find(p, path, e) < 0) return -1;
  if (hooks_run(p, HOOK_START_CONTAINER, -1, e) < 0) return -1;
  close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  report_send(plan->report_fd, &(struct report){.kind = REPORT_READY}, -1);
  reset_signals();
  if (seccomp_apply(p, e) < 0) return -1;
  execve(path, p->argv, env);
  int code = errno;
  return fail(e, code, "exec %.512s: %s", path, errno_text(code));
}

void child_main(const struct child_plan *plan) {
  static struct report r = {.kind = REPORT_ERROR};
  run(plan, &r.error);
  report_send(plan->report_fd, &r, -1);
  _exit(127);
}

// SPDX-License-Identifier: MIT
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

#define PIPE_SIZE 262144
// Indices of the descriptors of one process: stdin, stdout, stderr, reports.
enum { REPORTS = 3, ENDS = 4 };

static int pidns_fd = -1;  // our own PID namespace

int spawn_prepare(void) {
  pidns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  return pidns_fd < 0 ? -1 : 0;
}

// clone(2) in fork's manner. A process that joins is born into the container's PID namespace:
// entering one takes effect for children only, so the agent enters and leaves it again around the
// clone, and no process in between is needed.
static pid_t clone_child(int join_fd, int cgroup_fd) {
  struct clone_args args = {.exit_signal = SIGCHLD};
  if (join_fd < 0) args.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
  if (cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (unsigned)cgroup_fd;
  }
  if (join_fd >= 0 && setns(join_fd, CLONE_NEWPID) < 0) return -1;
  pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  int saved = errno;
  if (pid != 0 && join_fd >= 0 && setns(pidns_fd, CLONE_NEWPID) < 0)
    agent_log("leaving a container's PID namespace: %s", errno_text(errno));
  errno = saved;
  return pid;
}

static void close_all(int *fds, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (fds[i] >= 0) close(fds[i]);
}

// [0] is our end, [1] the child's.
static int make_pipes(bool terminal, int fds[ENDS][2]) {
  for (int i = 0; i < 3 && !terminal; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    fds[i][0] = ends[i == 0 ? 1 : 0];
    fds[i][1] = ends[i == 0 ? 0 : 1];
    if (i > 0) fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
  }
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds[REPORTS]);
}

int spawn(struct spawned *s, struct child_plan *plan, int cgroup_fd, struct error *e) {
  int fds[ENDS][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
  if (make_pipes(plan->process->terminal, fds) < 0) {
    fail(e, errno, "making pipes: %s", errno_text(errno));
    close_all(&fds[0][0], 2 * ENDS);
    return -1;
  }
  for (int i = 0; i < 3; i++) plan->stdio[i] = fds[i][1];
  plan->report_fd = fds[REPORTS][1];
  pid_t pid = clone_child(plan->join_fd, cgroup_fd);
  if (pid == 0) child_main(plan);
  if (pid < 0) {
    // ENOMEM and ESRCH: the PID namespace or its first process has just ended.
    fail(e, errno, plan->join_fd < 0 ? "clone: %s" : "cannot exec in a stopped container: %s", errno_text(errno));
    close_all(&fds[0][0], 2 * ENDS);
    return -1;
  }
  for (int i = 0; i < ENDS; i++)
    if (fds[i][1] >= 0) close(fds[i][1]);
  *s = (struct spawned){pid, {fds[0][0], fds[1][0], fds[2][0]}, fds[REPORTS][0]};
  return 0;
}

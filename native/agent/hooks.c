// SPDX-License-Identifier: MIT
#include "hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "clock.h"
#include "signals.h"

#define TAIL 400

struct run {
  pid_t pid;
  int pidfd, in, out;
  const char *input;
  size_t left;
  bool late;
  uint64_t deadline_ns;  ///< 0: none
  size_t have;
  char tail[TAIL + 1];
};

static void close_end(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static _Noreturn void hook_main(const struct hook_desc *h, int root, int in, int out) {
  setsid();
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (root >= 0 && (fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)) {
    dprintf(STDERR_FILENO, "entering the root: %s", errno_text(errno));
    _exit(127);
  }
  close_range(3, ~0U, 0);
  if (root >= 0) umask(022);  // a startContainer hook has the program's
  reset_signals();
  execve(h->path, h->argv, h->envp);
  dprintf(STDERR_FILENO, "exec %s: %s", h->path, errno_text(errno));
  _exit(127);
}

static int begin(struct run *r, const struct hook_desc *h, int root, struct error *e) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  *r = (struct run){.pid = -1, .pidfd = -1, .in = -1, .out = -1, .input = h->input, .left = strlen(h->input)};
  bool ready = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0;
  if (ready) r->pid = fork();
  if (r->pid == 0) hook_main(h, root, in[0], out[1]);
  if (r->pid > 0) r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
  if (r->pidfd < 0) fail(e, errno, "%s", errno_text(errno));
  close_end(&in[0]);
  close_end(&out[1]);
  r->in = in[1];
  r->out = out[0];
  if (r->pidfd < 0) return -1;
  fcntl(r->in, F_SETFL, O_NONBLOCK);
  fcntl(r->out, F_SETFL, O_NONBLOCK);
  if (h->timeout > 0) r->deadline_ns = boot_ns() + h->timeout * UINT64_C(1000000000);
  return 0;
}

static void feed(struct run *r) {
  ssize_t n = r->left == 0 ? 0 : write(r->in, r->input, r->left);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) {
    r->input += n;
    r->left -= (size_t)n;
  }
  if (n < 0 || r->left == 0) close_end(&r->in);
}

// Reads all that the hook has written, and keeps the end of it.
static void drain(struct run *r) {
  char chunk[4096];
  ssize_t n;
  while ((n = read(r->out, chunk, sizeof chunk)) > 0) {
    size_t part = (size_t)n < TAIL ? (size_t)n : TAIL, over = r->have + part > TAIL ? r->have + part - TAIL : 0;
    memmove(r->tail, r->tail + over, r->have - over);
    memcpy(r->tail + r->have - over, chunk + (size_t)n - part, part);
    r->have += part - over;
  }
  if (n == 0) close_end(&r->out);
}

static int wait_ms(const struct run *r) {
  if (r->deadline_ns == 0 || r->late) return -1;
  uint64_t now = boot_ns();
  if (now >= r->deadline_ns) return 0;
  uint64_t ms = (r->deadline_ns - now) / 1000000 + 1;
  return ms > 60000 ? 60000 : (int)ms;
}

// Serves the hook until it has ended; its status as of waitpid. Descendants that keep its output
// open are not waited for.
static int serve(struct run *r) {
  int status = 0;
  for (;;) {
    struct pollfd fds[] = {{.fd = r->pidfd, .events = POLLIN},
                           {.fd = r->in, .events = POLLOUT},
                           {.fd = r->out, .events = POLLIN}};
    int n = poll(fds, 3, wait_ms(r));
    if (n > 0 && fds[1].revents != 0) feed(r);
    if (n > 0 && fds[2].revents != 0) drain(r);
    if (n > 0 && fds[0].revents != 0) break;
    if (!r->late && r->deadline_ns != 0 && boot_ns() >= r->deadline_ns) {
      r->late = true;
      kill(-r->pid, SIGKILL);
      kill(r->pid, SIGKILL);
    }
  }
  while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) continue;
  if (r->out >= 0) drain(r);
  return status;
}

static int judge(const struct hook_desc *h, struct run *r, int status, struct error *e) {
  char how[96];
  if (r->late) {
    snprintf(how, sizeof how, "hook ran past specified timeout of %u.0s", h->timeout);
  } else if (WIFSIGNALED(status)) {
    snprintf(how, sizeof how, "killed by signal %d", WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    snprintf(how, sizeof how, "exit status %d", WEXITSTATUS(status));
  } else {
    return 0;
  }
  r->tail[r->have] = '\0';
  while (r->have > 0 && r->tail[r->have - 1] == '\n') r->tail[--r->have] = '\0';
  return fail(e, ECANCELED, "%s%s%s", how, r->have > 0 ? ", output: " : "", r->tail);
}

static int run_hook(const struct hook_desc *h, int root, struct error *e) {
  struct run r;
  int rc = begin(&r, h, root, e);
  if (rc == 0) rc = judge(h, &r, serve(&r), e);
  close_end(&r.in);
  close_end(&r.out);
  close_end(&r.pidfd);
  return rc;
}

int hooks_run(const struct process_desc *p, enum hook_stage stage, int root, struct error *e) {
  unsigned number = 0;
  for (size_t i = 0; i < p->n_hooks; i++) {
    struct error why;
    if (p->hooks[i].stage != stage) continue;
    if (run_hook(&p->hooks[i], root, &why) < 0)
      return fail(e, ECANCELED, "error running %s hook #%u: %.900s",
                  stage == HOOK_CREATE_CONTAINER ? "createContainer" : "startContainer", number, why.text);
    number++;
  }
  return 0;
}

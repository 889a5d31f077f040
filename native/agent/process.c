// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

#include "agent.h"

#define PIPE_SIZE 262144
// Stdin credit is given back in portions, so that a byte does not cost a frame.
#define CREDIT_PORTION (VXN_STDIN_WINDOW / 4)
// What may still come from a terminal whose first process has ended but which others hold open.
#define TERMINAL_REST (1u << 20)

#define KILL_WAIT_NS (5 * UINT64_C(1000000000))

#define MEMBER(w, field) ((struct process *)((char *)(w) - offsetof(struct process, field)))

static void stdin_writable(struct watch *w, uint32_t events);

struct process *process_find(uint32_t id) {
  struct process *p = agent.processes;
  while (p != NULL && (p->id != id || p->state == PROCESS_FAILED || p->state == PROCESS_GONE)) p = p->next;
  return p;
}

static void free_input(struct input *in) {
  free(in->ring);
  in->ring = NULL;
  in->head = in->have = 0;
}

static void close_input(struct process *p);

static void close_streams(struct process *p) {
  if (p->in.open && !p->terminal) watch_close(&p->in.watch);
  p->in.open = false;
  free_input(&p->in);
  for (int s = 0; s < STREAMS; s++) {
    if (p->out[s].open) watch_close(&p->out[s].watch);
    p->out[s].open = false;
  }
}

// ---- Failure and end

// The container's first process is gone, whether it ever ran or not.
static void forget_init(struct process *p) {
  if (p->is_init && p->container->init == p) p->container->init = NULL;
}

static void process_failed(struct process *p, const struct error *e) {
  send_failed(p->id, e);
  close_streams(p);
  if (p->sync.fd >= 0) watch_close(&p->sync);
  p->state = p->pid > 0 ? PROCESS_FAILED : PROCESS_GONE;
  if (p->pid == 0) forget_init(p);
}

static void send_exit(struct process *p) {
  uint8_t payload[16];
  vxn_put32(payload, WIFEXITED(p->status) ? (uint32_t)WEXITSTATUS(p->status) : 0);
  vxn_put32(payload + 4, WIFSIGNALED(p->status) ? (uint32_t)WTERMSIG(p->status) : 0);
  vxn_put64(payload + 8, p->ended_ns);
  channel_send(VXN_G_EXIT, p->id, payload, sizeof payload);
  close_streams(p);
  p->state = PROCESS_GONE;
  if (p->is_init) container_end(p->container);
}

// ---- Output

static void stream_ended(struct process *p, int s) {
  uint8_t payload[4];
  if (p->terminal) close_input(p);  // the same descriptor
  watch_close(&p->out[s].watch);
  p->out[s].open = false;
  vxn_put32(payload, (uint32_t)s + 1);
  channel_send(VXN_G_EOF, p->id, payload, sizeof payload);
}

static void stream_ready(struct process *p, int s, uint32_t events) {
  p->out[s].readable = true;
  if (p->terminal && (events & EPOLLOUT) != 0) stdin_writable(&p->in.watch, events);
}

static void stdout_ready(struct watch *w, uint32_t events) {
  stream_ready(MEMBER(w, out[STREAM_STDOUT].watch), STREAM_STDOUT, events);
}

static void stderr_ready(struct watch *w, uint32_t events) {
  stream_ready(MEMBER(w, out[STREAM_STDERR].watch), STREAM_STDERR, events);
}

// Without credit nothing can be read, but the end can still be seen.
static bool ended_without_credit(const struct process *p, int s) {
  struct pollfd pfd = {.fd = p->out[s].watch.fd, .events = POLLIN};
  if (poll(&pfd, 1, 0) < 0 || (pfd.revents & POLLIN) != 0) return false;
  return p->exited || (!p->terminal && (pfd.revents & POLLHUP) != 0);
}

// Moves one frame of output. True when something happened.
static bool stream_pump(struct process *p, int s) {
  struct stream *o = &p->out[s];
  if (!o->open || !o->readable || p->state != PROCESS_RUNNING || !channel_has_room()) return false;
  if (p->exited && o->remain == 0) {
    stream_ended(p, s);
    return true;
  }
  if (o->credit == 0) {
    if (!ended_without_credit(p, s)) return false;
    stream_ended(p, s);
    return true;
  }
  size_t want = o->credit < VXN_PAYLOAD_MAX ? o->credit : VXN_PAYLOAD_MAX;
  if (p->exited && o->remain < want) want = (size_t)o->remain;
  uint8_t *to = channel_reserve(want);
  if (to == NULL) return false;
  ssize_t n = read(o->watch.fd, to, want);
  if (n > 0) {
    channel_commit(s == STREAM_STDOUT ? VXN_G_STDOUT : VXN_G_STDERR, p->id, (size_t)n);
    o->credit -= (uint32_t)n;
    if (p->exited) o->remain -= (uint64_t)n;
    return true;
  }
  if (n < 0 && errno == EINTR) return true;
  // A terminal answers EIO while no process has it open, which may change as long as its first process lives.
  bool nothing_now = n < 0 && (errno == EAGAIN || (p->terminal && errno == EIO));
  if (!nothing_now || p->exited) {
    stream_ended(p, s);
    return true;
  }
  o->readable = false;
  return false;
}

vxn_fault process_credit(struct process *p, uint32_t stream, uint32_t bytes) {
  if (stream < 1 || stream > STREAMS) return "credit for an unknown stream";
  struct stream *o = &p->out[stream - 1];
  if (bytes > VXN_CREDIT_MAX || o->credit + bytes > VXN_CREDIT_MAX) return "credit over the limit";
  o->credit += bytes;
  return NULL;
}

// ---- Input

static void input_done(struct process *p, uint32_t bytes) {
  struct input *in = &p->in;
  in->owed += bytes;
  if (in->owed < CREDIT_PORTION) return;
  send_u32_u32(VXN_G_CREDIT, p->id, 0, in->owed);
  in->given += in->owed;
  in->owed = 0;
}

static void close_input(struct process *p) {
  struct input *in = &p->in;
  if (in->open && !p->terminal) watch_close(&in->watch);
  in->open = false;
  uint32_t dropped = in->have;
  free_input(in);
  input_done(p, dropped);
}

// A terminal has no end of file: ^D is what a person would type, and only a line editor understands it.
static void end_of_terminal_input(struct process *p) {
  struct termios t;
  if (tcgetattr(p->in.watch.fd, &t) < 0 || (t.c_lflag & ICANON) == 0) return;
  ssize_t n = write(p->in.watch.fd, &t.c_cc[VEOF], 1);
  (void)n;
}

static void flush_input(struct process *p) {
  struct input *in = &p->in;
  while (in->open && in->writable && in->have > 0) {
    uint32_t part = VXN_STDIN_WINDOW - in->head < in->have ? VXN_STDIN_WINDOW - in->head : in->have;
    ssize_t n = write(in->watch.fd, in->ring + in->head, part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      in->writable = false;
    } else if (n < 0) {
      close_input(p);
    } else {
      in->head = (in->head + (uint32_t)n) % VXN_STDIN_WINDOW;
      in->have -= (uint32_t)n;
      input_done(p, (uint32_t)n);
    }
  }
  if (in->open && in->eof && in->have == 0) {
    if (p->terminal) end_of_terminal_input(p);
    close_input(p);
  }
}

static void stdin_writable(struct watch *w, uint32_t events) {
  struct process *p = MEMBER(w, in.watch);
  p->in.writable = true;
  // Nobody reads the pipe any more.
  if (!p->terminal && (events & EPOLLERR) != 0) {
    close_input(p);
    return;
  }
  flush_input(p);
}

void process_input(struct process *p, const uint8_t *data, size_t len) {
  struct input *in = &p->in;
  in->given -= (uint32_t)len;
  bool expected = p->state < PROCESS_RUNNING || in->open;
  if (expected && !in->eof && len > 0 && in->ring == NULL) in->ring = malloc(VXN_STDIN_WINDOW);
  if (!expected || in->eof || in->ring == NULL) {
    input_done(p, (uint32_t)len);
    return;
  }
  // The window bounds what is queued: in->have + len never exceeds it.
  uint32_t at = (in->head + in->have) % VXN_STDIN_WINDOW;
  size_t part = VXN_STDIN_WINDOW - at < len ? VXN_STDIN_WINDOW - at : len;
  memcpy(in->ring + at, data, part);
  memcpy(in->ring, data + part, len - part);
  in->have += (uint32_t)len;
  flush_input(p);
}

void process_input_eof(struct process *p) {
  p->in.eof = true;
  flush_input(p);
}

// ---- Signals and sizes

void process_signal(struct process *p, int signal, bool all) {
  if (all) {
    container_signal_all(p->container, signal);
  } else if (p->pid > 0 && kill(p->pid, signal) < 0 && errno != ESRCH) {
    agent_log("signal %d for process %u: %s", signal, p->id, errno_text(errno));
  }
}

void process_resize(struct process *p, uint16_t rows, uint16_t cols) {
  p->rows = rows;
  p->cols = cols;
  struct winsize size = {.ws_row = rows, .ws_col = cols};
  if (p->terminal && p->out[STREAM_STDOUT].open) ioctl(p->out[STREAM_STDOUT].watch.fd, TIOCSWINSZ, &size);
}

// ---- Start

static int set_nonblocking(int fd) { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int watch_output(struct process *p, int s, int fd, uint32_t more_events) {
  struct stream *o = &p->out[s];
  o->watch.fd = fd;
  if (set_nonblocking(fd) < 0 ||
      watch_add(&o->watch, EPOLLIN | EPOLLET | more_events, s == STREAM_STDOUT ? stdout_ready : stderr_ready) < 0) {
    close(fd);
    return -1;
  }
  o->open = o->readable = true;
  return 0;
}

static int watch_input(struct process *p, int fd) {
  p->in.watch.fd = fd;
  if (set_nonblocking(fd) < 0 || watch_add(&p->in.watch, EPOLLOUT | EPOLLET, stdin_writable) < 0) {
    close(fd);
    return -1;
  }
  p->in.open = p->in.writable = true;
  return 0;
}

// The terminal's master, sent by the child.
static void take_terminal(struct process *p, int fd) {
  if (p->out[STREAM_STDOUT].open || watch_output(p, STREAM_STDOUT, fd, EPOLLOUT) < 0) return;
  p->in.watch.fd = fd;
  p->in.open = p->in.writable = true;
  process_resize(p, p->rows, p->cols);
}

static void started(struct process *p) {
  uint8_t payload[12];
  watch_close(&p->sync);
  p->state = PROCESS_RUNNING;
  pool_free(&p->desc.pool);
  vxn_put32(payload, (uint32_t)p->pid);
  vxn_put64(payload + 4, boot_ns());
  channel_send(VXN_G_STARTED, p->id, payload, sizeof payload);
  if (!p->in.open) close_input(p);  // closed while it started: what was queued since is dropped
  flush_input(p);
}

// Reads one report of the child. False when there is none now.
static bool read_sync(struct process *p) {
  struct sync_message m;
  union {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec iov = {&m, sizeof m};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(p->sync.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) return errno == EINTR;
  if (n == 0) {
    if (p->about_to_exec) {
      started(p);
    } else {
      struct error e;
      fail(&e, 0, "the process was killed before its program started");
      process_failed(p, &e);
    }
    return false;
  }
  const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  if (m.kind == SYNC_TERMINAL && c != NULL && c->cmsg_type == SCM_RIGHTS) {
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    take_terminal(p, fd);
  } else if (m.kind == SYNC_READY) {
    p->about_to_exec = true;
  } else if (m.kind == SYNC_ERROR) {
    m.error.text[VXN_TEXT_MAX] = '\0';
    process_failed(p, &m.error);
    return false;
  }
  return true;
}

static void sync_ready(struct watch *w, uint32_t events) {
  (void)events;
  struct process *p = MEMBER(w, sync);
  while (p->state == PROCESS_STARTING && read_sync(p)) continue;
}

// clone(2) in fork's manner. A process that joins is born into the container's PID namespace: entering one takes effect for
// children only, so the agent enters and leaves it again around the clone, and no process in between is needed.
static pid_t clone_child(const struct container *c, int join_fd) {
  struct clone_args args = {.exit_signal = SIGCHLD};
  if (join_fd < 0) args.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
  if (c->cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (unsigned)c->cgroup_fd;
  }
  if (join_fd >= 0 && setns(join_fd, CLONE_NEWPID) < 0) return -1;
  pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  int saved = errno;
  if (pid != 0 && join_fd >= 0 && setns(agent.pidns_fd, CLONE_NEWPID) < 0)
    agent_log("leaving a container's PID namespace: %s", errno_text(errno));
  errno = saved;
  return pid;
}

static void close_all(int *fds, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (fds[i] >= 0) close(fds[i]);
}

// Pipes: [0] ours, [1] the child's, for stdin, stdout, stderr and the reports.
static int make_pipes(const struct process *p, int fds[4][2]) {
  for (int i = 0; i < 3 && !p->terminal; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    fds[i][0] = ends[i == 0 ? 1 : 0];
    fds[i][1] = ends[i == 0 ? 0 : 1];
    if (i > 0) fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
  }
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds[3]);
}

static int start(struct process *p, struct error *e) {
  struct container *c = p->container;
  autoclose int join_fd = -1;
  if (p->is_init) {
    if (container_seal(c, e) < 0) return -1;
  } else {
    join_fd = (int)syscall(SYS_pidfd_open, c->init->pid, 0);
    if (join_fd < 0) return fail(e, errno, "joining the container: %s", errno_text(errno));
  }
  int fds[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
  if (make_pipes(p, fds) < 0) {
    fail(e, errno, "making pipes: %s", errno_text(errno));
    close_all(&fds[0][0], 8);
    return -1;
  }
  struct child_plan plan = {
      .container = c,
      .process = &p->desc,
      .stdio = {fds[0][1], fds[1][1], fds[2][1]},
      .sync_fd = fds[3][1],
      .join_fd = join_fd,
      .rows = p->rows,
      .cols = p->cols,
  };
  pid_t pid = clone_child(c, join_fd);
  if (pid == 0) child_main(&plan);
  if (pid < 0) {
    // ENOMEM and ESRCH: the PID namespace or its first process has just ended.
    fail(e, errno, p->is_init ? "clone: %s" : "cannot exec in a stopped container: %s", errno_text(errno));
    close_all(&fds[0][0], 8);
    return -1;
  }
  for (int i = 0; i < 4; i++)
    if (fds[i][1] >= 0) close(fds[i][1]);
  p->pid = pid;
  p->state = PROCESS_STARTING;
  p->sync.fd = fds[3][0];
  int rc = watch_add(&p->sync, EPOLLIN, sync_ready);
  if (!p->terminal) {
    if (watch_input(p, fds[0][0]) < 0) rc = -1;
    if (watch_output(p, STREAM_STDOUT, fds[1][0], 0) < 0) rc = -1;
    if (watch_output(p, STREAM_STDERR, fds[2][0], 0) < 0) rc = -1;
  }
  if (rc < 0) {
    kill(pid, SIGKILL);
    return fail(e, errno, "watching a process: %s", errno_text(errno));
  }
  flush_input(p);
  return 0;
}

// Starts what can be started. A queued process stays queued.
static void advance(struct process *p) {
  struct container *c = p->container;
  struct error e;
  if (c->state == CONTAINER_WAITING) return;
  int rc = 0;
  if (c->state == CONTAINER_FAILED) {
    e = c->error;
    rc = -1;
  } else if (!p->is_init && (c->init == NULL || c->init->state != PROCESS_RUNNING || c->init->exited)) {
    rc = fail(&e, ESRCH, "cannot exec in a stopped container");
  } else {
    rc = start(p, &e);
  }
  if (rc < 0) process_failed(p, &e);
}

void processes_release(struct container *c) {
  for (struct process *p = agent.processes; p != NULL; p = p->next)
    if (p->container == c && p->state == PROCESS_QUEUED) advance(p);
}

void process_create(uint32_t id, const uint8_t *payload, size_t len) {
  struct error e;
  if (process_find(id) != NULL) {
    agent_log("process %u exists already", id);
    return;
  }
  struct process *p = calloc(1, sizeof *p);
  if (p == NULL) {
    fail(&e, ENOMEM, "out of memory");
    send_failed(id, &e);
    return;
  }
  p->id = id;
  p->state = PROCESS_QUEUED;
  p->sync.fd = -1;
  p->in.given = VXN_STDIN_WINDOW;
  p->out[STREAM_STDOUT].credit = p->out[STREAM_STDERR].credit = VXN_OUTPUT_WINDOW;
  int rc = parse_process(&p->desc, payload, len, &e);
  struct container *c = container_find(p->desc.container);
  if (rc == 0 && c == NULL) rc = fail(&e, ESRCH, "container %u does not exist", p->desc.container);
  if (rc == 0 && p->desc.init && c->init != NULL) rc = fail(&e, EEXIST, "container %u is running already", c->id);
  if (rc < 0) {
    send_failed(id, &e);
    pool_free(&p->desc.pool);
    free(p);
    return;
  }
  p->container = c;
  p->is_init = p->desc.init;
  p->terminal = p->desc.terminal;
  p->rows = p->desc.rows;
  p->cols = p->desc.cols;
  if (p->is_init) c->init = p;
  p->next = agent.processes;
  agent.processes = p;
  advance(p);
}

// ---- The loop's side

static void process_exited(struct process *p, int status) {
  // The report of a failed start may still be under way.
  while (p->state == PROCESS_STARTING && read_sync(p)) continue;
  // Another child between clone and execve may still hold this one's end of the socket.
  if (p->state == PROCESS_STARTING && p->about_to_exec) started(p);
  p->status = status;
  p->pid = 0;
  if (p->state != PROCESS_RUNNING) {
    if (p->state == PROCESS_STARTING) {
      struct error e;
      fail(&e, 0, "the process ended before its program started");
      process_failed(p, &e);
    }
    p->state = PROCESS_GONE;
    forget_init(p);
    return;
  }
  p->exited = true;
  p->ended_ns = boot_ns();
  close_input(p);
  for (int s = 0; s < STREAMS; s++) {
    struct stream *o = &p->out[s];
    int bytes = 0;
    // Other processes may hold a pipe open and go on writing: what counts is what is in it now.
    if (o->open && !p->terminal) ioctl(o->watch.fd, FIONREAD, &bytes);
    o->remain = p->terminal ? TERMINAL_REST : (uint64_t)bytes;
    o->readable = true;
  }
}

void processes_reap(void) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    struct process *p = agent.processes;
    while (p != NULL && p->pid != pid) p = p->next;
    if (p != NULL) process_exited(p, status);
  }
}

bool processes_pump(void) {
  bool moved = false;
  for (struct process *p = agent.processes; p != NULL; p = p->next) {
    for (int s = 0; s < STREAMS; s++)
      if (stream_pump(p, s)) moved = true;
    if (p->state == PROCESS_RUNNING && p->exited && !p->out[STREAM_STDOUT].open && !p->out[STREAM_STDERR].open) {
      send_exit(p);
      moved = true;
    }
  }
  return moved;
}

void processes_collect(void) {
  for (struct process **at = &agent.processes; *at != NULL;) {
    struct process *p = *at;
    if (p->state != PROCESS_GONE) {
      at = &p->next;
      continue;
    }
    *at = p->next;
    pool_free(&p->desc.pool);
    free(p);
  }
}

void processes_kill(void) {
  for (struct container *c = agent.containers; c != NULL; c = c->next)
    if (c->state != CONTAINER_ENDED) container_signal_all(c, SIGKILL);
  for (struct process *p = agent.processes; p != NULL; p = p->next)
    if (p->pid > 0) kill(p->pid, SIGKILL);
  // One that hangs in the kernel must not keep the guest from powering off.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  uint64_t deadline = boot_ns() + KILL_WAIT_NS;
  for (;;) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    uint64_t now = boot_ns();
    if (pid < 0 || now >= deadline) break;
    struct timespec left = {.tv_sec = (time_t)((deadline - now) / 1000000000u) + 1};
    sigtimedwait(&set, NULL, &left);
  }
  for (struct process *p = agent.processes; p != NULL; p = p->next) {
    close_streams(p);
    if (p->sync.fd >= 0) watch_close(&p->sync);
    p->state = PROCESS_GONE;
  }
}

// SPDX-License-Identifier: MIT
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "container.h"
#include "log.h"
#include "report.h"
#include "send.h"
#include "spawn.h"
#include "streams.h"

#define KILL_WAIT_NS (5 * UINT64_C(1000000000))

enum process_state {
  PROCESS_QUEUED,    // its container waits
  PROCESS_STARTING,  // between clone and execve
  PROCESS_RUNNING,
  PROCESS_FAILED,  // the host knows, the kernel's zombie is awaited
  PROCESS_GONE,    // freed at the end of the turn
};

struct process {
  struct process *next;
  uint32_t id;
  pid_t pid;  // 0: none, or reaped
  struct container *container;
  struct process_desc desc;
  enum process_state state;
  bool is_init, about_to_exec;
  int status;  // of waitpid
  uint64_t ended_ns;
  struct watch reports;  // of the child until its execve
  struct streams streams;
};

static struct process *processes;

struct process *process_find(uint32_t id) {
  struct process *p = processes;
  while (p != NULL && (p->id != id || p->state == PROCESS_FAILED || p->state == PROCESS_GONE)) p = p->next;
  return p;
}

// The first process of a container, whether it has started or not; NULL when there is none, or it
// has ended.
static struct process *init_of(const struct container *c) {
  struct process *p = processes;
  while (p != NULL && (p->container != c || !p->is_init)) p = p->next;
  return p;
}

// ---- Failure and end

// The container's first process is gone, whether it ever ran or not: another may take its place.
static void forget_init(struct process *p) { p->is_init = false; }

static void process_failed(struct process *p, const struct error *e) {
  send_failed(VXN_G_PROCESS_FAILED, p->id, e);
  streams_close(&p->streams);
  if (p->reports.fd >= 0) watch_close(&p->reports);
  p->state = p->pid > 0 ? PROCESS_FAILED : PROCESS_GONE;
  if (p->pid == 0) forget_init(p);
}

static void send_exit(struct process *p) {
  uint8_t payload[16];
  vxn_put32(payload, WIFEXITED(p->status) ? (uint32_t)WEXITSTATUS(p->status) : 0);
  vxn_put32(payload + 4, WIFSIGNALED(p->status) ? (uint32_t)WTERMSIG(p->status) : 0);
  vxn_put64(payload + 8, p->ended_ns);
  send_frame(VXN_G_EXIT, p->id, payload, sizeof payload);
  streams_close(&p->streams);
  p->state = PROCESS_GONE;
  if (p->is_init) container_end(p->container);
}

// ---- The host's requests to a process

vxn_fault process_input(struct process *p, const uint8_t *data, size_t len) {
  return streams_input(&p->streams, data, len);
}

void process_input_eof(struct process *p) { streams_input_eof(&p->streams); }

vxn_fault process_credit(struct process *p, uint32_t stream, uint32_t bytes) {
  return streams_credit(&p->streams, stream, bytes);
}

void process_resize(struct process *p, uint16_t rows, uint16_t cols) { streams_resize(&p->streams, rows, cols); }

static void signal_all(const struct container *c, int signal) {
  if (cgroup_signal(c->cgroup, signal)) return;
  for (const struct process *p = processes; p != NULL; p = p->next)
    if (p->container == c && p->pid > 0) kill(p->pid, signal);
}

void process_signal(struct process *p, int signal, bool all) {
  if (all) {
    signal_all(p->container, signal);
  } else if (p->pid > 0 && kill(p->pid, signal) < 0 && errno != ESRCH) {
    agent_log("signal %d for process %u: %s", signal, p->id, errno_text(errno));
  }
}

// ---- Start

static void started(struct process *p) {
  uint8_t payload[12];
  watch_close(&p->reports);
  p->state = PROCESS_RUNNING;
  pool_free(&p->desc.pool);
  vxn_put32(payload, (uint32_t)p->pid);
  vxn_put64(payload + 4, boot_ns());
  send_frame(VXN_G_STARTED, p->id, payload, sizeof payload);
  streams_started(&p->streams);
}

static void reports_ended(struct process *p) {
  struct error e;
  if (p->about_to_exec) {
    started(p);
    return;
  }
  fail(&e, 0, "the process was killed before its program started");
  process_failed(p, &e);
}

// Takes one report of the child. False when there is none now, or none will follow.
static bool take_report(struct process *p) {
  struct report r;
  int fd, got = report_take(p->reports.fd, &r, &fd);
  if (got < 0) return errno == EINTR;
  if (got == 0) {
    reports_ended(p);
    return false;
  }
  if (r.kind == REPORT_TERMINAL && fd >= 0) streams_open_terminal(&p->streams, fd);
  if (r.kind == REPORT_READY) p->about_to_exec = true;
  if (r.kind == REPORT_ERROR) process_failed(p, &r.error);
  return r.kind != REPORT_ERROR;
}

static void reports_ready(struct watch *w, uint32_t events) {
  (void)events;
  struct process *p = WATCH_OWNER(w, struct process, reports);
  while (p->state == PROCESS_STARTING && take_report(p)) continue;
}

static int start(struct process *p, struct error *e) {
  struct container *c = p->container;
  struct child_plan plan = {.dir = c->dir, .container = &c->desc, .process = &p->desc, .join_fd = -1,
                            .rows = p->streams.rows, .cols = p->streams.cols};
  struct spawned s;
  autoclose int join_fd = -1;
  if (p->is_init) {
    if (bind_area_seal(&c->bind, e) < 0) return -1;
  } else {
    join_fd = (int)syscall(SYS_pidfd_open, init_of(c)->pid, 0);
    if (join_fd < 0) return fail(e, errno, "joining the container: %s", errno_text(errno));
    plan.join_fd = join_fd;
  }
  if (spawn(&s, &plan, c->cgroup_fd, e) < 0) return -1;
  p->pid = s.pid;
  p->state = PROCESS_STARTING;
  p->reports.fd = s.report_fd;
  int rc = watch_add(&p->reports, EPOLLIN, reports_ready);
  if (!p->streams.terminal && streams_open(&p->streams, s.stdio) < 0) rc = -1;
  if (rc < 0) {
    kill(p->pid, SIGKILL);
    return fail(e, errno, "watching a process: %s", errno_text(errno));
  }
  return 0;
}

static bool can_be_joined(const struct process *init) {
  return init != NULL && init->state == PROCESS_RUNNING && !init->streams.exited;
}

// Starts or fails a queued process, unless its container still waits.
static void advance(struct process *p) {
  const struct container *c = p->container;
  struct error e;
  int rc;
  if (c->state == CONTAINER_WAITING) return;
  if (c->state == CONTAINER_FAILED) {
    e = c->error;
    rc = -1;
  } else if (!p->is_init && !can_be_joined(init_of(c))) {
    rc = fail(&e, ESRCH, "cannot exec in a stopped container");
  } else {
    rc = start(p, &e);
  }
  if (rc < 0) process_failed(p, &e);
}

static void container_settled(struct container *c) {
  for (struct process *p = processes; p != NULL; p = p->next)
    if (p->container == c && p->state == PROCESS_QUEUED) advance(p);
}

static int describe(struct process *p, const uint8_t *payload, size_t len, struct error *e) {
  if (parse_process(&p->desc, payload, len, e) < 0) return -1;
  p->container = container_find(p->desc.container);
  if (p->container == NULL) return fail(e, ESRCH, "container %u does not exist", p->desc.container);
  if (p->desc.init && init_of(p->container) != NULL)
    return fail(e, EEXIST, "container %u is running already", p->container->id);
  return 0;
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
    send_failed(VXN_G_PROCESS_FAILED, id, &e);
    return;
  }
  if (describe(p, payload, len, &e) < 0) {
    send_failed(VXN_G_PROCESS_FAILED, id, &e);
    pool_free(&p->desc.pool);
    free(p);
    return;
  }
  p->id = id;
  p->reports.fd = -1;
  p->is_init = p->desc.init;
  streams_init(&p->streams, id, p->desc.terminal, p->desc.rows, p->desc.cols);
  p->container->users++;
  p->next = processes;
  processes = p;
  advance(p);
}

// ---- The end, as the kernel tells of it

static void process_exited(struct process *p, int status) {
  // The report of a failed start may still be under way.
  while (p->state == PROCESS_STARTING && take_report(p)) continue;
  // Another child between clone and execve may still hold this one's end of the socket.
  if (p->state == PROCESS_STARTING && p->about_to_exec) started(p);
  p->status = status;
  p->pid = 0;
  if (p->state == PROCESS_RUNNING) {
    p->ended_ns = boot_ns();
    streams_exited(&p->streams);
    return;
  }
  if (p->state == PROCESS_STARTING) {
    struct error e;
    fail(&e, 0, "the process ended before its program started");
    process_failed(p, &e);
  }
  p->state = PROCESS_GONE;
  forget_init(p);
}

static void reap(struct watch *w, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info[8];
  while (read(w->fd, info, sizeof info) > 0) continue;
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    struct process *p = processes;
    while (p != NULL && p->pid != pid) p = p->next;
    if (p != NULL) process_exited(p, status);
  }
}

int processes_open(void) {
  static struct watch w;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  if (spawn_prepare() < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
  signal(SIGPIPE, SIG_IGN);
  containers_on_settled(container_settled);
  w.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return w.fd < 0 ? -1 : watch_add(&w, EPOLLIN, reap);
}

// ---- The loop's side

bool processes_pump(void) {
  bool moved = false;
  for (struct process *p = processes; p != NULL; p = p->next) {
    if (streams_pump(&p->streams)) moved = true;
    if (p->state == PROCESS_RUNNING && p->streams.exited && streams_done(&p->streams)) {
      send_exit(p);
      moved = true;
    }
  }
  return moved;
}

void processes_collect(void) {
  for (struct process **at = &processes; *at != NULL;) {
    struct process *p = *at;
    if (p->state != PROCESS_GONE) {
      at = &p->next;
      continue;
    }
    *at = p->next;
    p->container->users--;
    pool_free(&p->desc.pool);
    free(p);
  }
}

static void await_all(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  uint64_t deadline = boot_ns() + KILL_WAIT_NS;
  for (;;) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    uint64_t now = boot_ns();
    if (pid < 0 || now >= deadline) return;
    struct timespec left = {.tv_sec = (time_t)((deadline - now) / 1000000000u) + 1};
    sigtimedwait(&set, NULL, &left);
  }
}

void processes_kill(void) {
  containers_kill();
  for (struct process *p = processes; p != NULL; p = p->next)
    if (p->pid > 0) kill(p->pid, SIGKILL);
  await_all();
  for (struct process *p = processes; p != NULL; p = p->next) {
    streams_close(&p->streams);
    if (p->reports.fd >= 0) watch_close(&p->reports);
    p->state = PROCESS_GONE;
  }
}

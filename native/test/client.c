// SPDX-License-Identifier: MIT
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static char base[] = "/tmp/vxn-agent-XXXXXX";
static bool based;
static struct client *current;

static void *must(void *p) {
  if (p == NULL) abort();
  return p;
}

// ---- Records

void put(struct payload *p, uint16_t tag, const void *value, size_t len) {
  if (p->len + 8 + len > p->size) {
    p->size = 2 * (p->len + 8 + len);
    p->data = must(realloc(p->data, p->size));
  }
  vxn_put16(p->data + p->len, tag);
  vxn_put16(p->data + p->len + 2, 0);
  vxn_put32(p->data + p->len + 4, (uint32_t)len);
  if (len > 0) memcpy(p->data + p->len + 8, value, len);
  p->len += 8 + len;
}

void put_str(struct payload *p, uint16_t tag, const char *value) { put(p, tag, value, strlen(value)); }

void put_u32(struct payload *p, uint16_t tag, uint32_t value) {
  uint8_t b[4];
  vxn_put32(b, value);
  put(p, tag, b, sizeof b);
}

void put_u64(struct payload *p, uint16_t tag, uint64_t value) {
  uint8_t b[8];
  vxn_put64(b, value);
  put(p, tag, b, sizeof b);
}

static void put_nested(struct payload *p, uint16_t tag, struct payload *inner) {
  put(p, tag, inner->data, inner->len);
  free(inner->data);
}

void put_mount(struct payload *p, const char *type, const char *dest, uint64_t flags, const char *data) {
  struct payload m = {0};
  put_str(&m, VXN_T_MOUNT_TYPE, type);
  put_str(&m, VXN_T_MOUNT_DEST, dest);
  put_u64(&m, VXN_T_MOUNT_FLAGS, flags);
  if (data != NULL) put_str(&m, VXN_T_MOUNT_DATA, data);
  put_nested(p, VXN_T_MOUNT, &m);
}

void put_bind(struct payload *p, const char *bind, const char *dest, uint64_t flags) {
  struct payload m = {0};
  put_str(&m, VXN_T_MOUNT_BIND, bind);
  put_str(&m, VXN_T_MOUNT_DEST, dest);
  put_u64(&m, VXN_T_MOUNT_FLAGS, flags);
  put_nested(p, VXN_T_MOUNT, &m);
}

void put_default_mounts(struct payload *p) {
  const uint64_t safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;
  put_mount(p, "proc", "/proc", safe, NULL);
  put_mount(p, "tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  put_mount(p, "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  put_mount(p, "mqueue", "/dev/mqueue", safe, NULL);
  put_mount(p, "sysfs", "/sys", safe | MS_RDONLY, NULL);
  put_mount(p, "cgroup", "/sys/fs/cgroup", safe | MS_RDONLY, NULL);
}

// ---- Roots

static const char *in_base(const char *name) {
  static char path[256];
  if (!based && mkdtemp(base) == NULL) abort();
  based = true;
  snprintf(path, sizeof path, "%s/%s", base, name);
  return path;
}

static void shell(const char *fmt, const char *a, const char *b) {
  char command[4096];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(command, sizeof command, fmt, a, b);
#pragma GCC diagnostic pop
  if (system(command) != 0) FAIL("failed: %s", command);
}

const char *new_root(void) {
  static char root[256];
  static unsigned n;
  char name[32];
  snprintf(name, sizeof name, "root%u", n++);
  snprintf(root, sizeof root, "%s", in_base(name));
  shell(
      "set -e; mkdir %1$s; cd %1$s; mkdir -m 755 bin etc proc dev sys root home; mkdir -m 1777 tmp;"
      "cp /bin/busybox bin/busybox; for a in $(bin/busybox --list); do [ -e bin/$a ] || ln -s busybox bin/$a; done;"
      "echo root:x:0:0:root:/root:/bin/sh >etc/passwd; echo app:x:1000:1000::/home:/bin/sh >>etc/passwd",
      root, "");
  return root;
}

void clean_up(void) {
  if (based) shell("rm -rf %s", base, "");
}

// ---- The agent

uint64_t client_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// In a PID namespace of its own the agent takes everything with it when it is killed; the leak checker needs a /proc that
// fits.
static _Noreturn void run_agent(int fd, const char *socket_name, const char *state) {
  char program[4096], number[16];
  snprintf(program, sizeof program, "%s/vxn-agent", test_bin());
  snprintf(number, sizeof number, "%d", fd);
  if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0) _exit(125);
  pid_t pid = fork();
  if (pid == 0) {
    fcntl(fd, F_SETFD, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0) _exit(125);
    execl(program, "vxn-agent", "--socket", socket_name == NULL ? number : socket_name, "--state", state, (char *)NULL);
    _exit(126);
  }
  close(fd);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void connect_to(int fd, const char *path) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
  for (uint64_t end = client_now() + 20000; connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0; usleep(2000))
    if (client_now() > end) FAIL("nobody listens at %s", path);
}

struct client *client_start(void) { return client_start_at(NULL); }

struct client *client_start_at(const char *socket_name) {
  static unsigned n;
  int fds[2];
  client_abandon();
  struct client *c = must(calloc(1, sizeof *c));
  char name[32];
  snprintf(name, sizeof name, "state%u", n++);
  char path[108], state[128];
  snprintf(state, sizeof state, "%s", in_base(name));
  if (socket_name != NULL) snprintf(path, sizeof path, "%s", in_base(socket_name));
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) abort();
  vxn_parser_init(&c->parser, VXN_FROM_GUEST);
  c->agent = fork();
  if (c->agent == 0) {
    close(fds[0]);
    setpgid(0, 0);
    run_agent(fds[1], socket_name == NULL ? NULL : path, state);
  }
  close(fds[1]);
  c->fd = fds[0];
  current = c;
  if (socket_name != NULL) {
    close(c->fd);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect_to(c->fd, path);
  }
  UNTIL(c, c->hello);
  client_u32s(c, VXN_H_HELLO, 0, VXN_PROTOCOL_VERSION, UINT32_MAX);
  return c;
}

static void free_client(struct client *c) {
  close(c->fd);
  for (size_t i = 0; i < PROCS; i++) {
    free(c->procs[i].out[0]);
    free(c->procs[i].out[1]);
  }
  free(c);
  current = NULL;
}

static int wait_agent(struct client *c) {
  int status = -1;
  for (uint64_t end = client_now() + 20000; waitpid(c->agent, &status, WNOHANG) == 0;) {
    if (client_now() > end) FAIL("the agent does not end");
    usleep(2000);
  }
  c->agent = 0;
  return status;
}

void expect_end(struct client *c, int code) {
  int status = wait_agent(c);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != code) FAIL("the agent ended with status 0x%x", (unsigned)status);
  free_client(c);
}

void client_end(struct client *c) {
  client_send(c, VXN_H_POWEROFF, 0, NULL, 0);
  expect_end(c, 0);
}

void shutdown_client(struct client *c) {
  shutdown(c->fd, SHUT_RDWR);
  expect_end(c, 0);
}

void client_abandon(void) {
  if (current == NULL) return;
  if (current->agent > 0) {
    kill(-current->agent, SIGKILL);
    waitpid(current->agent, NULL, 0);
  }
  free_client(current);
}

// ---- Frames

static void write_all(struct client *c, const void *data, size_t len) {
  const char *p = data;
  while (len > 0) {
    ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
    if (n < 0) FAIL("the agent is gone: %s", strerror(errno));
    p += n;
    len -= (size_t)n;
  }
}

static void send_frame(struct client *c, const struct vxn_header *h, const void *payload) {
  uint8_t head[VXN_HEADER_SIZE];
  vxn_put_header(head, h);
  write_all(c, head, sizeof head);
  write_all(c, payload, h->length);
}

void client_send(struct client *c, uint16_t type, uint32_t id, const void *payload, size_t len) {
  send_frame(c, &(struct vxn_header){type, 0, id, (uint32_t)len}, payload);
}

void client_part(struct client *c, uint16_t type, uint32_t id, const void *data, size_t len, bool more) {
  send_frame(c, &(struct vxn_header){type, more ? VXN_FLAG_MORE : 0, id, (uint32_t)len}, data);
}

void client_u32s(struct client *c, uint16_t type, uint32_t id, uint32_t a, uint32_t b) {
  uint8_t payload[8];
  vxn_put32(payload, a);
  vxn_put32(payload + 4, b);
  client_send(c, type, id, payload, type == VXN_H_HELLO ? 4 : 8);
}

void client_describe(struct client *c, uint16_t type, uint32_t id, struct payload *p, size_t part) {
  size_t at = 0;
  do {
    size_t len = p->len - at < part ? p->len - at : part;
    bool more = at + len < p->len;
    send_frame(c, &(struct vxn_header){type, more ? VXN_FLAG_MORE : 0, id, (uint32_t)len}, p->data + at);
    at += len;
  } while (at < p->len);
  free(p->data);
  *p = (struct payload){0};
}

static void take_output(struct client *c, uint32_t id, int s, const uint8_t *data, size_t len) {
  struct proc *p = &c->procs[id];
  p->out[s] = must(realloc(p->out[s], p->len[s] + len + 1));
  memcpy(p->out[s] + p->len[s], data, len);
  p->len[s] += len;
  p->out[s][p->len[s]] = 0;
  if (!c->keep_credit) client_u32s(c, VXN_H_CREDIT, id, (uint32_t)s + 1, (uint32_t)len);
}

static vxn_fault take_question(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  if (c->n_questions == QUESTIONS) return "more questions than a test asks";
  struct question *q = &c->questions[c->n_questions++];
  *q = (struct question){.id = h->id, .transport = payload[0], .resolver = payload[1], .len = h->length - 2};
  memcpy(q->message, payload + 2, q->len < sizeof q->message ? q->len : sizeof q->message);
  return NULL;
}

static vxn_fault take(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  struct client *c = ctx;
  if (h->type == VXN_G_DNS) return take_question(c, h, payload);
  if (h->id >= PROCS) return "id over the table";
  struct proc *p = &c->procs[h->id];
  bool of_process = vxn_class(h->type) == VXN_CLASS_PROCESS && h->type >= VXN_G_STDOUT;
  if (of_process && (!p->started || p->exited)) return "frame of a process that does not run";
  switch (h->type) {
    case VXN_G_HELLO:
      c->hello = true;
      return vxn_get32(payload) == VXN_PROTOCOL_VERSION && vxn_get64(payload + 4) <= vxn_get64(payload + 12) ? NULL : "bad HELLO";
    case VXN_G_CONTAINER_OK:
      p->ok = true;
      return NULL;
    case VXN_G_STARTED:
      p->started = true;
      p->pid = vxn_get32(payload);
      return NULL;
    case VXN_G_CONTAINER_FAILED:
    case VXN_G_PROCESS_FAILED:
      p->failed = true;
      p->failure = h->type;
      p->error = vxn_get32(payload);
      memcpy(p->text, payload + 4, h->length - 4);
      return NULL;
    case VXN_G_STDOUT:
    case VXN_G_STDERR: {
      int s = h->type == VXN_G_STDOUT ? 0 : 1;
      if (p->eof[s]) return "output after EOF";
      take_output(c, h->id, s, payload, h->length);
      return NULL;
    }
    case VXN_G_EOF:
      p->eof[vxn_get32(payload) == 1 ? 0 : 1] = true;
      return NULL;
    case VXN_G_CREDIT:
      p->credit += vxn_get32(payload + 4);
      return NULL;
    case VXN_G_EXIT:
      p->exited = true;
      p->code = vxn_get32(payload);
      p->signal = vxn_get32(payload + 4);
      p->order = ++c->ended;
      return p->eof[0] ? NULL : "EXIT before EOF";
    case VXN_G_LOG:
      snprintf(c->log + strlen(c->log), sizeof c->log - strlen(c->log), "%.*s\n", (int)h->length, (const char *)payload);
      return NULL;
    case VXN_G_PONG:
      c->pongs++;
      memcpy(c->pong, payload, h->length);
      return NULL;
    default:
      c->stats_len = h->length < sizeof c->stats ? h->length : 0;
      memcpy(c->stats, payload, c->stats_len);
      return NULL;
  }
}

bool client_read(struct client *c, uint64_t deadline) {
  static uint8_t buf[65536];
  uint64_t now = client_now();
  struct pollfd p = {.fd = c->fd, .events = POLLIN};
  if (c->closed || now >= deadline || poll(&p, 1, (int)(deadline - now)) <= 0) return false;
  ssize_t n = recv(c->fd, buf, sizeof buf, 0);
  if (n <= 0) {
    c->closed = true;
    return true;
  }
  vxn_fault fault = vxn_parser_feed(&c->parser, buf, (size_t)n, take, c);
  if (fault != NULL) FAIL("from the agent: %s", fault);
  return true;
}

const char *output(struct client *c, uint32_t id, int stream) {
  const struct proc *p = &c->procs[id];
  return p->out[stream] == NULL ? "" : (const char *)p->out[stream];
}

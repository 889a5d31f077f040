// SPDX-License-Identifier: MIT
#include "once.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <termios.h>

#include "cleanup.h"
#include "file.h"
#include "streams.h"
#include "watch.h"

#ifndef VXN_NO_XEN
#include <xenstore.h>
#endif

#define FIRST 1u
#define STATUS_LOST 255
#define ANSWERS_MAX 256u

static struct vxn_transport transport;
static struct vxn_parser parser;
static int recording = -1;
static bool recorded;  // the whole file has been read
static int status = STATUS_LOST;

static uint8_t answers[ANSWERS_MAX];  // frames that a host would send in answer to the agent's
static size_t answers_len;
static uint32_t owed[STREAMS + 1];  // credit for output that has been passed on

static bool terminal, typed_all, raw;
static struct termios cooked;
static uint32_t credit = VXN_STDIN_WINDOW;

// ---- To the agent

static void answer(uint16_t type, uint32_t id, const void *payload, uint32_t len) {
  if (answers_len + VXN_HEADER_SIZE + len > ANSWERS_MAX) return;
  vxn_put_header(answers + answers_len, &(struct vxn_header){type, 0, id, len});
  if (len > 0) memcpy(answers + answers_len + VXN_HEADER_SIZE, payload, len);
  answers_len += VXN_HEADER_SIZE + len;
}

static void answer_credit(void) {
  for (uint32_t stream = 1; stream <= STREAMS; stream++) {
    uint8_t payload[8];
    if (owed[stream] == 0) continue;
    vxn_put32(payload, stream);
    vxn_put32(payload + 4, owed[stream]);
    answer(VXN_H_CREDIT, FIRST, payload, sizeof payload);
    owed[stream] = 0;
  }
}

static ssize_t typed(uint8_t *buf, size_t size) {
  if (typed_all || size <= VXN_HEADER_SIZE || credit == 0) return 0;
  size_t room = size - VXN_HEADER_SIZE;
  if (room > VXN_PAYLOAD_MAX) room = VXN_PAYLOAD_MAX;
  ssize_t n = read(transport.fd, buf + VXN_HEADER_SIZE, room < credit ? room : credit);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  typed_all = n <= 0;
  if (n < 0) n = 0;
  credit -= (uint32_t)n;
  vxn_put_header(buf, &(struct vxn_header){n > 0 ? VXN_H_STDIN : VXN_H_STDIN_EOF, 0, FIRST, (uint32_t)n});
  return VXN_HEADER_SIZE + n;
}

static ssize_t once_read(struct vxn_transport *t, void *buf, size_t size) {
  if (answers_len == 0 && recorded) answer_credit();
  if (answers_len > 0) {
    size_t n = answers_len < size ? answers_len : size;
    memcpy(buf, answers, n);
    memmove(answers, answers + n, answers_len - n);
    answers_len -= n;
    return (ssize_t)n;
  }
  if (!recorded) {
    ssize_t n = read(recording, buf, size);
    if (n != 0) return n;
    recorded = true;
    if (!terminal) answer(VXN_H_STDIN_EOF, FIRST, NULL, 0);
    return once_read(t, buf, size);
  }
  return terminal ? typed(buf, size) : 0;
}

// ---- From the agent

static void write_out(int fd, const uint8_t *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) data += n, len -= (size_t)n;
  }
}

static void ended(int how) {
  status = how;
  watch_stop();
}

static void failed(const uint8_t *payload, uint32_t len) {
  static const char name[] = "vxn: ";
  write_out(STDERR_FILENO, (const uint8_t *)name, sizeof name - 1);
  write_out(STDERR_FILENO, payload + 4, len - 4);
  write_out(STDERR_FILENO, (const uint8_t *)"\n", 1);
  switch (vxn_get32(payload)) {
    case ENOENT:
    case ENOTDIR: ended(127); break;
    case EACCES:
    case EISDIR:
    case ENOEXEC: ended(126); break;
    default: ended(STATUS_LOST); break;
  }
}

static vxn_fault from_agent(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  switch (h->type) {
    case VXN_G_STDOUT:
      write_out(STDOUT_FILENO, payload, h->length);
      owed[1] += h->length;
      break;
    case VXN_G_STDERR:
      write_out(STDERR_FILENO, payload, h->length);
      owed[2] += h->length;
      break;
    case VXN_G_CREDIT: credit += vxn_get32(payload + 4); break;
    case VXN_G_CONTAINER_FAILED:
    case VXN_G_PROCESS_FAILED: failed(payload, h->length); break;
    case VXN_G_EXIT: {
      uint32_t signal = vxn_get32(payload + 4);
      ended(signal != 0 ? 128 + (int)signal : (int)vxn_get32(payload));
      break;
    }
    default: break;
  }
  return NULL;
}

static ssize_t once_write(struct vxn_transport *t, const void *buf, size_t size) {
  (void)t;
  if (vxn_parser_feed(&parser, buf, size, from_agent, NULL) != NULL) {
    errno = EPROTO;
    return -1;
  }
  return (ssize_t)size;
}

static int once_ack(struct vxn_transport *t) {
  uint64_t count;
  return terminal || read(t->fd, &count, sizeof count) >= 0 || errno == EAGAIN ? 0 : -1;
}

static void once_close(struct vxn_transport *t) {
  close(t->fd);
  close(recording);
}

// ---- Begin and end

int once_open(const char *file, struct error *e) {
  recording = open(file, O_RDONLY | O_CLOEXEC);
  if (recording < 0) return fail(e, errno, "%.512s: %s", file, errno_text(errno));
  // The container's root is to be as its image made it.
  char path[PATH_MAX], self[PATH_MAX];
  if ((size_t)snprintf(path, sizeof path, "%s", file) >= sizeof path) return 0;
  const char *folder = dirname(path);
  if ((size_t)snprintf(self, sizeof self, "%s/agent", folder) < sizeof self) unlink(self);
  unlink(file);
  rmdir(folder);
  return 0;
}

// The guest's own terminal only carries the bytes of the container's.
static void make_raw(int fd) {
  struct termios t;
  if (tcgetattr(fd, &cooked) < 0) return;
  t = cooked;
  cfmakeraw(&t);
  raw = tcsetattr(fd, TCSANOW, &t) == 0;
}

struct vxn_transport *once_channel(struct error *e) {
  terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  // An open file of our own: whoever shares our stdin does not expect it to be non-blocking.
  int fd = terminal ? open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                    : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    fail(e, errno, "opening stdin: %s", errno_text(errno));
    return NULL;
  }
  if (terminal) make_raw(fd);
  uint8_t version[4];
  vxn_put32(version, VXN_PROTOCOL_VERSION);
  answer(VXN_H_HELLO, 0, version, sizeof version);
  vxn_parser_init(&parser, VXN_FROM_GUEST);
  transport = (struct vxn_transport){.fd = fd,
                                     .events = EPOLLIN | EPOLLET,
                                     .read = once_read,
                                     .write = once_write,
                                     .ack = once_ack,
                                     .close = once_close};
  return &transport;
}

static void leave_status(void) {
  char text[8];
  snprintf(text, sizeof text, "%d", status);
#ifdef VXN_NO_XEN
  write_file("/dev/vxn-exit", text);  // where a test's domain has made that file
#else
  struct xs_handle *xs = xs_open(0);
  if (xs == NULL) return;
  xs_write(xs, XBT_NULL, "data/vxn-exit", text, (unsigned)strlen(text));
  xs_close(xs);
#endif
}

int once_finish(void) {
  if (raw) tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
  leave_status();
  return status;
}

// SPDX-License-Identifier: MIT
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "send.h"

// Stdin credit is given back in portions, so that a byte does not cost a frame.
#define CREDIT_PORTION (VXN_STDIN_WINDOW / 4)
// The most that may still come from a terminal whose first process has ended but which others hold
// open.
#define TERMINAL_REST (1u << 20)

void streams_init(struct streams *s, uint32_t id, bool terminal, uint16_t rows, uint16_t cols) {
  s->id = id;
  s->terminal = terminal;
  s->rows = rows;
  s->cols = cols;
  s->in.given = VXN_STDIN_WINDOW;
  s->out[STREAM_STDOUT].credit = s->out[STREAM_STDERR].credit = VXN_OUTPUT_WINDOW;
}

// ---- Input

static void free_input(struct input *in) {
  free(in->ring);
  in->ring = NULL;
  in->head = in->have = 0;
}

static void input_done(struct streams *s, uint32_t bytes) {
  struct input *in = &s->in;
  in->owed += bytes;
  if (in->owed < CREDIT_PORTION) return;
  send_u32_u32(VXN_G_CREDIT, s->id, 0, in->owed);
  in->given += in->owed;
  in->owed = 0;
}

static void close_input(struct streams *s) {
  struct input *in = &s->in;
  if (in->open && !s->terminal) watch_close(&in->watch);
  in->open = false;
  uint32_t dropped = in->have;
  free_input(in);
  input_done(s, dropped);
}

// A terminal has no end of file: ^D is what a person would type, and only a line editor understands
// it.
static void end_of_terminal_input(struct streams *s) {
  struct termios t;
  if (tcgetattr(s->in.watch.fd, &t) < 0 || (t.c_lflag & ICANON) == 0) return;
  ssize_t n = write(s->in.watch.fd, &t.c_cc[VEOF], 1);
  (void)n;
}

static void flush_input(struct streams *s) {
  struct input *in = &s->in;
  while (in->open && in->writable && in->have > 0) {
    uint32_t part = VXN_STDIN_WINDOW - in->head < in->have ? VXN_STDIN_WINDOW - in->head : in->have;
    ssize_t n = write(in->watch.fd, in->ring + in->head, part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      in->writable = false;
    } else if (n < 0) {
      close_input(s);
    } else {
      in->head = (in->head + (uint32_t)n) % VXN_STDIN_WINDOW;
      in->have -= (uint32_t)n;
      input_done(s, (uint32_t)n);
    }
  }
  if (in->open && in->eof && in->have == 0) {
    if (s->terminal) end_of_terminal_input(s);
    close_input(s);
  }
}

static void input_ready(struct streams *s, uint32_t events) {
  s->in.writable = true;
  // Nobody reads the pipe any more.
  if (!s->terminal && (events & EPOLLERR) != 0) {
    close_input(s);
    return;
  }
  flush_input(s);
}

static void stdin_writable(struct watch *w, uint32_t events) {
  input_ready(WATCH_OWNER(w, struct streams, in.watch), events);
}

vxn_fault streams_input(struct streams *s, const uint8_t *data, size_t len) {
  struct input *in = &s->in;
  if (len > in->given) return "more stdin than the credit";
  in->given -= (uint32_t)len;
  bool expected = !s->running || in->open;
  if (expected && !in->eof && len > 0 && in->ring == NULL) in->ring = malloc(VXN_STDIN_WINDOW);
  if (!expected || in->eof || in->ring == NULL) {
    input_done(s, (uint32_t)len);
    return NULL;
  }
  // The window bounds the queue: in->have + len never exceeds it.
  uint32_t at = (in->head + in->have) % VXN_STDIN_WINDOW;
  size_t part = VXN_STDIN_WINDOW - at < len ? VXN_STDIN_WINDOW - at : len;
  memcpy(in->ring + at, data, part);
  memcpy(in->ring, data + part, len - part);
  in->have += (uint32_t)len;
  flush_input(s);
  return NULL;
}

void streams_input_eof(struct streams *s) {
  s->in.eof = true;
  flush_input(s);
}

// ---- Output

static void output_ended(struct streams *s, int n) {
  uint8_t payload[4];
  if (s->terminal) close_input(s);  // the same descriptor
  watch_close(&s->out[n].watch);
  s->out[n].open = false;
  vxn_put32(payload, (uint32_t)n + 1);
  send_frame(VXN_G_EOF, s->id, payload, sizeof payload);
}

static void output_ready(struct streams *s, int n, uint32_t events) {
  s->out[n].readable = true;
  if (s->terminal && (events & EPOLLOUT) != 0) input_ready(s, events);
}

static void stdout_ready(struct watch *w, uint32_t events) {
  output_ready(WATCH_OWNER(w, struct streams, out[STREAM_STDOUT].watch), STREAM_STDOUT, events);
}

static void stderr_ready(struct watch *w, uint32_t events) {
  output_ready(WATCH_OWNER(w, struct streams, out[STREAM_STDERR].watch), STREAM_STDERR, events);
}

// Without credit nothing can be read, but the end can still be seen.
static bool ended_without_credit(const struct streams *s, int n) {
  struct pollfd pfd = {.fd = s->out[n].watch.fd, .events = POLLIN};
  if (poll(&pfd, 1, 0) < 0 || (pfd.revents & POLLIN) != 0) return false;
  return s->exited || (!s->terminal && (pfd.revents & POLLHUP) != 0);
}

// Bytes that may be read now; 0: none before the host gives credit, or none before the end.
static size_t wanted(const struct streams *s, const struct output *o) {
  size_t want = o->credit < VXN_PAYLOAD_MAX ? o->credit : VXN_PAYLOAD_MAX;
  return s->exited && o->remain < want ? (size_t)o->remain : want;
}

static bool pump_output(struct streams *s, int n) {
  struct output *o = &s->out[n];
  if (!o->open || !o->readable || !s->running || !send_has_room()) return false;
  if (s->exited && o->remain == 0) {
    output_ended(s, n);
    return true;
  }
  if (o->credit == 0) {
    if (!ended_without_credit(s, n)) return false;
    output_ended(s, n);
    return true;
  }
  size_t want = wanted(s, o);
  uint8_t *to = send_reserve(want);
  if (to == NULL) return false;
  ssize_t got = read(o->watch.fd, to, want);
  if (got > 0) {
    send_commit(n == STREAM_STDOUT ? VXN_G_STDOUT : VXN_G_STDERR, s->id, (size_t)got);
    o->credit -= (uint32_t)got;
    if (s->exited) o->remain -= (uint64_t)got;
    return true;
  }
  if (got < 0 && errno == EINTR) return true;
  // A terminal answers EIO while no process has it open, which may change as long as its first
  // process lives.
  bool nothing_now = got < 0 && (errno == EAGAIN || (s->terminal && errno == EIO));
  if (!nothing_now || s->exited) {
    output_ended(s, n);
    return true;
  }
  o->readable = false;
  return false;
}

bool streams_pump(struct streams *s) {
  bool moved = false;
  for (int n = 0; n < STREAMS; n++)
    if (pump_output(s, n)) moved = true;
  return moved;
}

vxn_fault streams_credit(struct streams *s, uint32_t stream, uint32_t bytes) {
  if (stream < 1 || stream > STREAMS) return "credit for an unknown stream";
  struct output *o = &s->out[stream - 1];
  if (bytes > VXN_CREDIT_MAX || o->credit + bytes > VXN_CREDIT_MAX) return "credit over the limit";
  o->credit += bytes;
  return NULL;
}

void streams_resize(struct streams *s, uint16_t rows, uint16_t cols) {
  s->rows = rows;
  s->cols = cols;
  struct winsize size = {.ws_row = rows, .ws_col = cols};
  if (s->terminal && s->out[STREAM_STDOUT].open) ioctl(s->out[STREAM_STDOUT].watch.fd, TIOCSWINSZ, &size);
}

// ---- Begin and end

static int set_nonblocking(int fd) { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int watch_output(struct streams *s, int n, int fd, uint32_t more_events) {
  struct output *o = &s->out[n];
  o->watch.fd = fd;
  if (set_nonblocking(fd) < 0 ||
      watch_add(&o->watch, EPOLLIN | EPOLLET | more_events, n == STREAM_STDOUT ? stdout_ready : stderr_ready) < 0) {
    close(fd);
    return -1;
  }
  o->open = o->readable = true;
  return 0;
}

static int watch_input(struct streams *s, int fd) {
  s->in.watch.fd = fd;
  if (set_nonblocking(fd) < 0 || watch_add(&s->in.watch, EPOLLOUT | EPOLLET, stdin_writable) < 0) {
    close(fd);
    return -1;
  }
  s->in.open = s->in.writable = true;
  return 0;
}

int streams_open(struct streams *s, const int fds[3]) {
  int in = watch_input(s, fds[0]);
  int out = watch_output(s, STREAM_STDOUT, fds[1], 0);
  int err = watch_output(s, STREAM_STDERR, fds[2], 0);
  flush_input(s);
  return in < 0 || out < 0 || err < 0 ? -1 : 0;
}

void streams_open_terminal(struct streams *s, int fd) {
  if (s->out[STREAM_STDOUT].open || watch_output(s, STREAM_STDOUT, fd, EPOLLOUT) < 0) return;
  s->in.watch.fd = fd;
  s->in.open = s->in.writable = true;
  streams_resize(s, s->rows, s->cols);
}

void streams_started(struct streams *s) {
  s->running = true;
  if (!s->in.open) close_input(s);  // closed while it started: drops everything queued since
  flush_input(s);
}

void streams_exited(struct streams *s) {
  s->exited = true;
  close_input(s);
  for (int n = 0; n < STREAMS; n++) {
    struct output *o = &s->out[n];
    int bytes = 0;
    // Other processes may hold a pipe open and go on writing: only its content of this moment
    // counts.
    if (o->open && !s->terminal) ioctl(o->watch.fd, FIONREAD, &bytes);
    o->remain = s->terminal ? TERMINAL_REST : (uint64_t)bytes;
    o->readable = true;
  }
}

bool streams_done(const struct streams *s) { return !s->out[STREAM_STDOUT].open && !s->out[STREAM_STDERR].open; }

void streams_close(struct streams *s) {
  if (s->in.open && !s->terminal) watch_close(&s->in.watch);
  s->in.open = false;
  free_input(&s->in);
  for (int n = 0; n < STREAMS; n++) {
    if (s->out[n].open) watch_close(&s->out[n].watch);
    s->out[n].open = false;
  }
}

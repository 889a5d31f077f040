// SPDX-License-Identifier: MIT
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "../host/loop.h"
#include "../host/record.h"

#define CONSOLE_BYTES (256u << 10)

static struct source src = {.fd = -1};
static struct record log_;
static void (*on_panic)(void), (*on_closed)(void);
static void (*on_data)(const uint8_t *data, size_t len);
static char line[256], panic_text[200];
static size_t line_len;

static void end_of_line(void) {
  static const char mark[] = "Kernel panic - not syncing: ";
  line[line_len] = '\0';
  line_len = 0;
  const char *hit = strstr(line, mark);
  if (hit == NULL || panic_text[0] != '\0') return;
  strncpy(panic_text, hit + sizeof mark - 1, sizeof panic_text - 1);
  if (panic_text[0] != '\0') on_panic();
}

static void scan(const char *data, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (data[i] == '\n')
      end_of_line();
    else if (data[i] >= ' ' && data[i] <= '~' && line_len < sizeof line - 1)
      line[line_len++] = data[i];
  }
}

static void readable(struct source *s, uint32_t events) {
  (void)events;
  char chunk[4096];
  ssize_t n = read(s->fd, chunk, sizeof chunk);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    loop_close(s);
    if (on_closed != NULL) on_closed();
    return;
  }
  record_append(&log_, NULL, 0, chunk, (size_t)n);
  scan(chunk, (size_t)n);
  if (on_data != NULL) on_data((const uint8_t *)chunk, (size_t)n);
}

void console_init(const char *dir, void (*panic)(void)) {
  record_open(&log_, dir, "console.log", CONSOLE_BYTES);
  on_panic = panic;
}

void console_open(const char *tty) {
  int fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  struct termios t;
  if (fd < 0) return;
  if (tcgetattr(fd, &t) == 0) {
    // No echo, or the guest would read its own messages as input.
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
  }
  src = (struct source){.fd = fd, .events = EPOLLIN, .ready = readable};
  if (loop_add(&src) < 0) close(fd), src.fd = -1;
}

void console_tap(void (*data)(const uint8_t *data, size_t len), void (*closed)(void)) {
  on_data = data;
  on_closed = closed;
}

void console_pause(bool pause) { loop_set(&src, pause ? 0 : EPOLLIN); }

const char *console_panic(void) { return panic_text[0] != '\0' ? panic_text : NULL; }

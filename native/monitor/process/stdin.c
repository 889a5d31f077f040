// SPDX-License-Identifier: MIT
#include "stdin.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../host/loop.h"

static struct source src = {.fd = -1};
static const struct link *link_;
static uint32_t credit = VXN_STDIN_WINDOW;
static bool passes_end, eof_owed;

static void end_of_file(void) {
  loop_close(&src);
  eof_owed = passes_end;
}

static void readable(struct source *s, uint32_t events) {
  (void)events;
  static uint8_t chunk[VXN_STDIN_WINDOW];
  if (credit == 0 || !link_->has_room()) return;
  ssize_t n = read(s->fd, chunk, credit < sizeof chunk ? credit : sizeof chunk);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    end_of_file();
    return;
  }
  link_->send(VXN_H_STDIN, 0, chunk, (uint32_t)n);
  credit -= (uint32_t)n;
}

void stdin_open(int fd, const struct link *link, bool ends) {
  link_ = link;
  passes_end = ends;
  src = (struct source){.fd = fd, .events = EPOLLIN, .ready = readable};
  if (loop_add(&src) < 0)
    end_of_file();
  else
    loop_set(&src, 0);
}

bool stdin_credit(uint32_t n) {
  if (n > VXN_CREDIT_MAX - credit) return false;
  credit += n;
  return true;
}

void stdin_gate(bool running) {
  if (running && eof_owed && link_->has_room()) {
    link_->send(VXN_H_STDIN_EOF, 0, NULL, 0);
    eof_owed = false;
  }
  if (src.fd >= 0) loop_set(&src, running && credit > 0 && link_->has_room() ? EPOLLIN : 0);
}

void stdin_close(void) { loop_close(&src); }

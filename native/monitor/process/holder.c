// SPDX-License-Identifier: MIT
#include "holder.h"

#include "../host/loop.h"
#include "streams.h"
#include "terminal.h"

static const struct link *link_;
static void (*on_ended)(int status);
static enum holder_state state = HOLDER_WAITING;
static int status = HOLDER_STATUS_LOST;
static struct timer grace;

void holder_init(const struct link *link, void (*ended)(int status)) {
  link_ = link;
  on_ended = ended;
}

enum holder_state holder_state(void) { return state; }

int holder_status(void) { return status; }

void holder_started(void) {
  state = HOLDER_RUNNING;
  terminal_begin();
}

void holder_end(int exit_status) {
  if (state == HOLDER_ENDED) return;
  state = HOLDER_ENDED;
  status = exit_status;
  on_ended(exit_status);
  streams_end_input();
  link_->hang_up(exit_status);
}

void holder_stop_after(int ms) { timer_set(&grace, ms, loop_stop); }

void holder_send_signal(int signo) {
  uint8_t payload[8] = {0};
  vxn_put32(payload, (uint32_t)signo);
  link_->send(VXN_H_SIGNAL, 0, payload, sizeof payload);
}

// As a shell gives it.
static int status_of_exit(const uint8_t *payload) {
  uint32_t code = vxn_get32(payload), signo = vxn_get32(payload + 4);
  return signo != 0 ? 128 + (int)(signo & 127) : (int)(code & 255);
}

vxn_fault holder_frame(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_G_STDOUT:
    case VXN_G_STDERR:
      if (state == HOLDER_WAITING) return "output of a process that does not run";
      return streams_frame(h, payload);
    case VXN_G_CREDIT: return streams_frame(h, payload);
    case VXN_G_EXIT:
      if (state == HOLDER_WAITING) return "EXIT of a process that does not run";
      holder_end(status_of_exit(payload));
      return NULL;
    default: return NULL;
  }
}

void holder_turn(void) {
  streams_turn(state == HOLDER_RUNNING);
  if (state == HOLDER_ENDED && streams_idle()) loop_stop();
}

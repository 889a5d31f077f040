// SPDX-License-Identifier: MIT
#include "streams.h"

#include "backlog.h"
#include "output.h"
#include "output_log.h"
#include "stdin.h"

static const struct link *link_;
static struct output out[2];
static bool unlimited;  // stdout goes through the backlog

static void open_outputs(int out_fd, int err_fd, const struct link *link) {
  link_ = link;
  output_open(&out[0], out_fd, 1);
  output_open(&out[1], err_fd, 2);
}

void streams_open(const struct stdio *stdio, const struct link *link) {
  stdin_open(stdio->in, link, stdio->in_ends);
  open_outputs(stdio->out, stdio->err, link);
}

void streams_open_output(int out_fd, int err_fd, const struct link *link) {
  unlimited = true;
  open_outputs(out_fd, err_fd, link);
}

static vxn_fault take_output(const struct vxn_header *h, const uint8_t *payload) {
  int i = h->type == VXN_G_STDOUT ? 0 : 1;
  output_log_append(h, payload);
  if (unlimited && i == 0) return backlog_write(&out[0], payload, h->length), NULL;
  return output_write(&out[i], payload, h->length) ? NULL : "more output than credit";
}

static vxn_fault take_credit(const uint8_t *payload) {
  bool within = vxn_get32(payload) == 0 && stdin_credit(vxn_get32(payload + 4));
  return within ? NULL : "credit beyond the limit";
}

vxn_fault streams_frame(const struct vxn_header *h, const uint8_t *payload) {
  return h->type == VXN_G_CREDIT ? take_credit(payload) : take_output(h, payload);
}

void streams_turn(bool running) {
  if (unlimited) {
    backlog_turn(&out[0], link_);
    return;
  }
  if (running) output_credit(&out[0], link_), output_credit(&out[1], link_);
  stdin_gate(running);
}

void streams_end_input(void) { stdin_close(); }

bool streams_idle(void) { return backlog_empty() && output_idle(&out[0]) && output_idle(&out[1]); }

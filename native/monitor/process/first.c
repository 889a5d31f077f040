// SPDX-License-Identifier: MIT
#include "first.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "../host/monitor_log.h"
#include "../host/timeline.h"
#include "../host/words.h"
#include "../link/local.h"
#include "description.h"
#include "holder.h"
#include "outcome.h"
#include "output_log.h"
#include "streams.h"

static const struct first_plan *plan;
static const struct link *link_;
static bool asked;          // START came
static bool has_container;  // the guest has made the container
static bool terminal_owed;  // the description lacks its last frame

// ---- The end

static void lose(const char *why) {
  if (holder_state() == HOLDER_ENDED) return;
  monitor_log("%s", why);
  outcome_error(0, why);
  holder_end(HOLDER_STATUS_LOST);
  holder_stop_after(HOLDER_GRACE_MS);
}

static void kill_now(int signo) {
  holder_end(128 + signo);
  holder_stop_after(HOLDER_GRACE_MS);
}

static void closed(const struct link_end *end) {
  if (end->why != NULL && holder_state() != HOLDER_ENDED) outcome_error(end->error_number, end->why);
  holder_end(end->why != NULL ? HOLDER_STATUS_LOST : 128 + end->signal);
  holder_stop_after(HOLDER_GRACE_MS);
}

void first_kill(void) {
  if (plan->described)
    holder_send_signal(SIGKILL);
  else
    kill_now(SIGKILL);
}

// ---- Requests of the runtime

static void start_asked(void) {
  if (asked || holder_state() != HOLDER_WAITING) return;
  asked = true;
  terminal_owed = terminal_is_open();
  if (description_open(plan->log_dir, link_) < 0) lose("cannot read the start file");
}

static void signal_asked(const struct vxn_header *h, const uint8_t *payload) {
  if (h->length != 8) return;
  if (holder_state() == HOLDER_RUNNING)
    link_->send(h->type, 0, payload, h->length);
  else
    first_signal((int)(vxn_get32(payload) & 127), false);
}

void first_signal(int signo, bool by_kernel) {
  if (plan->described) {
    holder_send_signal(signo);
  } else if (terminal_takes_signal(signo, by_kernel)) {
    if (signo == SIGWINCH && asked && !terminal_owed) terminal_resize(link_);
  } else if (holder_state() == HOLDER_RUNNING) {
    holder_send_signal(signo);
  } else if (signo != SIGWINCH && signo != SIGCONT && signo != SIGURG) {
    kill_now(signo);
  }
}

// ---- Frames of the guest

static vxn_fault container_made(void) {
  if (holder_state() != HOLDER_WAITING || !asked || has_container) return "CONTAINER_OK without CONTAINER";
  has_container = true;
  timeline_stamp("container.ready", 0);
  return NULL;
}

static bool is_described(void) { return plan->described || (asked && !description_pending() && !terminal_owed); }

static vxn_fault started(void) {
  if (holder_state() != HOLDER_WAITING || !is_described()) return "STARTED without PROCESS";
  holder_started();
  outcome_started();
  return NULL;
}

// 126 and 127 as a shell gives them, since the engines show the status of a container that never
// ran.
static int status_of_failure(uint32_t error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return 127;
    case EACCES:
    case EISDIR:
    case ENOEXEC: return 126;
    default: return HOLDER_STATUS_LOST;
  }
}

static vxn_fault failed(const uint8_t *payload, uint32_t length) {
  if (holder_state() != HOLDER_WAITING) return "a failure without a request";
  char text[VXN_TEXT_MAX + 1];
  words_copy(text, payload + 4, length - 4);
  uint32_t error_number = vxn_get32(payload);
  monitor_log("%s", text);
  outcome_error(error_number, text);
  holder_end(status_of_failure(error_number));
  return NULL;
}

static vxn_fault frame(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_M_KILL: return first_kill(), NULL;
    case VXN_M_START: return start_asked(), NULL;
    case VXN_H_SIGNAL: return signal_asked(h, payload), NULL;
    case VXN_G_CONTAINER_OK: return container_made();
    case VXN_G_STARTED: return started();
    case VXN_G_CONTAINER_FAILED:
    case VXN_G_PROCESS_FAILED: return failed(payload, h->length);
    default: return holder_frame(h, payload);
  }
}

// ---- The program's part

int first_open(const struct first_plan *p, const char **error) {
  static const struct link_events events = {frame, closed};
  struct stdio stdio;
  plan = p;
  if (outcome_open(p->run_dir) < 0) return *error = "cannot make the gates", -1;
  output_log_open(p->log_dir, p->log_bytes);
  link_ = local_connect(&events);
  holder_init(link_, outcome_exit);
  if (p->described) {
    streams_open_output(STDOUT_FILENO, STDERR_FILENO, link_);
    return 0;
  }
  if (terminal_open(&p->terminal, &stdio, error) < 0) return -1;
  streams_open(&stdio, link_);
  return 0;
}

void first_turn(void) {
  if (holder_state() == HOLDER_WAITING && !description_send(link_)) lose("the start file is damaged");
  if (terminal_owed && !description_pending()) {
    terminal_owed = false;
    terminal_describe(link_);
  }
  holder_turn();
}

int first_close(void) {
  output_log_flush();
  timeline_stamp("monitor.exit", 0);
  terminal_end();
  return holder_status();
}

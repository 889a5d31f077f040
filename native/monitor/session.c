// SPDX-License-Identifier: MIT
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "console.h"
#include "control.h"
#include "dns.h"
#include "guest.h"
#include "loop.h"
#include "network.h"
#include "outcome.h"
#include "output.h"
#include "output_log.h"
#include "record.h"
#include "relay.h"
#include "requests.h"
#include "start.h"
#include "stats.h"
#include "stdin.h"
#include "terminal.h"
#include "words.h"

#define INIT 1u
#define STATUS_LOST 255
// After a KILL, or when the guest is gone, whoever reads our output gets this long to take the rest.
#define GRACE_MS 2000
// The console may still hold the reason when Xen says that the guest crashed.
#define PANIC_MS 2000

// What a guest may say in all: it is to push nothing of the monitor's own out of monitor.log.
#define SAID_MAX (16u << 10)

enum state { BOOTING = 1, READY, RUNNING, EXITED };

static enum state state = BOOTING;
static uint32_t domid;
static int status = STATUS_LOST;
static uint32_t said;  // bytes of LOG that are in monitor.log
static struct output out[2];
static bool asked_to_start, has_container, terminal_owed, no_domain, lost;
static char start_file[160];

static void stop_when_flushed(void) {
  if (state == EXITED && output_idle(&out[0]) && output_idle(&out[1])) loop_stop();
}

// The first process is over, or never will be: its status is fixed and the domain goes.
static void end(int exit_status) {
  if (state == EXITED) return;
  state = EXITED;
  status = exit_status;
  network_close();
  dns_close();
  outcome_exit(exit_status);
  stdin_close();
  relay_end(lost);
  stop_when_flushed();
}

// The guest is lost for a reason that the operator has to read.
static void lose(const char *why) {
  if (state == EXITED) return;
  outcome_error(0, why);
  lost = true;
  end(STATUS_LOST);
  loop_timer(GRACE_MS, loop_stop);
}

static void network_failed(const char *why) {
  if (state == EXITED) return;
  outcome_error(ENETDOWN, why);
  end(STATUS_LOST);
}

static vxn_fault from_init_output(const struct vxn_header *h, const uint8_t *payload) {
  if (state != RUNNING) return "output of a process that does not run";
  struct output *o = &out[h->type == VXN_G_STDOUT ? 0 : 1];
  output_log_append(h, payload);
  return output_write(o, payload, h->length) ? NULL : "more output than credit";
}

static vxn_fault container_ready(void) {
  if (state != READY || !asked_to_start || has_container) return "CONTAINER_OK without CONTAINER";
  has_container = true;
  timeline_stamp("container.ready", 0);
  return NULL;
}

static vxn_fault init_started(void) {
  if (state != READY || !asked_to_start || start_pending() || terminal_owed) return "STARTED without PROCESS";
  state = RUNNING;
  terminal_begin();
  outcome_started();
  return NULL;
}

// 126 and 127 as a shell gives them, since the engines show the status of a container that never ran.
static int status_of_failure(uint32_t error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return 127;
    case EACCES:
    case EISDIR:
    case ENOEXEC: return 126;
    default: return STATUS_LOST;
  }
}

static vxn_fault init_failed(const uint8_t *payload, uint32_t length) {
  if (state != READY) return "FAILED without a request";
  char text[VXN_TEXT_MAX + 1];
  words_copy(text, payload + 4, length - 4);
  uint32_t error_number = vxn_get32(payload);
  outcome_error(error_number, text);
  end(status_of_failure(error_number));
  return NULL;
}

static vxn_fault from_init(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_G_CONTAINER_OK: return container_ready();
    case VXN_G_STARTED: return init_started();
    case VXN_G_FAILED: return init_failed(payload, h->length);
    case VXN_G_STDOUT:
    case VXN_G_STDERR: return from_init_output(h, payload);
    case VXN_G_EOF: return NULL;
    case VXN_G_CREDIT:
      return vxn_get32(payload) == 0 && stdin_credit(vxn_get32(payload + 4)) ? NULL : "credit beyond the limit";
    case VXN_G_EXIT: {
      if (state != RUNNING) return "EXIT of a process that does not run";
      uint32_t code = vxn_get32(payload), sig = vxn_get32(payload + 4);
      end(sig != 0 ? 128 + (int)(sig & 127) : (int)(code & 255));
      return NULL;
    }
    default: return NULL;
  }
}

static vxn_fault hello(const struct vxn_header *h, const uint8_t *payload) {
  if (state != BOOTING) return "a second HELLO";
  if (vxn_get32(payload) < VXN_PROTOCOL_VERSION) return "the guest's agent is too old";
  int64_t begun = (int64_t)vxn_get64(payload + 4), now = (int64_t)vxn_get64(payload + 12);
  // The guest's clock is its own affair: only plausible values get into the time line.
  bool plausible = now >= 0 && now < INT64_C(600000000000) && begun >= 0 && begun <= now;
  if (plausible) timeline_stamp("guest.kernel", -now), timeline_stamp("guest.agent", begun - now);
  timeline_stamp("agent.ready", 0);
  uint8_t version[4];
  vxn_put32(version, VXN_PROTOCOL_VERSION);
  guest_send(VXN_H_HELLO, 0, 0, version, sizeof version);
  (void)h;
  state = READY;
  return NULL;
}

static void guest_says(const uint8_t *payload, uint32_t length) {
  char text[VXN_TEXT_MAX + 1];
  if (said > SAID_MAX) return;
  said += length + (uint32_t)sizeof "guest: ";
  words_copy(text, payload, length);
  outcome_note("guest: %s", said > SAID_MAX ? "(it says too much: no more of that is kept, see logs --console)" : text);
}

static vxn_fault from_guest(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (state == EXITED) return NULL;
  if (h->type == VXN_G_HELLO) return hello(h, payload);
  if (h->type == VXN_G_LOG) return guest_says(payload, h->length), NULL;
  if (state == BOOTING) return "a frame before HELLO";
  if (h->type == VXN_G_STATS) return stats_from_guest(h, payload);
  if (h->type == VXN_G_DNS) return dns_query(h, payload);
  return h->id == INIT ? from_init(h, payload) : relay_from_guest(h, payload);
}

static void agent_gone(void) { lose("the guest's agent is gone"); }

static void guest_closed(vxn_fault why) {
  if (state == EXITED) return;
  if (why == NULL && !no_domain) {
    // Its domain is about to end, and how it ends says more.
    loop_timer(GRACE_MS, agent_gone);
    return;
  }
  char text[160];
  snprintf(text, sizeof text, "%s%s", why == NULL ? "the guest's agent is gone" : "the guest broke the protocol: ",
           why == NULL ? "" : why);
  lose(text);
}

static void session_served(const char *path) {
  static const struct guest_events events = {from_guest, guest_closed};
  int rc = no_domain ? channel_open_unix(path) : channel_open_vchan(domid, path);
  if (rc < 0 || guest_attach(&events) < 0) lose("cannot connect to the guest's agent");
}

static void session_console(const char *tty) { console_open(tty); }

static void panicked(void) {
  char text[320];
  const char *message = console_panic();
  snprintf(text, sizeof text, "the guest kernel panicked: %s", message != NULL ? message : "see logs --console");
  lose(text);
}

static bool crashed;

static void panic_seen(void) {
  if (crashed) panicked();
}

static void session_ended(enum domain_end how) {
  guest_drain();
  if (state == EXITED) return;
  if (how == DOMAIN_CRASH && console_panic() == NULL) {
    crashed = true;
    loop_timer(PANIC_MS, panicked);
    return;
  }
  if (how == DOMAIN_CRASH) panicked();
  lose(how == DOMAIN_GONE       ? "the domain was destroyed from outside"
       : how == DOMAIN_POWEROFF ? "the guest powered off"
                                : "the guest rebooted");
}

static void kill_now(int signo) {
  end(128 + signo);
  loop_timer(GRACE_MS, loop_stop);
}

static void session_signal(int signo, bool by_kernel) {
  if (terminal_takes_signal(signo, by_kernel)) {
    if (signo == SIGWINCH && asked_to_start && !terminal_owed) terminal_resize(INIT);
  } else if (state == RUNNING) {
    uint8_t payload[8] = {0};
    vxn_put32(payload, (uint32_t)signo);
    guest_send(VXN_H_SIGNAL, 0, INIT, payload, sizeof payload);
  } else if (signo != SIGWINCH && signo != SIGCONT && signo != SIGURG) {
    kill_now(signo);
  }
}

static void session_kill(void) { kill_now(SIGKILL); }

static void send_status(struct client *c, uint32_t id) {
  uint8_t payload[12];
  vxn_put32(payload, (uint32_t)state);
  vxn_put32(payload + 4, domid);
  vxn_put32(payload + 8, (uint32_t)status);
  control_send(c, VXN_M_STATUS, id, payload, sizeof payload);
}

static void start_asked(void) {
  if (asked_to_start || state > READY) return;
  asked_to_start = true;
  terminal_owed = terminal_is_open();
  if (start_open(start_file) < 0) lose("cannot read the start file");
}

static void from_runtime(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_C_KILL: kill_now(SIGKILL); break;
    case VXN_C_START: start_asked(); break;
    case VXN_H_SIGNAL:
      if (h->length != 8) break;
      if (state == RUNNING)
        guest_send(h->type, 0, INIT, payload, h->length);
      else
        session_signal((int)(vxn_get32(payload) & 127), false);
      break;
    default: break;
  }
}

static bool from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_C_STATUS) return send_status(c, h->id), true;
  if (h->type == VXN_H_STATS) {
    if (state == BOOTING) return false;
    return state == EXITED ? true : stats_from_client(c, h);
  }
  if (h->type == VXN_C_PIDS) return relay_send_pids(c, h->id), true;
  if (state != RUNNING) {
    static const char text[] = "\0\0\0\0container not running";
    if (h->type == VXN_H_PROCESS) control_send(c, VXN_G_FAILED, h->id, text, sizeof text - 1);
    return true;
  }
  return h->id > INIT ? relay_from_client(c, h, payload) : true;
}

static void client_gone(struct client *c) {
  relay_client_gone(c);
  stats_client_gone(c);
}

static int session_open(const struct options *o, const char **error) {
  static const struct control_events events = {from_client, client_gone};
  char path[160];
  struct stdio stdio;
  if (outcome_open(o) < 0) return *error = "cannot make the gates", -1;
  output_log_open(o->log_dir, o->log_bytes);
  console_init(o->log_dir, panic_seen);
  network_open(o, network_failed);
  if (terminal_open(&o->terminal, &stdio, error) < 0) return -1;
  stdin_open(stdio.in, INIT, stdio.in_ends);
  output_open(&out[0], stdio.out, 1);
  output_open(&out[1], stdio.err, 2);
  snprintf(path, sizeof path, "%s/control.sock", o->run_dir);
  if (control_listen(path, &events) < 0) return *error = "cannot listen on the control socket", -1;
  snprintf(start_file, sizeof start_file, "%s/start.frames", o->log_dir);
  snprintf(path, sizeof path, "%s/requests", o->run_dir);
  if (requests_open(path, from_runtime) < 0) return *error = "cannot make the request FIFO", -1;
  return 0;
}

static void session_domain(uint32_t id) {
  domid = id;
  no_domain = domain_socket() != NULL;
  network_domain(id);
  if (!no_domain) outcome_domain(id);
}

static void session_turn(void) {
  guest_receive();
  relay_turn();
  if (state != BOOTING) control_retry();
  if (state == READY || state == RUNNING) network_turn(), dns_turn();
  if (state == READY && !start_pump()) lose("the start file is damaged");
  if (terminal_owed && !start_pending()) terminal_owed = false, terminal_describe(INIT);
  bool full = !guest_has_room();
  guest_flush();
  if (state == RUNNING) output_credit(&out[0], INIT), output_credit(&out[1], INIT);
  stdin_gate(state == RUNNING);
  full = full || !guest_has_room();
  guest_flush();
  if (full && guest_has_room()) loop_again();  // for what found no room before
  stop_when_flushed();
}

static int session_status(void) {
  output_log_flush();
  timeline_stamp("monitor.exit", 0);
  control_drain();
  return status;
}

const struct session agent_session = {
    .open = session_open,
    .events = {.served = session_served, .console = session_console, .ended = session_ended},
    .domain = session_domain,
    .signal = session_signal,
    .kill = session_kill,
    .turn = session_turn,
    .status = session_status,
};

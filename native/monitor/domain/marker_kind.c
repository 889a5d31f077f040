// SPDX-License-Identifier: MIT
// A guest of meta-virtualization's own images: its console is read, its output passed on, its end
// watched. It cannot be talked to, so a signal that would end its program ends its domain.
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../host/loop.h"
#include "../host/monitor_log.h"
#include "../link/local.h"
#include "console.h"
#include "control.h"
#include "end.h"
#include "kind.h"
#include "lent_console.h"
#include "marker.h"
#include "requests.h"

#define STATUS_UNKNOWN 255u
// The engine gets this long to read the rest of a console that it has.
#define GRACE_MS 2000
// An ended domain's last words are still on their way through xenconsoled, which rests up to 200 ms
// between two reads.
#define WORDS_MS 2000
#define SETTLE_MS 300
// A guest that has told its status shuts down. If it hangs in that, it is not waited for longer
// than this.
#define SHUTDOWN_MS 15000
#define REST_MS 50
// Output that the holder has not passed on. Beyond this the console waits, where xenconsoled keeps
// the last 1 MiB.
#define UNREAD_MAX ((64u << 20) + VXN_OUTPUT_WINDOW)

static enum life life = LIFE_READY;
static uint32_t domid;
static uint32_t last_status = STATUS_UNKNOWN;  // for VXN_M_STATUS
static bool domain_over, console_over;
static enum domain_end how_ended;
static size_t unread;  // bytes of output without credit
static struct marker marker;
static const char *console_socket;  // the engine has the console itself
static struct timer timer;
static int rests;

// ---- Frames for the holder

static void deliver(uint16_t type, const void *payload, size_t len) {
  local_deliver(&(struct vxn_header){type, 0, LOCAL_PROCESS, (uint32_t)len}, payload);
}

static void pass_on(const uint8_t *data, size_t len) {
  unread += len;
  deliver(VXN_G_STDOUT, data, len);
}

// ---- The end

// The last container has ended, and the domain goes with it.
static void container_ended(int status) {
  if (life == LIFE_ENDED) return;
  life = LIFE_ENDED;
  last_status = (uint32_t)status;
  timer_cancel(&timer);
  end_domain();
}

// Only the engine's user can be told: `start` has returned.
static void say_on_stderr(const char *why) {
  char line[400];
  int n = snprintf(line, sizeof line, "vxn: %s\n", why);
  if (n > 0 && (size_t)n < sizeof line) deliver(VXN_G_STDERR, line, (size_t)n);
}

static void lose(const char *why) {
  if (life == LIFE_ENDED) return;
  monitor_log("%s", why);
  if (life == LIFE_RUNNING) say_on_stderr(why);
  local_close(&(struct link_end){.why = why});
  container_ended(STATUS_UNKNOWN);
}

static void exited(int status) {
  uint8_t payload[16] = {0};
  vxn_put32(payload, (uint32_t)status);
  deliver(VXN_G_EXIT, payload, sizeof payload);
  container_ended(status);
}

static void lose_without_status(void) {
  char text[360];
  const char *reason = marker_error(&marker);
  const char *panic = console_panic();
  if (reason != NULL)
    snprintf(text, sizeof text, "the guest failed: %s", reason);
  else if (how_ended == DOMAIN_CRASH)
    snprintf(text, sizeof text, "the guest kernel panicked: %s", panic != NULL ? panic : "see logs --console");
  else
    snprintf(text, sizeof text, "%s without an exit status of its program",
             how_ended == DOMAIN_POWEROFF  ? "the guest powered off"
             : how_ended == DOMAIN_REBOOT ? "the guest rebooted"
                                          : "the domain was destroyed from outside,");
  lose(text);
}

// All output has come.
static void conclude(void) {
  marker_finish(&marker);
  int told = marker_status(&marker);
  if (told < 0) told = domain_exit_status();
  if (told < 0) {
    lose_without_status();
    return;
  }
  if (marker_error(&marker) != NULL) monitor_log("%s", marker_error(&marker));
  exited(told);
}

// Output that the engine has not read yet would be lost with the domain. The console daemon rests
// up to 200 ms between two reads.
static void conclude_when_read(void) {
  rests += REST_MS;
  bool wait = rests < SETTLE_MS || (lent_console_is_unread() && rests < GRACE_MS);
  if (wait)
    timer_set(&timer, REST_MS, conclude_when_read);
  else
    conclude();
}

// Called whenever something has happened that the end depends on.
static void consider_end(void) {
  if (life != LIFE_RUNNING) return;
  if (console_socket != NULL) {
    if (domain_over) timer_set(&timer, 0, conclude_when_read);
    return;
  }
  bool told = marker_status(&marker) >= 0;
  if (marker_done(&marker) || (domain_over && console_over))
    conclude();
  else if (domain_over)
    timer_set(&timer, told ? SETTLE_MS : WORDS_MS, conclude);
  else if (told)
    timer_set(&timer, SHUTDOWN_MS, conclude);
  else
    timer_cancel(&timer);
}

static void kill_now(int signo) {
  if (life != LIFE_ENDED) marker_finish(&marker);
  local_close(&(struct link_end){.signal = signo});
  container_ended(128 + signo);
}

// ---- The domain

static void console_data(const uint8_t *data, size_t len) {
  if (life != LIFE_RUNNING) return;
  marker_feed(&marker, data, len);
  consider_end();
}

static void console_closed(void) {
  console_over = true;
  consider_end();
}

static void console_found(const char *name) {
  if (console_socket == NULL) console_open(name);
}

static void domain_ended(enum domain_end how) {
  domain_over = true;
  how_ended = how;
  if (life == LIFE_READY) lose(how == DOMAIN_GONE ? "the domain was destroyed from outside" : "the guest is gone");
  consider_end();
}

// A guest that panics says nothing after the panic's text.
static void panic_seen(void) {
  if (domain_over && life == LIFE_RUNNING && marker_status(&marker) < 0) conclude();
}

// A channel in such a guest is not served by an agent of ours.
static void channel_served(const char *path) { (void)path; }

// ---- Requests of the runtime, and frames of the holder

static void start_asked(void) {
  static const uint8_t pid[4] = {1};
  if (life != LIFE_READY) return;
  if (domain_unpause() < 0) {
    lose("cannot unpause the domain");
    return;
  }
  life = LIFE_RUNNING;
  deliver(VXN_G_STARTED, pid, sizeof pid);
}

// By the default actions, which a program without handlers has.
static bool ends_a_program(int signo) {
  switch (signo) {
    case 0:
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return false;
    default: return true;
  }
}

static void take_signal(const struct vxn_header *h, const uint8_t *payload) {
  int signo = h->length == 8 ? (int)(vxn_get32(payload) & 127) : 0;
  if (ends_a_program(signo)) kill_now(signo);
}

static bool from_holder(const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_H_SIGNAL) take_signal(h, payload);
  if (h->type == VXN_H_CREDIT && vxn_get32(payload) == 1) unread -= vxn_get32(payload + 4);
  return true;
}

static bool always_has_room(void) { return true; }

static void from_runtime(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_M_KILL: kill_now(SIGKILL); break;
    case VXN_M_START: start_asked(); break;
    case VXN_H_SIGNAL: take_signal(h, payload); break;
    default: break;
  }
}

static bool from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  static const char no_exec[] = "\0\0\0\0exec is not possible: a marker guest runs one program only";
  static const char no_stats[] = "\0\0\0\0a marker guest cannot be asked for its figures";
  (void)payload;
  if (h->type == VXN_H_PROCESS) control_send(c, VXN_G_PROCESS_FAILED, h->id, no_exec, sizeof no_exec - 1);
  if (h->type == VXN_H_STATS) control_send(c, VXN_M_REFUSED, h->id, no_stats, sizeof no_stats - 1);
  if (h->type == VXN_M_PIDS) control_send(c, VXN_M_PIDS_REPLY, h->id, NULL, 0);
  if (h->type != VXN_M_STATUS) return true;
  uint8_t answer[12];
  vxn_put32(answer, (uint32_t)life);
  vxn_put32(answer + 4, domid);
  vxn_put32(answer + 8, last_status);
  control_send(c, VXN_M_STATUS_REPLY, h->id, answer, sizeof answer);
  return true;
}

static void client_gone(struct client *c) { (void)c; }

// ---- The kind

static int marker_open(const struct domain_plan *plan, const char **error) {
  static const struct control_events events = {from_client, client_gone};
  static const struct local_domain first = {always_has_room, from_holder, container_ended};
  monitor_log_open(plan->log_dir);
  if (end_open(plan) < 0) return *error = "cannot make the gates", -1;
  marker_init(&marker, pass_on);
  console_init(plan->log_dir, panic_seen);
  console_tap(console_data, console_closed);
  console_socket = plan->console_socket;
  local_serve(&first);
  if (control_listen(plan->dir, &events) < 0) return *error = "cannot listen on the control socket", -1;
  if (requests_open(plan->dir, from_runtime) < 0) return *error = "cannot make the request FIFO", -1;
  return 0;
}

static void marker_domain(uint32_t id) {
  domid = id;
  end_owns(id);
  domain_waits();
  if (console_socket != NULL) lent_console_send(console_socket);
}

// Credit that the holder gave may let the console go on.
static void marker_flush(void) {
  console_pause(unread >= UNREAD_MAX);
}

static void marker_close(void) {
  lent_console_close();
  control_drain();
}

const struct kind marker_kind = {
    .open = marker_open,
    .events = {.served = channel_served, .console = console_found, .ended = domain_ended},
    .domain = marker_domain,
    .receive = control_retry,
    .flush = marker_flush,
    .close = marker_close,
    .described = true,
};

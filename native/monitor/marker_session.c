// SPDX-License-Identifier: MIT
// A guest of meta-virtualization's own images: its console is read, its output passed on, its end watched. It cannot be
// talked to, so a signal that would end its program ends its domain.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../common/console_socket.h"
#include "../common/protocol.h"
#include "console.h"
#include "control.h"
#include "loop.h"
#include "marker.h"
#include "outcome.h"
#include "output.h"
#include "output_log.h"
#include "ready.h"
#include "record.h"
#include "requests.h"
#include "session.h"

#define INIT 1u
#define STATUS_LOST 255
// After a KILL, or when the guest is gone, whoever reads our output gets this long to take the rest.
#define GRACE_MS 2000
// An ended domain's last words are still on their way through xenconsoled, which rests up to 200 ms between two reads.
#define WORDS_MS 2000
#define SETTLE_MS 300
// A guest that has told its status shuts down; one that hangs in that is not waited for.
#define SHUTDOWN_MS 15000
#define REST_MS 50
// The console of a domain that has just been made.
#define CONSOLE_MS 10000
// Output that the engine does not take: beyond this the console waits, where xenconsoled keeps the last 1 MiB.
#define BACKLOG_MAX (64u << 20)

enum state { CREATED = 2, RUNNING, EXITED };

static enum state state = CREATED;
static uint32_t domid;
static int status = STATUS_LOST;
static bool domain_ended, console_over;
static enum domain_end how_ended;
static struct output out[2];
static struct marker marker;
static const char *console_socket;  // the engine has the console itself
static int tty = -1;                // held while it does
static int rests;

static struct {
  uint8_t *data;
  size_t head, len, size;
} backlog;

// ---- Output

static bool all_passed_on(void) { return backlog.len == 0 && output_idle(&out[0]) && output_idle(&out[1]); }

static void stop_when_flushed(void) {
  if (state == EXITED && all_passed_on()) loop_stop();
}

static void record_output(uint16_t type, const void *data, size_t len) {
  output_log_append(&(struct vxn_header){type, 0, INIT, (uint32_t)len}, data);
}

static bool backlog_room(size_t len) {
  if (backlog.head + backlog.len + len <= backlog.size) return true;
  memmove(backlog.data, backlog.data + backlog.head, backlog.len);
  backlog.head = 0;
  if (backlog.len + len <= backlog.size) return true;
  size_t size = backlog.size == 0 ? VXN_OUTPUT_WINDOW : 2 * backlog.size;
  while (size < backlog.len + len) size *= 2;
  uint8_t *data = realloc(backlog.data, size);
  if (data == NULL) return false;
  backlog.data = data;
  backlog.size = size;
  return true;
}

// What the reader takes no more of now waits.
static void pass_on(const uint8_t *data, size_t len) {
  record_output(VXN_G_STDOUT, data, len);
  struct output *o = &out[0];
  if (backlog.len == 0 && len <= o->window) {
    output_write(o, data, len);
    return;
  }
  if (!backlog_room(len)) {
    outcome_note("out of memory: %zu bytes of output are lost", len);
    return;
  }
  memcpy(backlog.data + backlog.head + backlog.len, data, len);
  backlog.len += len;
}

static void drain_backlog(void) {
  struct output *o = &out[0];
  o->window += o->owed;
  o->owed = 0;
  size_t n = backlog.len < o->window ? backlog.len : o->window;
  if (n == 0) return;
  output_write(o, backlog.data + backlog.head, n);
  backlog.head += n;
  backlog.len -= n;
  // The reader took all at once: nothing will tell that it takes more.
  if (backlog.len > 0 && output_idle(o)) loop_again();
  if (backlog.len > 0) return;
  free(backlog.data);
  memset(&backlog, 0, sizeof backlog);
}

// ---- The end

static void end(int exit_status) {
  if (state == EXITED) return;
  state = EXITED;
  status = exit_status;
  loop_timer(-1, NULL);
  outcome_exit(exit_status);
  stop_when_flushed();
}

// Nobody but the engine's user can be told: `start` has returned.
static void lose(const char *why) {
  char line[400];
  if (state == EXITED) return;
  int n = snprintf(line, sizeof line, "vxn: %s\n", why);
  outcome_error(0, why);
  if (state == RUNNING && n > 0 && (size_t)n < sizeof line) {
    record_output(VXN_G_STDERR, line, (size_t)n);
    output_write(&out[1], (uint8_t *)line, (size_t)n);
  }
  end(STATUS_LOST);
  loop_timer(GRACE_MS, loop_stop);
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

// Everything that will ever come has come.
static void conclude(void) {
  marker_finish(&marker);
  int told = marker_status(&marker);
  if (told < 0) told = domain_exit_status();
  if (told < 0) {
    lose_without_status();
    return;
  }
  if (marker_error(&marker) != NULL) outcome_note("%s", marker_error(&marker));
  end(told);
}

// What the engine has not read yet would be lost with the domain, whose console daemon rests up to 200 ms between two reads.
static void conclude_when_read(void) {
  int unread = 0;
  rests += REST_MS;
  bool wait = rests < SETTLE_MS || (ioctl(tty, TIOCINQ, &unread) == 0 && unread > 0 && rests < GRACE_MS);
  if (wait)
    loop_timer(REST_MS, conclude_when_read);
  else
    conclude();
}

// Called whenever something has happened that the end depends on.
static void consider_end(void) {
  if (state != RUNNING) return;
  if (console_socket != NULL) {
    if (domain_ended) loop_timer(0, conclude_when_read);
    return;
  }
  bool told = marker_status(&marker) >= 0;
  if (marker_done(&marker) || (domain_ended && console_over))
    conclude();
  else if (domain_ended)
    loop_timer(told ? SETTLE_MS : WORDS_MS, conclude);
  else if (told)
    loop_timer(SHUTDOWN_MS, conclude);
  else
    loop_timer(-1, NULL);
}

static void kill_now(int signo) {
  if (state != EXITED) marker_finish(&marker);
  end(128 + signo);
  loop_timer(GRACE_MS, loop_stop);
}

// ---- The domain

static void console_data(const uint8_t *data, size_t len) {
  if (state != RUNNING) return;
  marker_feed(&marker, data, len);
  consider_end();
}

static void console_closed(void) {
  console_over = true;
  consider_end();
}

static void session_console(const char *name) {
  if (console_socket == NULL) console_open(name);
}

// The console becomes the program's terminal, and nobody else reads it.
static void send_console(void) {
  struct termios t;
  const char *name = domain_wait_console(CONSOLE_MS);
  errno = 0;
  if (name == NULL) ready_fail("the domain's console has no terminal");
  tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (tty < 0 || tcgetattr(tty, &t) < 0) ready_fail("cannot open the domain's console");
  cfmakeraw(&t);
  if (tcsetattr(tty, TCSANOW, &t) < 0) ready_fail("cannot use the domain's console");
  if (vxn_send_terminal(console_socket, tty, name) < 0)
    ready_fail("cannot send the terminal over the console socket");
}

static void session_ended(enum domain_end how) {
  domain_ended = true;
  how_ended = how;
  if (state == CREATED) lose(how == DOMAIN_GONE ? "the domain was destroyed from outside" : "the guest is gone");
  consider_end();
}

// The panic's text is all there is to wait for.
static void panic_seen(void) {
  if (domain_ended && state == RUNNING && marker_status(&marker) < 0) conclude();
}

// Whatever serves a channel in such a guest, it is nobody of ours.
static void session_served(const char *path) { (void)path; }

// ---- What the runtime asks for

static void start_asked(void) {
  if (state != CREATED) return;
  if (domain_unpause() < 0) {
    lose("cannot unpause the domain");
    return;
  }
  state = RUNNING;
  outcome_started();
}

// By their default actions, which is what a program without handlers would do.
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

static void session_signal(int signo, bool by_kernel) {
  (void)by_kernel;
  if (ends_a_program(signo)) kill_now(signo);
}

static void session_kill(void) { kill_now(SIGKILL); }

static void from_runtime(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_C_KILL: kill_now(SIGKILL); break;
    case VXN_C_START: start_asked(); break;
    case VXN_H_SIGNAL:
      if (h->length == 8) session_signal((int)(vxn_get32(payload) & 127), false);
      break;
    default: break;
  }
}

static bool from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  static const char no_exec[] = "\0\0\0\0exec is not possible: a marker guest runs one program only";
  static const char no_stats[] = "\0\0\0\0a marker guest cannot be asked for its figures";
  (void)payload;
  if (h->type == VXN_H_PROCESS) control_send(c, VXN_G_FAILED, h->id, no_exec, sizeof no_exec - 1);
  if (h->type == VXN_H_STATS) control_send(c, VXN_G_FAILED, h->id, no_stats, sizeof no_stats - 1);
  if (h->type == VXN_C_PIDS) control_send(c, VXN_M_PIDS, h->id, NULL, 0);
  if (h->type != VXN_C_STATUS) return true;
  uint8_t answer[12];
  vxn_put32(answer, (uint32_t)state);
  vxn_put32(answer + 4, domid);
  vxn_put32(answer + 8, (uint32_t)status);
  control_send(c, VXN_M_STATUS, h->id, answer, sizeof answer);
  return true;
}

static void client_gone(struct client *c) { (void)c; }

// ---- The session

static int session_open(const struct options *o, const char **error) {
  static const struct control_events events = {from_client, client_gone};
  char path[160];
  if (outcome_open(o) < 0) return *error = "cannot make the gates", -1;
  output_log_open(o->log_dir, o->log_bytes);
  marker_init(&marker, pass_on);
  console_init(o->log_dir, panic_seen);
  console_tap(console_data, console_closed);
  console_socket = o->terminal.console_socket;
  output_open(&out[0], STDOUT_FILENO, 1);
  output_open(&out[1], STDERR_FILENO, 2);
  snprintf(path, sizeof path, "%s/control.sock", o->run_dir);
  if (control_listen(path, &events) < 0) return *error = "cannot listen on the control socket", -1;
  snprintf(path, sizeof path, "%s/requests", o->run_dir);
  if (requests_open(path, from_runtime) < 0) return *error = "cannot make the request FIFO", -1;
  return 0;
}

static void session_domain(uint32_t id) {
  domid = id;
  outcome_domain(id);
  domain_waits();
  if (console_socket != NULL) send_console();
}

static void session_turn(void) {
  drain_backlog();
  console_pause(backlog.len >= BACKLOG_MAX);
  control_retry();
  stop_when_flushed();
}

static int session_status(void) {
  output_log_flush();
  if (tty >= 0) close(tty);
  timeline_stamp("monitor.exit", 0);
  control_drain();
  return status;
}

const struct session marker_session = {
    .open = session_open,
    .events = {.served = session_served, .console = session_console, .ended = session_ended},
    .domain = session_domain,
    .signal = session_signal,
    .kill = session_kill,
    .turn = session_turn,
    .status = session_status,
};

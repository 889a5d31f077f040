// SPDX-License-Identifier: MIT
// It speaks to the container's monitor through control.sock as that speaks to the guest, and holds nothing of Xen.
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "guest.h"
#include "lifeline.h"
#include "loop.h"
#include "oom.h"
#include "output.h"
#include "ready.h"
#include "signals.h"
#include "stdin.h"
#include "terminal.h"
#include "words.h"

#define DESCRIPTION_FD 4
#define CGROUPS_MAX 32
#define STATUS_LOST 255
#define STATUS_KILLED (128 + SIGKILL)
// When the program is gone with its container, whoever reads our output gets this long to take the rest.
#define GRACE_MS 2000
// A program that had ended by itself has a right to its output; but containerd holds the container's end back for ours.
#define LATE_MS 30000

struct options {
  const char *run_dir;
  const char *cgroups[CGROUPS_MAX];
  size_t n_cgroups;
  struct terminal_plan terminal;
  const char *oom_score_adj;
  bool foreground;
};

static enum { ASKED, RUNNING, ENDED } state;
static int status = STATUS_LOST;
static struct output out[2];
static bool foreground;
static bool by_itself;  // the program ended before its container

static void stop_when_flushed(void) {
  if (state == ENDED && output_idle(&out[0]) && output_idle(&out[1])) loop_stop();
}

static void end(int exit_status) {
  if (state == ENDED) return;
  state = ENDED;
  status = exit_status;
  stdin_close();
}

// Marked, since the text may be the guest's: one that reads "ok 1" would name a process of its choice.
static void not_started(const char *text) {
  char line[VXN_TEXT_MAX + 16];
  snprintf(line, sizeof line, "failed: %s", text);
  ready_say(line);
  end(STATUS_LOST);
  loop_stop();
}

// Who waits for us is dead. The container's monitor kills the process when our connection ends.
static void abandoned(void) {
  end(STATUS_KILLED);
  loop_stop();
}

static vxn_fault started(void) {
  char line[32];
  if (state != ASKED) return "a second STARTED";
  state = RUNNING;
  terminal_begin();
  snprintf(line, sizeof line, "ok %d", (int)getpid());
  if (!ready_say(line))
    abandoned();
  else if (!foreground)
    lifeline_release();
  return NULL;
}

static vxn_fault failed(const uint8_t *payload, uint32_t length) {
  if (state != ASKED) return "FAILED after STARTED";
  char text[VXN_TEXT_MAX + 1];
  words_copy(text, payload + 4, length - 4);
  not_started(text[0] != '\0' ? text : "the guest gave no reason");
  return NULL;
}

static vxn_fault frame(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (h->id != ATTACH_PROCESS) return "a frame of another process";
  if (h->type == VXN_G_STARTED) return started();
  if (h->type == VXN_G_FAILED) return failed(payload, h->length);
  if (state == ASKED) return "a frame before STARTED";
  switch (h->type) {
    case VXN_G_STDOUT:
    case VXN_G_STDERR:
      return output_write(&out[h->type == VXN_G_STDOUT ? 0 : 1], payload, h->length) ? NULL : "more output than credit";
    case VXN_G_CREDIT:
      return vxn_get32(payload) == 0 && stdin_credit(vxn_get32(payload + 4)) ? NULL : "credit beyond the limit";
    case VXN_G_EXIT: {
      uint32_t code = vxn_get32(payload), sig = vxn_get32(payload + 4);
      by_itself = vxn_get64(payload + 8) != 0;  // the container's monitor knows no time
      end(sig != 0 ? 128 + (int)(sig & 127) : (int)(code & 255));
      return NULL;
    }
    default: return NULL;
  }
}

static void closed(vxn_fault why) {
  if (state == ASKED) {
    char text[160];
    snprintf(text, sizeof text, "%s%s", why == NULL ? "container not running" : "the guest broke the protocol: ",
             why == NULL ? "" : why);
    not_started(text);
    return;
  }
  end(why != NULL ? STATUS_LOST : STATUS_KILLED);
  loop_timer(by_itself ? LATE_MS : GRACE_MS, loop_stop);
}

static void signal_arrived(int signo, bool by_kernel) {
  if (terminal_takes_signal(signo, by_kernel)) {
    if (signo == SIGWINCH) terminal_resize(ATTACH_PROCESS);
    return;
  }
  uint8_t payload[8] = {0};
  vxn_put32(payload, (uint32_t)signo);
  guest_send(VXN_H_SIGNAL, 0, ATTACH_PROCESS, payload, sizeof payload);
}

static void turn(void) {
  guest_receive();
  guest_flush();
  if (state == RUNNING) output_credit(&out[0], ATTACH_PROCESS), output_credit(&out[1], ATTACH_PROCESS);
  stdin_gate(state == RUNNING);
  bool full = !guest_has_room();
  guest_flush();
  if (full && guest_has_room()) loop_again();  // for what found no room before
  stop_when_flushed();
}

// ---- The beginning

static _Noreturn void usage(void) {
  fputs("usage: vxn-monitor exec --id ID --program NAME --run-dir DIR [--cgroup DIR]... [--oom-score-adj N]\n"
        "                        [--foreground [--terminal]] [--console-socket PATH [--console-size ROWSxCOLUMNS]]\n",
        stderr);
  exit(2);
}

static void parse(struct options *o, int argc, char **argv) {
  // --id and --program are for people who look at ps.
  static const struct option longs[] = {
      {"id", required_argument, NULL, 'i'},           {"program", required_argument, NULL, 'p'},
      {"run-dir", required_argument, NULL, 'r'},      {"console-socket", required_argument, NULL, 'c'},
      {"console-size", required_argument, NULL, 'z'}, {"terminal", no_argument, NULL, 't'},
      {"foreground", no_argument, NULL, 'f'},         {"cgroup", required_argument, NULL, 'g'},
      {"oom-score-adj", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0},
  };
  *o = (struct options){0};
  for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    switch (c) {
      case 'i':
      case 'p': break;
      case 'r': o->run_dir = optarg; break;
      case 'o': o->oom_score_adj = optarg; break;
      case 'c': o->terminal.console_socket = optarg; break;
      case 'z':
        if (!terminal_parse_size(optarg, &o->terminal.rows, &o->terminal.columns)) usage();
        break;
      case 'g':
        if (o->n_cgroups == CGROUPS_MAX) usage();
        o->cgroups[o->n_cgroups++] = optarg;
        break;
      case 't': o->terminal.of_caller = true; break;
      case 'f': o->foreground = true; break;
      default: usage();
    }
  }
  bool socket = o->terminal.console_socket != NULL;
  if (optind != argc || o->run_dir == NULL || (o->foreground ? socket : o->terminal.of_caller)) usage();
}

// The parent returns to its caller at once, so that whoever is the subreaper there, and nobody else, gets our status.
static void detach(void) {
  pid_t pid = fork();
  if (pid < 0) ready_fail("cannot fork");
  if (pid > 0) _exit(0);
}

static void connect_to(const char *run_dir) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/control.sock", run_dir) >= (int)sizeof path) path[0] = '\0';
  if (channel_open_unix(path) == 0) return;
  bool gone = errno == ENOENT || errno == ECONNREFUSED;
  if (gone) errno = 0;
  ready_fail(gone ? "container not running" : "cannot reach the container's monitor");
}

// Waits while the container's monitor cannot take it: nothing else is to be done yet.
static void send_description(void) {
  static char chunk[8192];
  lseek(DESCRIPTION_FD, 0, SEEK_SET);  // whoever wrote the file shares its offset
  for (ssize_t n; (n = read(DESCRIPTION_FD, chunk, sizeof chunk)) != 0;) {
    if (n < 0) ready_fail("cannot read the description of the process");
    for (ssize_t sent = 0, some; sent < n; sent += some) {
      some = send(channel_fd(), chunk + sent, (size_t)(n - sent), MSG_NOSIGNAL);
      // The reason, if there is one, is to be read yet.
      if (some < 0) return;
    }
  }
}

int attach_main(int argc, char **argv) {
  static const struct guest_events events = {frame, closed};
  struct options o;
  struct stdio stdio;
  const char *error = NULL;
  parse(&o, argc, argv);
  foreground = o.foreground;
  fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
  fcntl(DESCRIPTION_FD, F_SETFD, FD_CLOEXEC);
  close_range(DESCRIPTION_FD + 1, ~0U, 0);
  if (chdir("/") < 0) ready_fail("cannot enter /");
  if (!o.foreground) detach();
  setsid();
  prctl(PR_SET_NAME, "vxn-exec");
  // It need not be counted for the container to be of use.
  for (size_t i = 0; i < o.n_cgroups; i++) cgroup_join(o.cgroups[i]);
  if (o.oom_score_adj != NULL) oom_score_adj(o.oom_score_adj);
  connect_to(o.run_dir);
  if (terminal_open(&o.terminal, &stdio, &error) < 0) ready_fail(error);
  send_description();
  close(DESCRIPTION_FD);
  // Until here, where it may have to wait, a signal simply ends it.
  if (signals_take(signal_arrived) < 0) ready_fail("cannot take signals");
  if (guest_attach(&events) < 0 || lifeline_watch(READY_FD, abandoned) < 0)
    ready_fail("cannot wait for the container's monitor");
  stdin_open(stdio.in, ATTACH_PROCESS, stdio.in_ends);
  output_open(&out[0], stdio.out, 1);
  output_open(&out[1], stdio.err, 2);
  if (terminal_is_open()) terminal_describe(ATTACH_PROCESS);
  guest_flush();
  loop_run(turn);
  terminal_end();
  return status;
}

// SPDX-License-Identifier: MIT
// It speaks to the domain's monitor over control.sock as that speaks to the guest, and holds
// nothing of Xen.
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../host/cgroup.h"
#include "../host/loop.h"
#include "../host/oom.h"
#include "../host/ready.h"
#include "../host/words.h"
#include "../link/remote.h"
#include "holder.h"
#include "lifeline.h"
#include "signals.h"
#include "streams.h"
#include "terminal.h"

#define DESCRIPTION_FD 4
#define CGROUPS_MAX 32
#define STATUS_KILLED (128 + SIGKILL)
// A program that had ended by itself has a right to its output. But containerd waits for ours
// before it reports the container's end.
#define LATE_MS 30000

struct options {
  const char *domain_dir;
  const char *cgroups[CGROUPS_MAX];
  size_t n_cgroups;
  struct terminal_plan terminal;
  const char *oom_score_adj;
  bool foreground;
};

static const struct link *link_;
static bool foreground;
static bool by_itself;  // the program ended before its container

// Marked, since the text may be the guest's: "ok 1" would name a process of its choice.
static void not_started(const char *text) {
  char line[VXN_TEXT_MAX + 16];
  snprintf(line, sizeof line, "failed: %s", text);
  ready_say(line);
  holder_end(HOLDER_STATUS_LOST);
  loop_stop();
}

// Our caller is dead. The domain's monitor kills the process when our connection ends.
static void abandoned(void) {
  holder_end(STATUS_KILLED);
  loop_stop();
}

static vxn_fault started(void) {
  char line[32];
  if (holder_state() != HOLDER_WAITING) return "a second STARTED";
  holder_started();
  snprintf(line, sizeof line, "ok %d", (int)getpid());
  if (!ready_say(line))
    abandoned();
  else if (!foreground)
    lifeline_release();
  return NULL;
}

static vxn_fault failed(const uint8_t *payload, uint32_t length) {
  if (holder_state() != HOLDER_WAITING) return "PROCESS_FAILED after STARTED";
  char text[VXN_TEXT_MAX + 1];
  words_copy(text, payload + 4, length - 4);
  not_started(text[0] != '\0' ? text : "the guest gave no reason");
  return NULL;
}

static vxn_fault frame(const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_G_STARTED) return started();
  if (h->type == VXN_G_PROCESS_FAILED) return failed(payload, h->length);
  if (holder_state() == HOLDER_WAITING) return "a frame before STARTED";
  // The guest says when a process ended. The monitor, which ends all processes with the container,
  // does not.
  if (h->type == VXN_G_EXIT) by_itself = vxn_get64(payload + 8) != 0;
  return holder_frame(h, payload);
}

static void closed(const struct link_end *end) {
  if (holder_state() == HOLDER_WAITING) {
    char text[160];
    snprintf(text, sizeof text, "%s%s", end->why == NULL ? "container not running" : "the guest broke the protocol: ",
             end->why == NULL ? "" : end->why);
    not_started(text);
    return;
  }
  holder_end(end->why != NULL ? HOLDER_STATUS_LOST : 128 + end->signal);
  holder_stop_after(by_itself ? LATE_MS : HOLDER_GRACE_MS);
}

static void ended(int status) { (void)status; }

static void signal_arrived(int signo, bool by_kernel) {
  if (!terminal_takes_signal(signo, by_kernel))
    holder_send_signal(signo);
  else if (signo == SIGWINCH)
    terminal_resize(link_);
}

static void turn(void) {
  remote_receive();
  remote_flush();
  holder_turn();
  remote_flush();
}

// ---- The beginning

static _Noreturn void usage(void) {
  fputs("usage: vxn-monitor exec --id ID --program NAME --domain-dir DIR [--cgroup DIR]... [--oom-score-adj N]\n"
        "                        [--foreground [--terminal]] [--console-socket PATH [--console-size ROWSxCOLUMNS]]\n",
        stderr);
  exit(2);
}

static void parse(struct options *o, int argc, char **argv) {
  // --id and --program are for people who look at ps.
  static const struct option longs[] = {
      {"id", required_argument, NULL, 'i'},           {"program", required_argument, NULL, 'p'},
      {"domain-dir", required_argument, NULL, 'd'},   {"console-socket", required_argument, NULL, 'c'},
      {"console-size", required_argument, NULL, 'z'}, {"terminal", no_argument, NULL, 't'},
      {"foreground", no_argument, NULL, 'f'},         {"cgroup", required_argument, NULL, 'g'},
      {"oom-score-adj", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0},
  };
  *o = (struct options){0};
  for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    switch (c) {
      case 'i':
      case 'p': break;
      case 'd': o->domain_dir = optarg; break;
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
  if (optind != argc || o->domain_dir == NULL || (o->foreground ? socket : o->terminal.of_caller)) usage();
}

// The parent returns to its caller at once, so that the subreaper there, and nobody else, gets our
// status.
static void detach(void) {
  pid_t pid = fork();
  if (pid < 0) ready_fail("cannot fork");
  if (pid > 0) _exit(0);
}

static void connect_to(const char *domain_dir) {
  if (remote_connect(domain_dir) == 0) return;
  bool gone = errno == ENOENT || errno == ECONNREFUSED;
  if (gone) errno = 0;
  ready_fail(gone ? "container not running" : "cannot reach the container's monitor");
}

static void enter_place(const struct options *o) {
  fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
  fcntl(DESCRIPTION_FD, F_SETFD, FD_CLOEXEC);
  close_range(DESCRIPTION_FD + 1, ~0U, 0);
  if (chdir("/") < 0) ready_fail("cannot enter /");
  if (!o->foreground) detach();
  setsid();
  prctl(PR_SET_NAME, "vxn-exec");
  // The container can be used without being counted: errors do not matter.
  for (size_t i = 0; i < o->n_cgroups; i++) cgroup_join(o->cgroups[i]);
  if (o->oom_score_adj != NULL) oom_score_adj(o->oom_score_adj);
}

int exec_main(int argc, char **argv) {
  static const struct link_events events = {frame, closed};
  struct options o;
  struct stdio stdio;
  const char *error = NULL;
  parse(&o, argc, argv);
  foreground = o.foreground;
  enter_place(&o);
  connect_to(o.domain_dir);
  if (terminal_open(&o.terminal, &stdio, &error) < 0) ready_fail(error);
  if (remote_copy(DESCRIPTION_FD) < 0) ready_fail("cannot read the description of the process");
  close(DESCRIPTION_FD);
  // Until here, where it may have to wait, a signal simply ends it.
  if (signals_take(signal_arrived) < 0) ready_fail("cannot take signals");
  if ((link_ = remote_open(&events)) == NULL || lifeline_watch(READY_FD, abandoned) < 0)
    ready_fail("cannot wait for the container's monitor");
  holder_init(link_, ended);
  streams_open(&stdio, link_);
  if (terminal_is_open()) terminal_describe(link_);
  remote_flush();
  loop_run(turn);
  terminal_end();
  return holder_status();
}

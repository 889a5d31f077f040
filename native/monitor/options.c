// SPDX-License-Identifier: MIT
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option longs[] = {
    {"id", required_argument, NULL, 'i'},
    {"uuid", required_argument, NULL, 'u'},
    {"domain-dir", required_argument, NULL, 'd'},
    {"domain-log-dir", required_argument, NULL, 'D'},
    {"run-dir", required_argument, NULL, 'r'},
    {"log-dir", required_argument, NULL, 'l'},
    {"prepare", required_argument, NULL, 'p'},
    {"xl", required_argument, NULL, 'x'},
    {"guest", required_argument, NULL, 'k'},
    {"netns", required_argument, NULL, 'n'},
    {"oom-score-adj", required_argument, NULL, 'o'},
    {"cgroup", required_argument, NULL, 'g'},
    {"log-bytes", required_argument, NULL, 'b'},
    {"caller", required_argument, NULL, 'w'},
    {"terminal", no_argument, NULL, 't'},
    {"console-socket", required_argument, NULL, 'c'},
    {"console-size", required_argument, NULL, 'z'},
    {NULL, 0, NULL, 0},
};

static _Noreturn void usage(void) {
  fputs("usage: vxn-monitor --id ID --uuid UUID --domain-dir DIR --domain-log-dir DIR --run-dir DIR --log-dir DIR\n"
        "                   [--prepare FILE] [--xl PATH] [--guest agent|marker] [--netns PATH|new]\n"
        "                   [--oom-score-adj N] [--cgroup DIR]... [--log-bytes N] [--caller PID [--terminal]]\n"
        "                   [--console-socket PATH [--console-size ROWSxCOLUMNS]]\n",
        stderr);
  exit(2);
}

static void add_cgroup(struct options *o, const char *dir) {
  if (o->n_cgroups == CGROUPS_MAX) fputs("too many --cgroup\n", stderr), exit(2);
  o->cgroups[o->n_cgroups++] = dir;
}

static void choose_guest(struct options *o, const char *name) {
  o->marker = strcmp(name, "marker") == 0;
  if (!o->marker && strcmp(name, "agent") != 0) usage();
}

static void take(struct options *o, int option, const char *value) {
  struct domain_plan *domain = &o->domain;
  struct first_plan *process = &o->process;
  struct terminal_plan *terminal = &process->terminal;
  switch (option) {
    case 'i': o->id = value; break;
    case 'u': domain->uuid = value; break;
    case 'd': domain->dir = value; break;
    case 'D': domain->log_dir = value; break;
    case 'r': process->run_dir = value; break;
    case 'l': process->log_dir = value; break;
    case 'p': domain->prepare = value; break;
    case 'x': domain->xl = value; break;
    case 'k': choose_guest(o, value); break;
    case 'n': domain->netns = value; break;
    case 'o': o->oom_score_adj = value; break;
    case 'g': add_cgroup(o, value); break;
    case 'b': process->log_bytes = strtoull(value, NULL, 10); break;
    case 'w': o->caller = (pid_t)strtol(value, NULL, 10); break;
    case 't': terminal->of_caller = true; break;
    case 'c': terminal->console_socket = domain->console_socket = value; break;
    case 'z':
      if (!terminal_parse_size(value, &terminal->rows, &terminal->columns)) usage();
      break;
    default: usage();
  }
}

static bool is_complete(const struct options *o) {
  return o->id != NULL && o->domain.uuid != NULL && o->domain.dir != NULL && o->domain.log_dir != NULL &&
         o->process.run_dir != NULL && o->process.log_dir != NULL;
}

void options_parse(struct options *o, int argc, char **argv) {
  *o = (struct options){.domain.xl = "xl", .process.log_bytes = 1u << 20};
  for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) take(o, c, optarg);
  const struct terminal_plan *t = &o->process.terminal;
  bool no_caller = o->caller <= 0 || t->console_socket != NULL;
  if (optind != argc || !is_complete(o) || (t->of_caller && no_caller)) usage();
}

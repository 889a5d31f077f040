// SPDX-License-Identifier: MIT
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option longs[] = {
    {"id", required_argument, NULL, 'i'},        {"run-dir", required_argument, NULL, 'r'},
    {"log-dir", required_argument, NULL, 'l'},   {"uuid", required_argument, NULL, 'u'},
    {"prepare", required_argument, NULL, 'p'},   {"xl", required_argument, NULL, 'x'},
    {"netns", required_argument, NULL, 'n'},     {"log-bytes", required_argument, NULL, 'b'},
    {"oom-score-adj", required_argument, NULL, 'o'}, {"cgroup", required_argument, NULL, 'g'},
    {"guest", required_argument, NULL, 'k'},     {"console-socket", required_argument, NULL, 'c'},
    {"console-size", required_argument, NULL, 'z'},  {"terminal", no_argument, NULL, 't'},
    {"caller", required_argument, NULL, 'w'},    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: vxn-monitor --id ID --run-dir DIR --log-dir DIR --uuid UUID [--prepare FILE] [--xl PATH]\n"
    "                   [--guest agent|marker] [--netns PATH|new] [--oom-score-adj N] [--cgroup DIR]... [--log-bytes N]\n"
    "                   [--caller PID [--terminal]] [--console-socket PATH [--console-size ROWSxCOLUMNS]]\n";

void options_parse(struct options *o, int argc, char **argv) {
  *o = (struct options){.xl = "xl", .guest = "agent", .log_bytes = 1u << 20};
  int c;
  while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
    switch (c) {
      case 'i': o->id = optarg; break;
      case 'r': o->run_dir = optarg; break;
      case 'l': o->log_dir = optarg; break;
      case 'u': o->uuid = optarg; break;
      case 'p': o->prepare = optarg; break;
      case 'x': o->xl = optarg; break;
      case 'n': o->netns = optarg; break;
      case 'o': o->oom_score_adj = optarg; break;
      case 'g':
        if (o->n_cgroups == CGROUPS_MAX) fputs("too many --cgroup\n", stderr), exit(2);
        o->cgroups[o->n_cgroups++] = optarg;
        break;
      case 'k': o->guest = optarg; break;
      case 'c': o->terminal.console_socket = optarg; break;
      case 'z':
        if (!terminal_parse_size(optarg, &o->terminal.rows, &o->terminal.columns)) fputs(usage, stderr), exit(2);
        break;
      case 't': o->terminal.of_caller = true; break;
      case 'w': o->caller = (pid_t)strtol(optarg, NULL, 10); break;
      case 'b': o->log_bytes = strtoull(optarg, NULL, 10); break;
      default: fputs(usage, stderr), exit(2);
    }
  }
  if (optind != argc || o->id == NULL || o->run_dir == NULL || o->log_dir == NULL || o->uuid == NULL ||
      (o->terminal.of_caller && (o->caller <= 0 || o->terminal.console_socket != NULL)) ||
      (strcmp(o->guest, "agent") != 0 && strcmp(o->guest, "marker") != 0))
    fputs(usage, stderr), exit(2);
}

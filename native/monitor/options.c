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
    {"guest", required_argument, NULL, 'k'},     {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: vxn-monitor --id ID --run-dir DIR --log-dir DIR --uuid UUID [--prepare FILE] [--xl PATH]\n"
    "                   [--guest agent|marker] [--netns PATH|new] [--oom-score-adj N] [--cgroup DIR]... [--log-bytes N]\n";

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
      case 'b': o->log_bytes = strtoull(optarg, NULL, 10); break;
      default: fputs(usage, stderr), exit(2);
    }
  }
  if (optind != argc || o->id == NULL || o->run_dir == NULL || o->log_dir == NULL || o->uuid == NULL ||
      (strcmp(o->guest, "agent") != 0 && strcmp(o->guest, "marker") != 0))
    fputs(usage, stderr), exit(2);
}

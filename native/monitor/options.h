// SPDX-License-Identifier: MIT
#ifndef VXN_OPTIONS_H
#define VXN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "terminal.h"

#define CGROUPS_MAX 32

struct options {
  const char *id;       // the container's, for people who look at ps
  const char *run_dir;  // control.sock, exit, error, timeline
  const char *log_dir;  // output.log, console.log, monitor.log
  const char *uuid;     // of the domain
  const char *prepare;  // the file of steps that make the domain, or NULL
  const char *xl;
  const char *guest;    // "agent", or "marker": one of meta-virtualization's images
  const char *netns;    // a path, "new", or NULL: stay
  const char *oom_score_adj;
  const char *cgroups[CGROUPS_MAX];  // directories to join; with v1 there is one in each hierarchy
  size_t n_cgroups;
  uint64_t log_bytes;   // of the program's output
  struct terminal_plan terminal;
  pid_t caller;         // who waits for the container's end, and with whom it ends; 0: nobody
};

/// Parses the command line. On bad usage: one line on stderr and exit 2.
void options_parse(struct options *o, int argc, char **argv);

#endif

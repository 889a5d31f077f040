// SPDX-License-Identifier: MIT
// The command line of a monitor that makes and owns a domain.
#ifndef VXN_OPTIONS_H
#define VXN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "domain/plan.h"
#include "process/first.h"

#define CGROUPS_MAX 32

struct options {
  const char *id;  // the container's, for people who look at ps
  struct domain_plan domain;
  struct first_plan process;
  bool marker;  // the guest is one of meta-virtualization's images, without vxn-agent
  const char *oom_score_adj;
  const char *cgroups[CGROUPS_MAX];  // directories to join; with v1 there is one in each hierarchy
  size_t n_cgroups;
  pid_t caller;  // it waits for the container's end, which comes with its own end; 0: nobody
};

/// Parses the command line. On bad usage: one line on stderr and exit 2.
void options_parse(struct options *o, int argc, char **argv);

#endif

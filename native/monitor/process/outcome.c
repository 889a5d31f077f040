// SPDX-License-Identifier: MIT
#include "outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "../host/gate.h"
#include "../host/timeline.h"
#include "../host/whole_file.h"

static const char *run_dir;
static int start_gate = -1;  // held until the program runs, or never will

int outcome_open(const char *dir) {
  run_dir = dir;
  start_gate = gate_open(dir, "start.gate");
  return start_gate < 0 ? -1 : 0;
}

static void start_decided(void) {
  if (start_gate >= 0) close(start_gate);
  start_gate = -1;
}

void outcome_started(void) {
  timeline_stamp("program.start", 0);
  whole_file(run_dir, "started", "");
  start_decided();
}

void outcome_error(uint32_t error_number, const char *why) {
  char line[1200];
  snprintf(line, sizeof line, "%" PRIu32 " %s", error_number, why);
  whole_file(run_dir, "error", line);
}

void outcome_exit(int status) {
  char text[16];
  snprintf(text, sizeof text, "%d\n", status);
  whole_file(run_dir, "exit", text);
  timeline_stamp("program.exit", 0);
  start_decided();
}

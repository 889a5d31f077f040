// SPDX-License-Identifier: MIT
#include "outcome.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "destroy.h"
#include "gate.h"
#include "record.h"

static const struct options *settings;
static struct record monitor_log;
static bool has_domain;
static uint32_t domain;
static int start_gate = -1;  // until the program runs, or never will
static int end_gate = -1;    // until the domain is gone

static int gate(const char *name) {
  char path[160];
  snprintf(path, sizeof path, "%s/%s", settings->run_dir, name);
  return gate_open(path);
}

int outcome_open(const struct options *o) {
  settings = o;
  record_open(&monitor_log, o->log_dir, "monitor.log", 64u << 10);
  start_gate = gate("start.gate");
  end_gate = gate("end.gate");
  return start_gate < 0 || end_gate < 0 ? -1 : 0;
}

void outcome_domain(uint32_t domid) {
  has_domain = true;
  domain = domid;
}

void outcome_note(const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof text - 1, format, ap);
  va_end(ap);
  if (n < 0) return;
  if ((size_t)n > sizeof text - 2) n = sizeof text - 2;
  text[n] = '\n';
  record_append(&monitor_log, NULL, 0, text, (size_t)n + 1);
}

void outcome_file(const char *name, const char *text) {
  char path[160], temporary[168];
  snprintf(path, sizeof path, "%s/%s", settings->run_dir, name);
  snprintf(temporary, sizeof temporary, "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  if (whole) rename(temporary, path);
}

static void start_decided(void) {
  if (start_gate >= 0) close(start_gate);
  start_gate = -1;
}

void outcome_started(void) {
  timeline_stamp("program.start", 0);
  outcome_file("started", "");
  start_decided();
}

void outcome_error(uint32_t error_number, const char *why) {
  char line[1200];
  snprintf(line, sizeof line, "%" PRIu32 " %s", error_number, why);
  outcome_note("%s", why);
  outcome_file("error", line);
}

void outcome_exit(int status) {
  char text[16], gone[160];
  snprintf(text, sizeof text, "%d\n", status);
  outcome_file("exit", text);
  timeline_stamp("program.exit", 0);
  start_decided();
  if (!has_domain) return;
  snprintf(gone, sizeof gone, "%s/gone", settings->run_dir);
  destroy_domain(settings->xl, domain, end_gate, gone);
}

// SPDX-License-Identifier: MIT
#include "outcome.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "destroy.h"
#include "record.h"

static const struct options *settings;
static struct record monitor_log;
static bool has_domain;
static uint32_t domain;

void outcome_open(const struct options *o) {
  settings = o;
  record_open(&monitor_log, o->log_dir, "monitor.log", 64u << 10);
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

static void write_file(const char *name, const char *text) {
  char path[160], temporary[168];
  snprintf(path, sizeof path, "%s/%s", settings->run_dir, name);
  snprintf(temporary, sizeof temporary, "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  if (whole) rename(temporary, path);
}

void outcome_error(const char *why) {
  outcome_note("%s", why);
  write_file("error", why);
}

void outcome_exit(int status) {
  char text[16], gone[160];
  snprintf(text, sizeof text, "%d\n", status);
  write_file("exit", text);
  timeline_stamp("program.exit", 0);
  if (!has_domain) return;
  snprintf(gone, sizeof gone, "%s/gone", settings->run_dir);
  destroy_domain(settings->xl, domain, control_listen_fd(), gone);
}

// SPDX-License-Identifier: MIT
// Every program of vxn says its version, so that `doctor` finds those of another build.
#ifndef VXN_VERSION_H
#define VXN_VERSION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VXN_VERSION
#define VXN_VERSION "0.0.0"
#endif

/// Answers --version and ends.
static inline void say_version(int argc, char **argv, const char *text) {
  if (argc != 2 || strcmp(argv[1], "--version") != 0) return;
  puts(text);
  exit(0);
}

#endif

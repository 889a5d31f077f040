// SPDX-License-Identifier: MIT
#ifndef VXN_PLAN_H
#define VXN_PLAN_H

/// The domain that a monitor is to make and own, by its command line.
struct domain_plan {
  const char *uuid;
  const char *dir;             // control.sock, requests, end.gate, gone, paused.PID
  const char *log_dir;         // console.log, monitor.log
  const char *prepare;         // the file of steps that make the domain, or NULL
  const char *xl;
  const char *netns;           // a path, "new", or NULL: stay
  const char *console_socket;  // of kinds whose console is the process's terminal; NULL: none
};

#endif

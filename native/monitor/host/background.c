// SPDX-License-Identifier: MIT
#include "background.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int run(const char *const *argv) {
  pid_t pid;
  int status;
  if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0) return -1;
  return waitpid(pid, &status, 0) == pid ? status : -1;
}

// A program expects default signals: with SIGCHLD ignored xl could not wait for its hotplug
// programs.
static void default_signals(void) {
  sigset_t none;
  for (int signo = 1; signo <= 64; signo++) signal(signo, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// The container's descriptors must not stay open here: its engine waits for the end of its output.
static void keep_only(int hold_fd) {
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  if (hold_fd >= 0) dup2(hold_fd, 3), fcntl(3, F_SETFD, FD_CLOEXEC);
  close_range(hold_fd >= 0 ? 4 : 3, ~0U, 0);
}

void run_in_background(const char *const *argv, int hold_fd, const char *done_path) {
  if (fork() != 0) return;
  setsid();
  prctl(PR_SET_NAME, "vxn-background");
  default_signals();
  keep_only(hold_fd);
  if (run(argv) == 0 && done_path != NULL) open(done_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  _exit(0);
}

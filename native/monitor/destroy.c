// SPDX-License-Identifier: MIT
#include "destroy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>

extern char **environ;

void destroy_domain(const char *xl, uint32_t domid, int hold_fd) {
  char id[16];
  snprintf(id, sizeof id, "%" PRIu32, domid);
  char *const argv[] = {(char *)(uintptr_t)xl, (char *)(uintptr_t)"destroy", id, NULL};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attr;
  sigset_t none, all;
  pid_t pid;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attr);
  for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  // Duplicating it onto itself would keep close-on-exec set; another number clears it.
  posix_spawn_file_actions_adddup2(&files, hold_fd, hold_fd == 3 ? 4 : 3);
  posix_spawnattr_setsigmask(&attr, &none);
  // An ignored SIGCHLD would be inherited, and xl could not wait for its hotplug scripts.
  posix_spawnattr_setsigdefault(&attr, &all);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  posix_spawnp(&pid, xl, &files, &attr, argv, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attr);
}

// SPDX-License-Identifier: MIT
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/timeline.h"

#define FILE_MAX (1 << 20)
#define ARGS_MAX 256
// xl waits for hotplug programs and for the memory of dying domains; it gives up by itself long
// before this.
#define STEP_SECONDS 180
#define TAIL 3072

static char report[TAIL + 64];

static char *read_file(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  char *text = NULL;
  if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < FILE_MAX &&
      (text = malloc((size_t)st.st_size)) != NULL) {
    *size = (size_t)st.st_size;
    if (read(fd, text, *size) != st.st_size || text[*size - 1] != '\0') free(text), text = NULL;
  }
  if (fd >= 0) close(fd);
  unlink(path);
  return text;
}

static void run_in_child(char **argv, int err) {
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  dup2(err, 2);
  close_range(3, ~0U, 0);
  alarm(STEP_SECONDS);
  execvp(argv[0], argv);
  dprintf(2, "%s: %s", argv[0], errno == ENOENT ? "command not found" : strerror(errno));
  _exit(127);
}

// Keeps the end of what it reads.
static size_t read_tail(int fd, char *tail) {
  size_t have = 0;
  char chunk[1024];
  ssize_t n;
  while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
    if (n < 0) continue;
    size_t over = have + (size_t)n > TAIL ? have + (size_t)n - TAIL : 0;
    memmove(tail, tail + over, have - over);
    memcpy(tail + have - over, chunk, (size_t)n);
    have += (size_t)n - over;
  }
  return have;
}

static bool run(const char *name, char **argv) {
  int err[2], status = 0;
  char tail[TAIL];
  if (pipe2(err, O_CLOEXEC) < 0) return false;
  pid_t pid = fork();
  if (pid == 0) run_in_child(argv, err[1]);
  close(err[1]);
  size_t n = pid < 0 ? 0 : read_tail(err[0], tail);
  close(err[0]);
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (pid > 0 && status == 0) return true;
  int code = pid < 0 ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  snprintf(report, sizeof report, "failed %.32s %d\n%.*s", name, code, (int)n, tail);
  return false;
}

static void stamp(const char *name, const char *what) {
  char phase[64];
  snprintf(phase, sizeof phase, "%.32s.%s", name, what);
  timeline_stamp(phase, 0);
}

static char *next_word(char **at, const char *end) {
  char *word = *at;
  if (word >= end) return NULL;
  *at += strlen(word) + 1;
  return word;
}

static bool run_steps(char *text, const char *end) {
  char *name;
  while ((name = next_word(&text, end)) != NULL) {
    char *argv[ARGS_MAX + 1], *count = next_word(&text, end);
    long argc = count == NULL ? 0 : strtol(count, NULL, 10);
    if (argc < 1 || argc > ARGS_MAX) return false;
    for (long i = 0; i < argc; i++)
      if ((argv[i] = next_word(&text, end)) == NULL) return false;
    argv[argc] = NULL;
    stamp(name, "begin");
    if (!run(name, argv)) return false;
    stamp(name, "end");
  }
  return true;
}

bool prepare(const char *file, const char **failure) {
  size_t size;
  *failure = report;
  strcpy(report, "cannot read the list of steps");
  char *text = read_file(file, &size);
  if (text == NULL) return false;
  bool done = run_steps(text, text + size);
  free(text);
  return done;
}

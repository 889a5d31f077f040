// SPDX-License-Identifier: MIT
// A monitor that does nothing: says that it is ready, takes the start of a program as done, and ends at KILL. What is left
// of a runtime call is then the runtime.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *run_dir = ".", *domain_dir = ".";

static int place(char *path, const char *dir, const char *name, int flags) {
  snprintf(path, 256, "%s/%s", dir, name);
  return flags < 0 ? mkfifo(path, 0600), open(path, O_RDWR | O_CLOEXEC) : open(path, flags | O_CLOEXEC, 0600);
}

int main(int argc, char **argv) {
  char path[256];
  uint8_t head[12];
  for (int i = 1; i + 1 < argc; i++) {
    if (strcmp(argv[i], "--run-dir") == 0) run_dir = argv[i + 1];
    if (strcmp(argv[i], "--domain-dir") == 0) domain_dir = argv[i + 1];
  }
  int start_gate = place(path, run_dir, "start.gate", -1), requests = place(path, domain_dir, "requests", -1);
  place(path, domain_dir, "end.gate", -1);
  if (fork() != 0) return 0;
  setsid();
  dprintf(3, "ok 1 %d\n", (int)getpid());
  close(3);
  while (read(requests, head, sizeof head) == sizeof head) {
    if (head[0] == 0x04) {
      uint32_t asker = head[4] | (uint32_t)head[5] << 8 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 24;
      char name[32];
      snprintf(name, sizeof name, "paused.%u", asker);
      int answer = place(path, domain_dir, name, O_WRONLY | O_CREAT);
      if (write(answer, "0", 1) < 0) return 1;
      close(answer);
    }
    if (head[0] == 0x03) close(place(path, run_dir, "started", O_WRONLY | O_CREAT)), close(start_gate);
    // The domain went as it should: the real monitor's helper says so with this file.
    if (head[0] == 0x01) return close(place(path, domain_dir, "gone", O_WRONLY | O_CREAT)), 137;
  }
  return 1;
}

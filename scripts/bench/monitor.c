// SPDX-License-Identifier: MIT
// A monitor that does nothing: says that it is ready, answers every frame of the control socket with STARTED or OK, and
// ends at KILL. What is left of a runtime call is then the runtime.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int read_all(int fd, uint8_t *to, size_t n) {
  while (n > 0) {
    ssize_t got = read(fd, to, n);
    if (got <= 0) return -1;
    to += got;
    n -= (size_t)got;
  }
  return 0;
}

static void answer(int fd, uint16_t type, uint32_t length) {
  uint8_t frame[12 + 12] = {(uint8_t)type, (uint8_t)(type >> 8), 0, 0, 1, 0, 0, 0, (uint8_t)length};
  if (write(fd, frame, 12 + length) < 0) return;
}

int main(int argc, char **argv) {
  char gone[160] = "";
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  signal(SIGPIPE, SIG_IGN);
  for (int i = 1; i + 1 < argc; i++)
    if (strcmp(argv[i], "--run-dir") == 0) {
      snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", argv[i + 1]);
      // The domain went as it should: the real monitor's helper says so with this file.
      snprintf(gone, sizeof gone, "%s/gone", argv[i + 1]);
    }
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 8) < 0) return 1;
  if (write(3, "ok 1\n", 5) < 0) return 1;
  close(3);
  for (;;) {
    static uint8_t payload[65536];
    uint8_t head[12];
    int fd = accept(listener, NULL, NULL);
    while (fd >= 0 && read_all(fd, head, sizeof head) == 0) {
      uint16_t type = (uint16_t)(head[0] | head[1] << 8);
      uint32_t length = (uint32_t)(head[8] | head[9] << 8 | head[10] << 16);
      if (length > sizeof payload || read_all(fd, payload, length) < 0) break;
      if (type == 0x0003) answer(fd, 0x8003, 12);
      if (type == 0x0007 || type == 0x0041) answer(fd, 0x8041, 0);
      if (type == 0x0041) return close(open(gone, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 137;
    }
    close(fd);
  }
}

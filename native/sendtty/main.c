// SPDX-License-Identifier: MIT
// vxn-sendtty CONSOLE-SOCKET PTY: hands a terminal to the engine that listens on the console socket, as an OCI runtime does.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/version.h"
#include "../common/console_socket.h"

#define NAME_BYTES_MAX 4095

__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *fmt, ...) {
  va_list ap;
  fputs("vxn-sendtty: ", stderr);
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
  exit(1);
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-sendtty version " VXN_VERSION);
  if (argc != 3) die("usage: vxn-sendtty CONSOLE-SOCKET PTY");
  const char *path = argv[1], *name = argv[2];
  if (name[0] == '\0' || strlen(name) > NAME_BYTES_MAX) die("the terminal's name must have 1 to %d bytes", NAME_BYTES_MAX);
  int tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (tty < 0) die("%s: %s", name, strerror(errno));
  if (!isatty(tty)) die("%s: not a terminal", name);
  if (vxn_send_terminal(path, tty, name) == 0) return 0;
  if (errno == ENAMETOOLONG)
    die("console socket: the path has %zu bytes, 1 to %zu are possible", strlen(path),
        sizeof((struct sockaddr_un *)0)->sun_path - 1);
  die("console socket %s: %s", path, strerror(errno));
}

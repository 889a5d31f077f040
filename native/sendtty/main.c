// SPDX-License-Identifier: MIT
// vxn-sendtty CONSOLE-SOCKET PTY: hands a terminal to the engine that listens on the console socket, as an OCI runtime does.
// One message, one descriptor, the terminal's name as data (an empty message would be lost); no answer is awaited.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

static int connect_to(const char *path) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if (len == 0 || len >= sizeof addr.sun_path)
    die("console socket: the path has %zu bytes, 1 to %zu are possible", len, sizeof addr.sun_path - 1);
  memcpy(addr.sun_path, path, len);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) die("console socket %s: %s", path, strerror(errno));
  return fd;
}

static void send_terminal(int to, int tty, const char *name) {
  union {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec iov = {(void *)name, strlen(name)};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof tty);
  memcpy(CMSG_DATA(c), &tty, sizeof tty);
  if (sendmsg(to, &msg, MSG_NOSIGNAL) < 0) die("console socket: %s", strerror(errno));
}

int main(int argc, char **argv) {
  if (argc != 3) die("usage: vxn-sendtty CONSOLE-SOCKET PTY");
  const char *name = argv[2];
  if (name[0] == '\0' || strlen(name) > NAME_BYTES_MAX) die("the terminal's name must have 1 to %d bytes", NAME_BYTES_MAX);
  int tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (tty < 0) die("%s: %s", name, strerror(errno));
  if (!isatty(tty)) die("%s: not a terminal", name);
  send_terminal(connect_to(argv[1]), tty, name);
  return 0;
}

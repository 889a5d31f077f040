// SPDX-License-Identifier: MIT
#include "console_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if (len == 0 || len >= sizeof addr.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(addr.sun_path, path, len);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

int vxn_send_terminal(const char *path, int tty, const char *name) {
  int to = connect_to(path);
  if (to < 0) return -1;
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
  ssize_t n = sendmsg(to, &msg, MSG_NOSIGNAL);
  int saved = errno;
  close(to);
  errno = saved;
  return n < 0 ? -1 : 0;
}

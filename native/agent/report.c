// SPDX-License-Identifier: MIT
#include "report.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
  struct cmsghdr align;
  char space[CMSG_SPACE(sizeof(int))];
};

void report_send(int socket, const struct report *r, int fd) {
  // Without a descriptor by write(2): a seccomp filter forbids that last.
  if (fd < 0) {
    if (write(socket, r, sizeof *r) < 0) _exit(127);
    return;
  }
  union control control = {0};
  struct iovec iov = {(void *)r, sizeof *r};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  if (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0) _exit(127);
}

int report_take(int socket, struct report *r, int *fd) {
  union control control;
  struct iovec iov = {r, sizeof *r};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *fd = -1;
  ssize_t n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n <= 0) return (int)n;
  const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  if (c != NULL && c->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(c), sizeof *fd);
  r->error.text[VXN_TEXT_MAX] = '\0';
  return 1;
}

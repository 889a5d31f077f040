// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"

static bool would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

static ssize_t socket_read(const struct channel *c, void *buf, size_t size) {
  ssize_t n = recv(c->fd, buf, size, MSG_DONTWAIT);
  if (n > 0) return n;
  return n < 0 && would_block() ? 0 : -1;
}

static ssize_t socket_write(const struct channel *c, const void *buf, size_t size) {
  ssize_t n = send(c->fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return n;
  return would_block() ? 0 : -1;
}

int channel_open_unix(struct channel *c, const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(a.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
    *c = (struct channel){.fd = fd, .polls_out = true, .read = socket_read, .write = socket_write};
    return 0;
  }
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

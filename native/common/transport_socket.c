// SPDX-License-Identifier: MIT
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static ssize_t socket_read(struct vxn_transport *t, void *buf, size_t size) {
  for (;;) {
    ssize_t n = recv(t->fd, buf, size, MSG_DONTWAIT);
    if (n > 0) return n;
    if (n == 0) {
      errno = EPIPE;
      return -1;
    }
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return -1;
  }
}

static ssize_t socket_write(struct vxn_transport *t, const void *buf, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = send(t->fd, (const char *)buf + done, size - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      done += (size_t)n;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return (ssize_t)done;
}

static int socket_ack(struct vxn_transport *t) {
  (void)t;
  return 0;
}

static void socket_close(struct vxn_transport *t) { close(t->fd); }

static void wrap(struct vxn_transport *t, int fd) {
  *t = (struct vxn_transport){
      .fd = fd,
      .events = EPOLLIN | EPOLLOUT | EPOLLET,
      .read = socket_read,
      .write = socket_write,
      .ack = socket_ack,
      .close = socket_close,
  };
}

int vxn_transport_socket(struct vxn_transport *t, int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
  wrap(t, fd);
  return 0;
}

int vxn_transport_unix(struct vxn_transport *t, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
    wrap(t, fd);
    return 0;
  }
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

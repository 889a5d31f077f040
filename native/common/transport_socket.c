// SPDX-License-Identifier: MIT
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static ssize_t socket_read(struct vxn_transport *t, void *buf, size_t size) {
  for (;;) {
    ssize_t n = recv(t->fd, buf, size, 0);
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
    ssize_t n = send(t->fd, (const char *)buf + done, size - done, MSG_NOSIGNAL);
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

static void socket_close(struct vxn_transport *t) {
  close(t->fd);
  free(t);
}

struct vxn_transport *vxn_transport_socket(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return NULL;
  struct vxn_transport *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->fd = fd;
  t->events = EPOLLIN | EPOLLOUT | EPOLLET;
  t->read = socket_read;
  t->write = socket_write;
  t->ack = socket_ack;
  t->close = socket_close;
  return t;
}

struct vxn_transport *vxn_transport_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct vxn_transport *t = NULL;
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) t = vxn_transport_socket(fd);
  if (t == NULL && fd >= 0) {
    int saved = errno;
    close(fd);
    errno = saved;
  }
  return t;
}

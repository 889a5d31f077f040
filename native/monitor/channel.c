// SPDX-License-Identifier: MIT
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int sock = -1;

#ifndef VXN_NO_XEN
#include <libxenvchan.h>

static struct libxenvchan *ring;

int channel_open_vchan(uint32_t domid, const char *path) {
  ring = libxenvchan_client_init(NULL, (int)domid, path);
  if (ring == NULL) return -1;
  ring->blocking = 0;
  return 0;
}

static int ring_fd(void) { return libxenvchan_fd_for_select(ring); }
static void ring_woken(void) { libxenvchan_wait(ring); }
static ssize_t ring_read(void *buf, size_t size) { return libxenvchan_read(ring, buf, size); }
static ssize_t ring_write(const void *buf, size_t size) { return libxenvchan_write(ring, buf, size); }
static void ring_close(void) {
  libxenvchan_close(ring);
  ring = NULL;
}
#else
static void *ring;

int channel_open_vchan(uint32_t domid, const char *path) {
  (void)domid, (void)path;
  errno = ENOSYS;
  return -1;
}

static int ring_fd(void) { return -1; }
static void ring_woken(void) {}
static ssize_t ring_read(void *buf, size_t size) { return (void)buf, (void)size, -1; }
static ssize_t ring_write(const void *buf, size_t size) { return (void)buf, (void)size, -1; }
static void ring_close(void) {}
#endif

int channel_open_unix(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(a.sun_path, path);
  sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sock < 0) return -1;
  if (connect(sock, (struct sockaddr *)&a, sizeof a) == 0) return 0;
  int saved = errno;
  close(sock);
  sock = -1;
  errno = saved;
  return -1;
}

int channel_fd(void) { return ring != NULL ? ring_fd() : sock; }

void channel_woken(void) {
  if (ring != NULL) ring_woken();
}

bool channel_polls_out(void) { return ring == NULL; }

static bool would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

ssize_t channel_read(void *buf, size_t size) {
  if (ring != NULL) return ring_read(buf, size);
  ssize_t n = recv(sock, buf, size, MSG_DONTWAIT);
  if (n > 0) return n;
  return n < 0 && would_block() ? 0 : -1;
}

ssize_t channel_write(const void *buf, size_t size) {
  if (ring != NULL) return ring_write(buf, size);
  ssize_t n = send(sock, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return n;
  return would_block() ? 0 : -1;
}

void channel_close(void) {
  if (ring != NULL) ring_close();
  if (sock >= 0) close(sock);
  sock = -1;
}

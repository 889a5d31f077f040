// SPDX-License-Identifier: MIT
// The byte stream under the guest channel, over a unix socket: a client that connects, and a peer
// that takes its time.
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"

static char folder[] = "/tmp/vxn-transport-XXXXXX";
static char path[sizeof folder + 8];

static int listen_at_path(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
  return fd;
}

// A connected client; *peer is the other side.
static struct vxn_transport *connect_client(int *peer) {
  static struct vxn_transport client;
  int listener = listen_at_path();
  CHECK_INT(vxn_transport_unix(&client, path), 0);
  *peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  CHECK(*peer >= 0);
  close(listener);
  unlink(path);
  return &client;
}

static void both_ways(void) {
  int peer;
  char buf[16] = "";
  struct vxn_transport *t = connect_client(&peer);
  CHECK((t->events & EPOLLOUT) != 0);
  CHECK_INT(t->read(t, buf, sizeof buf), 0);
  CHECK_INT(t->write(t, "ping", 4), 4);
  CHECK_INT(read(peer, buf, sizeof buf), 4);
  CHECK_STR(buf, "ping");
  CHECK_INT(write(peer, "pong", 4), 4);
  CHECK_INT(t->ack(t), 0);
  CHECK_INT(t->read(t, buf, sizeof buf), 4);
  CHECK_STR(buf, "pong");
  t->close(t);
  CHECK_INT(read(peer, buf, sizeof buf), 0);
  close(peer);
}

static void short_write_when_full(void) {
  static char chunk[1 << 20];
  int peer;
  struct vxn_transport *t = connect_client(&peer);
  ssize_t n = t->write(t, chunk, sizeof chunk);
  CHECK(n > 0 && n < (ssize_t)sizeof chunk);
  CHECK_INT(t->write(t, chunk, sizeof chunk), 0);
  ssize_t got = 0;
  while (got < n) got += read(peer, chunk, sizeof chunk);
  CHECK_INT(got, n);
  CHECK(t->write(t, chunk, sizeof chunk) > 0);
  t->close(t);
  close(peer);
}

static void peer_gone(void) {
  int peer;
  char buf[16];
  struct vxn_transport *t = connect_client(&peer);
  CHECK_INT(write(peer, "last", 4), 4);
  close(peer);
  CHECK_INT(t->read(t, buf, sizeof buf), 4);
  CHECK_INT(t->read(t, buf, sizeof buf), -1);
  CHECK_INT(t->write(t, buf, sizeof buf), -1);
  CHECK_INT(errno, EPIPE);
  t->close(t);
}

static void no_connection(void) {
  struct vxn_transport t;
  char too_long[200];
  memset(too_long, 'a', sizeof too_long - 1);
  too_long[sizeof too_long - 1] = '\0';
  CHECK_INT(vxn_transport_unix(&t, too_long), -1);
  CHECK_INT(errno, ENAMETOOLONG);
  CHECK_INT(vxn_transport_unix(&t, path), -1);
  CHECK_INT(errno, ENOENT);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"a client and its peer talk", both_ways},
      {"a full socket takes less than all", short_write_when_full},
      {"the last bytes of a peer that is gone are read", peer_gone},
      {"nobody listens", no_connection},
  };
  if (mkdtemp(folder) == NULL) return 1;
  snprintf(path, sizeof path, "%s/socket", folder);
  int rc = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  rmdir(folder);
  return rc;
}

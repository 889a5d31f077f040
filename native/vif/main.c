// SPDX-License-Identifier: MIT
// vxn-vif online|offline: the hotplug script (docs/misc/xl-network-configuration of Xen) of a container's network interface.
// libxl runs it when it takes the interface back. The monitor has made the interface, and takes away at its end what it has
// put into the container's network namespace; this does it for a monitor that was killed. $XENBUS_PATH is the backend's
// xenstore folder, $vif the interface's name.
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "../common/redirect.h"
#include "../common/version.h"

#define LINKS_MAX 64

static struct xs_handle *xs;

static bool connected(const char *backend) {
  static const char word[] = "connected";
  char path[512];
  int n = snprintf(path, sizeof path, "%s/hotplug-status", backend);
  return n > 0 && (size_t)n < sizeof path && xs_write(xs, XBT_NULL, path, word, sizeof word - 1);
}

// The namespace's path, as the monitor left it where only Dom0 reads. NULL: there is none to clean up.
static char *namespace_of(const char *backend) {
  char path[96];
  unsigned domid, number;
  if (sscanf(backend, "backend/vif/%u/%u", &domid, &number) != 2) return NULL;
  snprintf(path, sizeof path, "/libxl/%u/device/vif/%u/vxn-netns", domid, number);
  return xs_read(xs, XBT_NULL, path, NULL);
}

struct links {
  int index[LINKS_MAX];
  size_t n;
};

static void links_start(void *ctx) { ((struct links *)ctx)->n = 0; }

static int take_link(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct links *l = ctx;
  struct ifinfomsg i;
  if (type != RTM_NEWLINK || len < sizeof i || l->n == LINKS_MAX) return 0;
  memcpy(&i, body, sizeof i);
  l->index[l->n++] = i.ifi_index;
  return 0;
}

// What was joined to this vif, or to one that is gone, is joined to nothing any more.
static void clean_up(struct nl *n, const char *vif) {
  struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
  struct links l = {.n = 0};
  int own = (int)if_nametoindex(vif);
  if (nl_dump(n, RTM_GETLINK, &all, sizeof all, take_link, links_start, &l) != 0) return;
  for (size_t i = 0; i < l.n; i++) {
    int target = redirect_target(n, l.index[i]);
    if (target < 0 || (target > 0 && target == own)) redirect_remove(n, l.index[i]);
  }
}

static void offline(const char *backend, const char *vif) {
  char *path = namespace_of(backend);
  struct nl n;
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0 && nl_open(&n, 0) == 0) clean_up(&n, vif), nl_close(&n);
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-vif version " VXN_VERSION);
  const char *backend = getenv("XENBUS_PATH"), *vif = getenv("vif");
  if (argc < 2 || backend == NULL) return fprintf(stderr, "usage: XENBUS_PATH=... vif=... vxn-vif online|offline\n"), 1;
  xs = xs_open(0);
  if (xs == NULL) return fprintf(stderr, "vxn-vif: cannot reach xenstore\n"), 1;
  if (strcmp(argv[1], "online") == 0 && !connected(backend))
    return fprintf(stderr, "vxn-vif: cannot write to xenstore: %s\n", strerror(errno)), 1;
  // Whoever destroys a domain must not fail for this.
  if (strcmp(argv[1], "offline") == 0) offline(backend, vif == NULL ? "" : vif);
  return 0;
}

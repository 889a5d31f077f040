// SPDX-License-Identifier: MIT
#include "domain.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "../host/loop.h"
#include "store_watch.h"

static struct xs_handle *xs;
static xc_interface *xc;
static uint32_t domid;
static struct domain_events on;
static struct store_watch watch;
static struct source watch_source;
static bool served, console_seen, ended;
static bool waits;  // made paused, and not to run yet
static char channel_path[64], tty_path[64], event_path[80], tty[64];

static bool has_uuid(const char *dom, const char *uuid) {
  char path[64];
  snprintf(path, sizeof path, "/local/domain/%s/vm", dom);
  char *vm = xs_read(xs, XBT_NULL, path, NULL);
  bool match = vm != NULL && strncmp(vm, "/vm/", 4) == 0 && strcmp(vm + 4, uuid) == 0;
  free(vm);
  return match;
}

static int64_t find(const char *uuid) {
  unsigned int n = 0;
  int64_t found = -1;
  char **doms = xs_directory(xs, XBT_NULL, "/local/domain", &n);
  for (unsigned int i = 0; doms != NULL && i < n && found < 0; i++)
    if (has_uuid(doms[i], uuid)) found = strtol(doms[i], NULL, 10);
  free(doms);
  return found;
}

enum domain_end domain_state(void) {
  xc_domaininfo_t info;
  if (xc_domain_getinfolist(xc, domid, 1, &info) != 1 || info.domain != domid) return DOMAIN_GONE;
  if (info.flags & XEN_DOMINF_dying) return DOMAIN_GONE;
  if (!(info.flags & XEN_DOMINF_shutdown)) return DOMAIN_ALIVE;
  switch ((info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask) {
    case SHUTDOWN_poweroff: return DOMAIN_POWEROFF;
    case SHUTDOWN_reboot: return DOMAIN_REBOOT;
    default: return DOMAIN_CRASH;
  }
}

int domain_paused(void) {
  xc_domaininfo_t info;
  if (waits) return 0;
  if (xc_domain_getinfolist(xc, domid, 1, &info) != 1 || info.domain != domid) return -1;
  return (info.flags & XEN_DOMINF_paused) != 0;
}

static void check_end(void) {
  enum domain_end end = domain_state();
  if (end == DOMAIN_ALIVE || ended) return;
  ended = true;
  on.ended(end);
}

static void check_channel(void) {
  if (served) return;
  char *port = xs_read(xs, XBT_NULL, event_path, NULL);
  if (port == NULL) return;
  free(port);
  served = true;
  on.served(channel_path);
}

static void check_console(void) {
  if (console_seen) return;
  char *name = xs_read(xs, XBT_NULL, tty_path, NULL);
  if (name != NULL && strncmp(name, "/dev/", 5) == 0 && strlen(name) < sizeof tty) {
    console_seen = true;
    strcpy(tty, name);
    on.console(tty);
  }
  free(name);
}

static void watch_fired(struct source *s, uint32_t events) {
  (void)events;
  char token[STORE_TOKEN_SIZE];
  int fired;
  while ((fired = store_watch_next(&watch, token)) > 0) {
    if (strcmp(token, "end") == 0) check_end();
    if (strcmp(token, "channel") == 0) check_channel();
    if (strcmp(token, "console") == 0) check_console();
  }
  // Without xenstore the channel still tells of the guest's end.
  if (fired < 0) loop_close(s);
}

int64_t domain_open(const char *uuid, const struct domain_events *events, const char **error) {
  on = *events;
  xs = xs_open(0);
  if (xs == NULL) return *error = "cannot reach xenstore", -1;
  xc = xc_interface_open(NULL, NULL, 0);
  if (xc == NULL) return *error = "cannot open /dev/xen/privcmd", -1;
  int64_t found = find(uuid);
  if (found < 0) return *error = "no domain has the container's UUID", -1;
  domid = (uint32_t)found;
  snprintf(channel_path, sizeof channel_path, "/local/domain/%" PRIu32 "/data/vxn", domid);
  snprintf(event_path, sizeof event_path, "%s/event-channel", channel_path);
  snprintf(tty_path, sizeof tty_path, "/local/domain/%" PRIu32 "/console/tty", domid);
  // A watch fires once when it is set, so what is there already is seen as well.
  if (store_watch_open(&watch) < 0 || store_watch_set(&watch, "@releaseDomain", "end") < 0 ||
      store_watch_set(&watch, event_path, "channel") < 0 || store_watch_set(&watch, tty_path, "console") < 0)
    return *error = "cannot watch xenstore", -1;
  watch_source = (struct source){.fd = watch.fd, .events = EPOLLIN, .ready = watch_fired};
  if (loop_add(&watch_source) < 0) return *error = "cannot wait for xenstore", -1;
  return found;
}

bool domain_ends_with_channel(void) { return false; }

void domain_waits(void) { waits = true; }

const char *domain_wait_console(int ms) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t end = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms, left = ms;
  while (!console_seen && left > 0) {
    struct pollfd p = {.fd = watch_source.fd, .events = POLLIN};
    if (poll(&p, 1, (int)left) > 0) watch_fired(&watch_source, EPOLLIN);
    clock_gettime(CLOCK_MONOTONIC, &now);
    left = end - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
  }
  return console_seen ? tty : NULL;
}

int domain_unpause(void) {
  // EINVAL: somebody else was quicker.
  if (xc_domain_unpause(xc, domid) < 0 && errno != EINVAL) return -1;
  waits = false;
  return 0;
}

int domain_exit_status(void) {
  char path[64];
  unsigned int len = 0;
  snprintf(path, sizeof path, "/local/domain/%" PRIu32 "/data/vxn-exit", domid);
  char *text = xs_read(xs, XBT_NULL, path, &len);
  if (text == NULL) return -1;
  // The guest wrote it: anything but a number from 0 to 255 counts as none.
  char *rest;
  long n = strtol(text, &rest, 10);
  bool number = len > 0 && len <= 3 && *rest == '\0' && text[0] >= '0' && text[0] <= '9';
  free(text);
  return number && n <= 255 ? (int)n : -1;
}

// SPDX-License-Identifier: MIT
// The test double of domain_xen.c. A domain is the folder $VXN_DOMAINS/ID with the files uuid,
// socket and, if it has a console, tty. socket.paused is there while it is paused, exit when
// vxn-agent has left a status. A domain that is made paused runs from the first connection to its
// socket, and ends when that connection ends.
#include "domain.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../common/transport.h"
#include "../host/loop.h"

static bool waits;  // made paused, and not to run yet
static char socket_path[512], tty_path[512], exit_path[512], tty[64];
static struct domain_events on;
static struct vxn_transport connection;  // from domain_unpause(): the domain lives as long as it
static struct source life = {.fd = -1}, served = {.fd = -1};

void domain_waits(void) { waits = true; }

static bool has_uuid(const char *folder, const char *uuid) {
  char path[512], line[64] = "";
  snprintf(path, sizeof path, "%s/uuid", folder);
  FILE *f = fopen(path, "re");
  if (f == NULL) return false;
  bool match = fgets(line, sizeof line, f) != NULL && strncmp(line, uuid, strlen(uuid)) == 0;
  fclose(f);
  return match;
}

static void say_served(struct source *s, uint32_t events) {
  (void)events;
  loop_close(s);
  on.served(socket_path);
}

int64_t domain_open(const char *uuid, const struct domain_events *events, const char **error) {
  const char *domains = getenv("VXN_DOMAINS");
  DIR *d = domains == NULL ? NULL : opendir(domains);
  int64_t found = -1;
  struct dirent *e;
  while (d != NULL && found < 0 && (e = readdir(d)) != NULL) {
    char folder[400];
    int n = snprintf(folder, sizeof folder, "%s/%s", domains, e->d_name);
    if (n < 0 || (size_t)n >= sizeof folder || !has_uuid(folder, uuid)) continue;
    found = strtol(e->d_name, NULL, 10);
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    snprintf(tty_path, sizeof tty_path, "%s/tty", folder);
    snprintf(exit_path, sizeof exit_path, "%s/exit", folder);
  }
  if (d != NULL) closedir(d);
  if (found < 0) return *error = "no domain has the container's UUID", -1;
  on = *events;
  // As Xen's watch does it, from the loop.
  served = (struct source){.fd = eventfd(1, EFD_CLOEXEC), .events = EPOLLIN, .ready = say_served};
  if (loop_add(&served) < 0) return *error = "cannot wait for the domain", -1;
  FILE *f = fopen(tty_path, "re");
  if (f != NULL && fgets(tty, sizeof tty, f) != NULL) {
    tty[strcspn(tty, "\n")] = '\0';
    on.console(tty);
  }
  if (f != NULL) fclose(f);
  return found;
}

bool domain_ends_with_channel(void) { return true; }

enum domain_end domain_state(void) { return DOMAIN_GONE; }

int domain_paused(void) {
  char path[520];
  if (waits) return 0;
  snprintf(path, sizeof path, "%s.paused", socket_path);
  return access(path, F_OK) == 0;
}

static void life_ended(struct source *s, uint32_t events) {
  (void)events;
  loop_close(s);
  on.ended(DOMAIN_POWEROFF);
}

int domain_unpause(void) {
  if (vxn_transport_unix(&connection, socket_path) < 0) return -1;
  waits = false;
  life = (struct source){.fd = connection.fd, .events = EPOLLIN, .ready = life_ended};
  return loop_add(&life);
}

const char *domain_wait_console(int ms) { return (void)ms, tty[0] != '\0' ? tty : NULL; }

int domain_exit_status(void) {
  int status = -1;
  FILE *f = fopen(exit_path, "re");
  if (f != NULL && fscanf(f, "%d", &status) != 1) status = -1;
  if (f != NULL) fclose(f);
  return status;
}

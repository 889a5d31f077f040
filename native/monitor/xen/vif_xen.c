// SPDX-License-Identifier: MIT
#include "vif.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "../host/background.h"

#define ATTEMPTS 50
#define PATH_SIZE 96

// A device has three folders: one for the guest, one for netback, one by which libxl takes it back.
struct device {
  uint32_t domid;
  char frontend[PATH_SIZE], backend[PATH_SIZE], libxl[PATH_SIZE];
  char number[12], mac[20], domain[12];
  const char *script, *netns;
};

struct entry {
  const char *key, *value;
};

static void frontend_path(char path[PATH_SIZE], uint32_t domid, unsigned number) {
  snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/device/vif/%u", domid, number);
}

static bool put(struct xs_handle *xs, xs_transaction_t t, const char *folder, const struct entry *e) {
  char path[PATH_SIZE + 32];
  snprintf(path, sizeof path, "%s/%s", folder, e->key);
  return xs_write(xs, t, path, e->value, (unsigned)strlen(e->value));
}

static bool fill(struct xs_handle *xs, xs_transaction_t t, const char *folder, const struct entry *entries) {
  for (; entries->key != NULL; entries++)
    if (!put(xs, t, folder, entries)) return false;
  return true;
}

// Makes an empty folder. What is written into it takes over its permissions.
static bool make_folder(struct xs_handle *xs, xs_transaction_t t, const char *path, uint32_t owner, uint32_t reader) {
  struct xs_permissions p[2] = {{.id = owner, .perms = XS_PERM_NONE}, {.id = reader, .perms = XS_PERM_READ}};
  xs_rm(xs, t, path);
  return xs_mkdir(xs, t, path) && xs_set_permissions(xs, t, path, p, 2);
}

static bool write_device(struct xs_handle *xs, xs_transaction_t t, const struct device *d) {
  const struct entry front[] = {{"backend", d->backend}, {"backend-id", "0"}, {"handle", d->number}, {"mac", d->mac},
                                {"state", "1"},          {NULL, NULL}};
  // netback is to connect without waiting for a script: there is nothing to set up before the
  // monitor does it.
  const struct entry back[] = {{"frontend", d->frontend}, {"frontend-id", d->domain}, {"online", "1"}, {"state", "1"},
                               {"script", d->script},        {"mac", d->mac},            {"handle", d->number},
                               {"type", "vif"},           {"hotplug-status", "connected"}, {NULL, NULL}};
  const struct entry own[] = {{"frontend", d->frontend},
                              {"backend", d->backend},
                              {d->netns == NULL ? NULL : "vxn-netns", d->netns},
                              {NULL, NULL}};
  xs_rm(xs, t, d->libxl);
  return fill(xs, t, d->libxl, own) && fill(xs, t, d->libxl, back) &&
         make_folder(xs, t, d->frontend, d->domid, 0) && fill(xs, t, d->frontend, front) &&
         make_folder(xs, t, d->backend, 0, d->domid) && fill(xs, t, d->backend, back);
}

static bool is_taken(struct xs_handle *xs, xs_transaction_t t, const struct device *d) {
  char *there = xs_read(xs, t, d->libxl, NULL);
  free(there);
  return there != NULL;
}

// Answers as vif_add() does.
static int commit(struct xs_handle *xs, const struct device *d) {
  for (int i = 0; i < ATTEMPTS; i++) {
    xs_transaction_t t = xs_transaction_start(xs);
    if (t == XBT_NULL) return -1;
    bool taken = is_taken(xs, t, d), written = !taken && write_device(xs, t, d);
    if (xs_transaction_end(xs, t, !written)) return taken ? 1 : written ? 0 : -1;
    if (errno != EAGAIN) return -1;  // EAGAIN: somebody else wrote meanwhile
  }
  return -1;
}

int vif_add(struct nl *outside, const struct vif *v, const char **error) {
  const uint8_t *mac = v->mac;
  struct device d = {.domid = v->domid, .script = v->script, .netns = v->netns};
  (void)outside;
  frontend_path(d.frontend, v->domid, v->number);
  snprintf(d.backend, PATH_SIZE, "/local/domain/0/backend/vif/%" PRIu32 "/%u", v->domid, v->number);
  snprintf(d.libxl, PATH_SIZE, "/libxl/%" PRIu32 "/device/vif/%u", v->domid, v->number);
  snprintf(d.number, sizeof d.number, "%u", v->number);
  snprintf(d.domain, sizeof d.domain, "%" PRIu32, v->domid);
  snprintf(d.mac, sizeof d.mac, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  struct xs_handle *xs = xs_open(0);
  if (xs == NULL) return *error = "cannot reach xenstore", -1;
  int rc = commit(xs, &d);
  xs_close(xs);
  if (rc < 0) *error = "cannot write a network interface into xenstore";
  return rc;
}

// Any write below a device's folder is a look at that device (xenbus_dev_changed() of Linux).
void vif_announce(uint32_t domid, unsigned number) {
  char frontend[PATH_SIZE], value[12];
  frontend_path(frontend, domid, number);
  snprintf(value, sizeof value, "%u", number);
  struct xs_handle *xs = xs_open(0);
  if (xs == NULL) return;
  put(xs, XBT_NULL, frontend, &(struct entry){"handle", value});
  xs_close(xs);
}

void vif_remove(const char *xl, uint32_t domid, unsigned number) {
  char domain[12], device[12];
  snprintf(domain, sizeof domain, "%" PRIu32, domid);
  snprintf(device, sizeof device, "%u", number);
  run_in_background((const char *const[]){xl, "network-detach", domain, device, NULL}, -1, NULL);
}

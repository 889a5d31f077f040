// SPDX-License-Identifier: MIT
#include "stats.h"

#include <stddef.h>

#include "guest.h"

#define ASKERS_MAX 64

static struct {
  struct client *client;
  uint32_t id;
} askers[ASKERS_MAX];
static size_t n_askers;
static uint32_t question;  // the id that went to the guest
static bool asked;

bool stats_from_client(struct client *c, const struct vxn_header *h) {
  if (!asked && !guest_has_room()) return false;
  // So many wait only while the guest is paused or hangs, and they give up by themselves.
  if (n_askers < ASKERS_MAX) {
    askers[n_askers].client = c;
    askers[n_askers++].id = h->id;
  }
  if (asked) return true;
  asked = true;
  if (++question == 0) question = 1;
  guest_send(VXN_H_STATS, 0, question, NULL, 0);
  return true;
}

vxn_fault stats_from_guest(const struct vxn_header *h, const uint8_t *payload) {
  if (!asked || h->id != question) return "STATS that nobody asked for";
  asked = false;
  for (size_t i = 0; i < n_askers; i++) control_send(askers[i].client, h->type, askers[i].id, payload, h->length);
  n_askers = 0;
  return NULL;
}

void stats_client_gone(const struct client *c) {
  size_t kept = 0;
  for (size_t i = 0; i < n_askers; i++)
    if (askers[i].client != c) askers[kept++] = askers[i];
  n_askers = kept;
}

// SPDX-License-Identifier: MIT
#include "relay.h"

#include <signal.h>
#include <stddef.h>

#include "guest.h"

#define MAX 1024
#define FIRST_ID 2u

struct proc {
  uint32_t guest_id, client_id;  // guest_id 0: the slot is free
  struct client *owner;          // NULL: its client is gone, the process is being killed
  uint32_t window[3];            // bytes that the guest may still send, by stream
  bool described;                // the guest has its whole description
  bool kill_owed;
};

static struct proc procs[MAX];
static uint32_t next_id = FIRST_ID;
static int kills_owed;

static struct proc *by_guest(uint32_t id) {
  for (int i = 0; i < MAX; i++)
    if (procs[i].guest_id == id) return &procs[i];
  return NULL;
}

static struct proc *by_client(struct client *c, uint32_t id) {
  for (int i = 0; i < MAX; i++)
    if (procs[i].guest_id != 0 && procs[i].owner == c && procs[i].client_id == id) return &procs[i];
  return NULL;
}

static struct proc *add(struct client *c, uint32_t id) {
  struct proc *p = by_guest(0);
  if (p == NULL) return NULL;
  while (next_id < FIRST_ID || by_guest(next_id) != NULL) next_id++;
  *p = (struct proc){.guest_id = next_id++, .client_id = id, .owner = c};
  p->window[1] = p->window[2] = VXN_OUTPUT_WINDOW;
  return p;
}

static void refuse(struct client *c, uint32_t id, const char *text) {
  uint8_t payload[4 + VXN_TEXT_MAX] = {0};
  uint32_t n = 0;
  while (text[n] != '\0' && n < VXN_TEXT_MAX) payload[4 + n] = (uint8_t)text[n], n++;
  control_send(c, VXN_G_PROCESS_FAILED, id, payload, 4 + n);
}

bool relay_from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  if (!guest_has_room()) return false;
  struct proc *p = by_client(c, h->id);
  if (p == NULL && h->type == VXN_H_PROCESS && (p = add(c, h->id)) == NULL)
    return refuse(c, h->id, "too many processes in this container: 1024 at once are possible"), true;
  // Frames for a process that has just ended are late, not wrong.
  if (p == NULL) return true;
  if (h->type == VXN_H_CREDIT) {
    uint32_t stream = vxn_get32(payload), n = vxn_get32(payload + 4);
    if (stream < 1 || stream > 2 || n > VXN_CREDIT_MAX - p->window[stream]) return true;
    p->window[stream] += n;
  }
  if (h->type == VXN_H_PROCESS && (h->flags & VXN_FLAG_MORE) == 0) p->described = true;
  guest_send(h->type, h->flags, p->guest_id, payload, h->length);
  return true;
}

static void credit_back(uint32_t id, uint32_t stream, uint32_t n) {
  uint8_t payload[8];
  vxn_put32(payload, stream);
  vxn_put32(payload + 4, n);
  guest_send(VXN_H_CREDIT, 0, id, payload, sizeof payload);
}

vxn_fault relay_from_guest(const struct vxn_header *h, const uint8_t *payload) {
  struct proc *p = by_guest(h->id);
  if (p == NULL) return "frame for a process that does not exist";
  if (h->type == VXN_G_STDOUT || h->type == VXN_G_STDERR) {
    uint32_t stream = h->type == VXN_G_STDOUT ? 1 : 2;
    if (h->length > p->window[stream]) return "more output than credit";
    p->window[stream] -= h->length;
    if (p->owner == NULL) {
      p->window[stream] += h->length;
      credit_back(h->id, stream, h->length);
    }
  }
  if (p->owner != NULL) control_send(p->owner, h->type, p->client_id, payload, h->length);
  if (h->type == VXN_G_EXIT || h->type == VXN_G_PROCESS_FAILED) {
    if (p->kill_owed) kills_owed--;
    *p = (struct proc){0};
  }
  return NULL;
}

static void kill_process(struct proc *p) {
  static const uint8_t kill_it[8] = {SIGKILL};
  // A description that was cut off must not be taken for a shorter one: it is made one that cannot
  // be read.
  if (p->described)
    guest_send(VXN_H_SIGNAL, 0, p->guest_id, kill_it, sizeof kill_it);
  else
    guest_send(VXN_H_PROCESS, 0, p->guest_id, kill_it, 1);
  p->kill_owed = false;
  kills_owed--;
}

void relay_turn(void) {
  for (int i = 0; kills_owed > 0 && i < MAX; i++)
    if (procs[i].guest_id != 0 && procs[i].kill_owed && guest_has_room()) kill_process(&procs[i]);
}

void relay_client_gone(struct client *c) {
  for (int i = 0; i < MAX; i++) {
    if (procs[i].guest_id == 0 || procs[i].owner != c) continue;
    procs[i].owner = NULL;
    procs[i].kill_owed = true;
    kills_owed++;
  }
  relay_turn();
}

void relay_end(bool lost) {
  uint8_t payload[16] = {0};
  vxn_put32(payload, lost ? 255 : 0);
  vxn_put32(payload + 4, lost ? 0 : SIGKILL);
  for (int i = 0; i < MAX; i++) {
    if (procs[i].guest_id == 0 || procs[i].owner == NULL) continue;
    control_send(procs[i].owner, VXN_G_EXIT, procs[i].client_id, payload, sizeof payload);
    procs[i].owner = NULL;
  }
}

void relay_send_pids(struct client *c, uint32_t id) {
  uint8_t payload[4 * MAX];
  uint32_t n = 0;
  for (int i = 0; i < MAX; i++) {
    if (procs[i].guest_id == 0 || procs[i].owner == NULL) continue;
    vxn_put32(payload + 4 * n++, (uint32_t)control_pid(procs[i].owner));
  }
  control_send(c, VXN_M_PIDS_REPLY, id, payload, 4 * n);
}

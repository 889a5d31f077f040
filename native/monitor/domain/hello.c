// SPDX-License-Identifier: MIT
#include "hello.h"

#include <stdbool.h>
#include <stdio.h>

#include "../host/monitor_log.h"
#include "../host/timeline.h"
#include "../host/words.h"
#include "guest.h"

// The guest's words must not push the monitor's own out of monitor.log: there is a limit to all of
// them together.
#define SAID_MAX (16u << 10)

static uint32_t said;  // bytes of LOG that are in monitor.log

// The guest's clock may say anything: only plausible values get into the time line.
static void stamp_boot(int64_t begun, int64_t now) {
  bool plausible = now >= 0 && now < INT64_C(600000000000) && begun >= 0 && begun <= now;
  if (!plausible) return;
  timeline_stamp("guest.kernel", -now);
  timeline_stamp("guest.agent", begun - now);
}

static const char *too_old(uint32_t version) {
  static char why[160];
  snprintf(why, sizeof why,
           "the guest's agent speaks version %u of the protocol, version %u is needed: install the initramfs of this vxn",
           version, VXN_PROTOCOL_VERSION);
  return why;
}

const char *hello_from_guest(const uint8_t *payload) {
  uint8_t version[4];
  if (vxn_get32(payload) < VXN_PROTOCOL_VERSION) return too_old(vxn_get32(payload));
  stamp_boot((int64_t)vxn_get64(payload + 4), (int64_t)vxn_get64(payload + 12));
  timeline_stamp("agent.ready", 0);
  vxn_put32(version, VXN_PROTOCOL_VERSION);
  guest_send(VXN_H_HELLO, 0, 0, version, sizeof version);
  return NULL;
}

void hello_log(const uint8_t *payload, uint32_t length) {
  static const char enough[] = "(it says too much: no more of that is kept, see logs --console)";
  char text[VXN_TEXT_MAX + 1];
  if (said > SAID_MAX) return;
  said += length + (uint32_t)sizeof "guest: ";
  words_copy(text, payload, length);
  monitor_log("guest: %s", said > SAID_MAX ? enough : text);
}

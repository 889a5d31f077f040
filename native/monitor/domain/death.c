// SPDX-License-Identifier: MIT
#include "death.h"

#include <stdbool.h>
#include <stdio.h>

#include "../host/loop.h"
#include "console.h"

// The end of a channel is followed by the end of its domain, which says more.
#define DOMAIN_MS 2000
// The console may still hold the reason when Xen says that the guest crashed.
#define PANIC_MS 2000

static void (*on_lost)(const char *why);
static struct timer timer;
static bool crashed;

void death_init(void (*lose)(const char *why)) { on_lost = lose; }

static void agent_gone(void) { on_lost("the guest's agent is gone"); }

void death_of_channel(vxn_fault why) {
  char text[160];
  if (why == NULL && !domain_ends_with_channel()) {
    timer_set(&timer, DOMAIN_MS, agent_gone);
  } else if (why == NULL) {
    agent_gone();
  } else {
    snprintf(text, sizeof text, "the guest broke the protocol: %s", why);
    on_lost(text);
  }
}

static void panicked(void) {
  char text[320];
  const char *message = console_panic();
  snprintf(text, sizeof text, "the guest kernel panicked: %s", message != NULL ? message : "see logs --console");
  on_lost(text);
}

void death_panic_seen(void) {
  if (crashed) panicked();
}

static const char *sentence(enum domain_end how) {
  switch (how) {
    case DOMAIN_GONE: return "the domain was destroyed from outside";
    case DOMAIN_POWEROFF: return "the guest powered off";
    default: return "the guest rebooted";
  }
}

void death_of_domain(enum domain_end how) {
  if (how != DOMAIN_CRASH) {
    on_lost(sentence(how));
  } else if (console_panic() != NULL) {
    panicked();
  } else {
    crashed = true;
    timer_set(&timer, PANIC_MS, panicked);
  }
}

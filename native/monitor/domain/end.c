// SPDX-License-Identifier: MIT
#include "end.h"

#include <stdbool.h>
#include <stdio.h>

#include "../host/gate.h"
#include "../xen/destroy.h"

static const struct domain_plan *plan;
static bool has_domain;
static uint32_t domid;
static int end_gate = -1;

int end_open(const struct domain_plan *p) {
  plan = p;
  end_gate = gate_open(p->dir, "end.gate");
  return end_gate < 0 ? -1 : 0;
}

void end_owns(uint32_t id) {
  has_domain = true;
  domid = id;
}

void end_domain(void) {
  char gone[256];
  if (!has_domain) return;
  snprintf(gone, sizeof gone, "%s/gone", plan->dir);
  destroy_domain(plan->xl, domid, end_gate, gone);
}

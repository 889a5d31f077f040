// SPDX-License-Identifier: MIT
// The configuration that an engine has put into a network namespace: read by netlink, written for
// the guest as a NETWORK payload.
#ifndef VXN_NETNS_H
#define VXN_NETNS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../common/netlink.h"
#include "../../common/writer.h"

#define NETNS_LINKS 16
#define NETNS_WHY 256

/// An Ethernet interface that the guest is to have.
struct netns_link {
  int index;        // in the namespace
  unsigned number;  // of the domain's vif
  char name[IFNAMSIZ];
  uint8_t mac[6];
  uint32_t mtu, flags;
};

struct netns {
  struct netns_link links[NETNS_LINKS];
  size_t n;
  // A number never used before: the vif that had the last one may still be on its way out.
  unsigned next;
};

/// Reads the interfaces. A link that ns held before keeps its number. 0, or -1 with a sentence in
/// why.
int netns_read(struct nl *n, struct netns *ns, char why[NETNS_WHY]);

/// Appends the records of a LINK, without its settings.
void netns_write_link(struct vxn_writer *w, const struct netns_link *l);

/// Appends LINK records for the interfaces, and OBJECT records for the addresses, routes, rules and
/// permanent neighbours that the kernel has not made by itself. 0, or -1 with a sentence in why.
int netns_describe(struct nl *n, const struct netns *ns, struct vxn_writer *w, char why[NETNS_WHY]);

/// Appends one OBJECT: a message of rtnetlink whose interface numbers are the guest's: 1 is lo,
/// NUMBER + 2 a vif.
void netns_write_object(struct vxn_writer *w, uint16_t type, const struct nl_message *m);

#endif

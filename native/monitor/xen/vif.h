// SPDX-License-Identifier: MIT
// Network interfaces of a domain. Dom0 sees each one as netback's vifDOMID.NUMBER. vif_xen.c, or
// vif_fake.c in tests.
#ifndef VXN_VIF_H
#define VXN_VIF_H

#include <net/if.h>
#include <stdint.h>
#include <stdio.h>

struct nl;

struct vif {
  uint32_t domid;
  unsigned number;
  uint8_t mac[6];
  const char *script;  // the hotplug program that `xl destroy` calls
  const char *netns;   // the path of the namespace that script is to clean up; NULL: none
};

/// The name of the domain's interface of this number in Dom0.
static inline void vif_name(char name[IFNAMSIZ], uint32_t domid, unsigned number) {
  snprintf(name, IFNAMSIZ, "vif%u.%u", (unsigned)(uint16_t)domid, (unsigned)(uint16_t)number);
}

/// Gives the domain an interface; Dom0's end appears a moment later in the namespace of the socket
/// outside. The interface is written down as `xl network-attach` does it, so that `xl destroy`
/// takes it back. 0, 1: the domain has an interface of that number already, or -1 with *error set
/// to a sentence.
int vif_add(struct nl *outside, const struct vif *v, const char **error);

/// Makes a guest that is up look for its interface once more. A Linux guest does not see an
/// interface that comes between its first look at its devices and its watch of them.
void vif_announce(uint32_t domid, unsigned number);

/// Takes an interface back in the background.
void vif_remove(const char *xl, uint32_t domid, unsigned number);

#endif

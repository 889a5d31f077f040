// SPDX-License-Identifier: MIT
// Network interfaces of a domain, in Dom0's eyes: netback's vifDOMID.NUMBER.
#ifndef VXN_VIF_H
#define VXN_VIF_H

#include <net/if.h>
#include <stdint.h>
#include <stdio.h>

/// What Dom0 calls the domain's interface of this number.
static inline void vif_name(char name[IFNAMSIZ], uint32_t domid, unsigned number) {
  snprintf(name, IFNAMSIZ, "vif%u.%u", (unsigned)(uint16_t)domid, (unsigned)(uint16_t)number);
}

/// Gives the domain an interface with this address; Dom0's end appears a moment later. As `xl network-attach` does it, so that
/// `xl destroy` takes it back, with script called then. netns (NULL: none): the path of the namespace that script is to clean up.
/// 0, 1: somebody else has given the domain that number, or -1 with *error set to a sentence.
int vif_add(uint32_t domid, unsigned number, const uint8_t mac[6], const char *script, const char *netns,
            const char **error);

/// Makes a guest that is up look for its interface once more. A Linux guest does not see what comes between its first look at
/// its devices and its watch of them, and says nothing of what it has found already.
void vif_announce(uint32_t domid, unsigned number);

/// Takes an interface back in the background.
void vif_remove(const char *xl, uint32_t domid, unsigned number);

#endif

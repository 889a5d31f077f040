// SPDX-License-Identifier: MIT
// JOIN, the runtime's wish to the monitor: the namespace or the bridge that the domain is to be
// joined to.
#ifndef VXN_NETWORK_REQUEST_H
#define VXN_NETWORK_REQUEST_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"

enum network_mode {
  NETWORK_NONE,
  NETWORK_NAMESPACE,
  NETWORK_BRIDGE,
  NETWORK_EITHER,  // the namespace or, when it has no interfaces, the bridge
};

struct network_request {
  enum network_mode mode;
  char bridge[IFNAMSIZ];
  uint8_t mac[6];
  // For a bridge. prefix 0: by DHCP; gateway 0.0.0.0: none.
  uint8_t address[4], prefix, gateway[4];
  struct {
    uint8_t address[16];
    size_t len;
  } resolvers[DNS_RESOLVERS];
  size_t n_resolvers;
};

/// False when the payload breaks the form.
bool network_request_parse(struct network_request *r, const uint8_t *payload, size_t len);

#endif

// SPDX-License-Identifier: MIT
// NETWORK payloads as structures. Pure: bytes in, structure or error out.
#ifndef VXN_AGENT_NETWORK_RECORDS_H
#define VXN_AGENT_NETWORK_RECORDS_H

#include <net/if.h>

#include "error.h"
#include "pool.h"

struct setting_desc {
  const char *key, *value;  ///< "ipv4/rp_filter"
};

struct link_desc {
  uint32_t number;  ///< of the vif
  char name[IFNAMSIZ];
  uint8_t mac[6];
  uint32_t mtu, flags;  ///< IFF_*
  bool dhcp;            ///< its IPv4 address comes by DHCP
  struct setting_desc *settings;
  size_t n_settings;
};

/// A message of rtnetlink without its header.
struct object_desc {
  uint16_t type;  ///< RTM_NEW*
  const uint8_t *data;
  size_t len;
  bool done;  ///< a mark for the code that applies it
};

/// A name server on a loopback address.
struct resolver_desc {
  uint8_t address[16];
  size_t len;  ///< 4 or 16
};

struct network_desc {
  struct pool pool;
  struct link_desc *links;
  struct object_desc *objects;
  struct resolver_desc *resolvers;
  size_t n_links, n_objects, n_resolvers;
};

/// The structure comes zeroed; free its pool whatever the answer.
int parse_network(struct network_desc *d, const uint8_t *data, size_t len, struct error *e);

/// The size of the fixed part of an object's message, 0 for a type that is none.
size_t object_head(uint16_t type);

/// Where in that part its interface number is, or 0.
size_t object_index_at(uint16_t type);

#endif

// SPDX-License-Identifier: MIT
// DHCP for IPv4 (RFC 2131): messages as bytes. Pure.
#ifndef VXN_AGENT_DHCP_H
#define VXN_AGENT_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_MESSAGE_MAX 576

enum dhcp_type { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE };

struct dhcp_request {
  enum dhcp_type type;
  uint32_t transaction;
  uint16_t seconds;         ///< since it all began
  uint8_t mac[6];
  uint8_t client[4];        ///< our address, when we have it
  uint8_t wanted[4];        ///< option 50, unless zero
  uint8_t server[4];        ///< option 54, unless zero
  const char *host_name;    ///< option 12, unless NULL
};

/// A server's message. Addresses are zero and times 0 where it says nothing.
struct dhcp_reply {
  enum dhcp_type type;
  uint8_t address[4], server[4], router[4];
  uint8_t prefix;
  uint16_t mtu;
  uint32_t lease, renew, rebind;  ///< seconds
};

/// The message's length; at most DHCP_MESSAGE_MAX.
size_t dhcp_encode(const struct dhcp_request *r, uint8_t out[DHCP_MESSAGE_MAX]);

/// Reads a server's message. False when it is no answer to this transaction of this MAC.
bool dhcp_decode(struct dhcp_reply *r, const uint8_t *data, size_t len, uint32_t transaction, const uint8_t mac[6]);

#endif

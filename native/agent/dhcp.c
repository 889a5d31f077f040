// SPDX-License-Identifier: MIT
#include "dhcp.h"

#include <string.h>

#define HEADER 240  // up to the options, with the cookie
#define FLAG_BROADCAST 0x80
enum {
  OPTION_PAD = 0,
  OPTION_MASK = 1,
  OPTION_ROUTER = 3,
  OPTION_HOST_NAME = 12,
  OPTION_MTU = 26,
  OPTION_WANTED = 50,
  OPTION_LEASE = 51,
  OPTION_TYPE = 53,
  OPTION_SERVER = 54,
  OPTION_PARAMETERS = 55,
  OPTION_SIZE = 57,
  OPTION_RENEW = 58,
  OPTION_REBIND = 59,
  OPTION_CLIENT = 61,
  OPTION_END = 255,
};
static const uint8_t cookie[4] = {99, 130, 83, 99};

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *value, size_t len) {
  *at++ = code;
  *at++ = (uint8_t)len;
  memcpy(at, value, len);
  return at + len;
}

static bool is_zero(const uint8_t address[4]) { return memcmp(address, "\0\0\0", 4) == 0; }

static void put32(uint8_t *at, uint32_t v) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

size_t dhcp_encode(const struct dhcp_request *r, uint8_t out[DHCP_MESSAGE_MAX]) {
  static const uint8_t parameters[] = {OPTION_MASK, OPTION_ROUTER, OPTION_MTU, OPTION_LEASE, OPTION_RENEW, OPTION_REBIND};
  uint8_t type = (uint8_t)r->type, client[7] = {1}, size[2] = {DHCP_MESSAGE_MAX >> 8, DHCP_MESSAGE_MAX & 0xff};
  memset(out, 0, DHCP_MESSAGE_MAX);
  out[0] = 1;  // BOOTREQUEST
  out[1] = 1;  // Ethernet
  out[2] = sizeof r->mac;
  put32(out + 4, r->transaction);
  out[8] = (uint8_t)(r->seconds >> 8);
  out[9] = (uint8_t)r->seconds;
  // Without an address the kernel takes only what is sent to everybody.
  if (is_zero(r->client)) out[10] = FLAG_BROADCAST;
  memcpy(out + 12, r->client, 4);
  memcpy(out + 28, r->mac, sizeof r->mac);
  memcpy(out + 236, cookie, sizeof cookie);
  memcpy(client + 1, r->mac, sizeof r->mac);
  uint8_t *at = put_option(out + HEADER, OPTION_TYPE, &type, 1);
  at = put_option(at, OPTION_CLIENT, client, sizeof client);
  at = put_option(at, OPTION_SIZE, size, sizeof size);
  if (!is_zero(r->wanted)) at = put_option(at, OPTION_WANTED, r->wanted, 4);
  if (!is_zero(r->server)) at = put_option(at, OPTION_SERVER, r->server, 4);
  if (r->host_name != NULL && r->host_name[0] != '\0') at = put_option(at, OPTION_HOST_NAME, r->host_name, strnlen(r->host_name, 64));
  at = put_option(at, OPTION_PARAMETERS, parameters, sizeof parameters);
  *at++ = OPTION_END;
  // Some servers drop what is shorter than BOOTP's messages were.
  size_t len = (size_t)(at - out);
  return len < 300 ? 300 : len;
}

static uint8_t prefix_of(const uint8_t mask[4]) {
  uint32_t m = get32(mask);
  uint8_t prefix = 0;
  while (prefix < 32 && (m & 0x80000000u >> prefix) != 0) prefix++;
  return prefix;
}

static void take_option(struct dhcp_reply *r, uint8_t code, const uint8_t *v, size_t len) {
  if (code == OPTION_TYPE && len == 1 && v[0] >= DHCP_DISCOVER && v[0] <= DHCP_RELEASE) r->type = (enum dhcp_type)v[0];
  if (code == OPTION_MTU && len == 2) r->mtu = (uint16_t)(v[0] << 8 | v[1]);
  if (len < 4) return;
  if (code == OPTION_MASK) r->prefix = prefix_of(v);
  if (code == OPTION_ROUTER) memcpy(r->router, v, 4);
  if (code == OPTION_SERVER) memcpy(r->server, v, 4);
  if (code == OPTION_LEASE) r->lease = get32(v);
  if (code == OPTION_RENEW) r->renew = get32(v);
  if (code == OPTION_REBIND) r->rebind = get32(v);
}

static void take_options(struct dhcp_reply *r, const uint8_t *at, const uint8_t *end) {
  while (at < end && *at != OPTION_END) {
    if (*at == OPTION_PAD) {
      at++;
      continue;
    }
    if (end - at < 2 || end - at - 2 < at[1]) return;
    take_option(r, at[0], at + 2, at[1]);
    at += 2 + at[1];
  }
}

bool dhcp_decode(struct dhcp_reply *r, const uint8_t *data, size_t len, uint32_t transaction, const uint8_t mac[6]) {
  *r = (struct dhcp_reply){0};
  if (len < HEADER || data[0] != 2 || get32(data + 4) != transaction || memcmp(data + 28, mac, 6) != 0 ||
      memcmp(data + 236, cookie, sizeof cookie) != 0)
    return false;
  memcpy(r->address, data + 16, 4);
  take_options(r, data + HEADER, data + len);
  return r->type == DHCP_OFFER || r->type == DHCP_ACK || r->type == DHCP_NAK;
}

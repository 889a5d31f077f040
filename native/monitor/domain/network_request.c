// SPDX-License-Identifier: MIT
#include "network_request.h"

#include <string.h>

#include "../../common/protocol.h"

static bool take_bytes(const struct vxn_record *v, uint8_t *out, size_t len) {
  if (v->length != len) return false;
  memcpy(out, v->value, len);
  return true;
}

static bool take_mode(struct network_request *r, const struct vxn_record *v) {
  if (v->length != 4 || vxn_get32(v->value) > NETWORK_EITHER) return false;
  r->mode = (enum network_mode)vxn_get32(v->value);
  return true;
}

static bool take_name(struct network_request *r, const struct vxn_record *v) {
  if (v->length == 0 || v->length >= sizeof r->bridge) return false;
  memset(r->bridge, 0, sizeof r->bridge);
  return take_bytes(v, (uint8_t *)r->bridge, v->length);
}

static bool take_address(struct network_request *r, const struct vxn_record *v) {
  if (v->length != 5 || v->value[4] > 32) return false;
  memcpy(r->address, v->value, 4);
  r->prefix = v->value[4];
  return true;
}

static bool take_resolver(struct network_request *r, const struct vxn_record *v) {
  if (r->n_resolvers == DNS_RESOLVERS || (v->length != 4 && v->length != 16)) return false;
  r->resolvers[r->n_resolvers].len = v->length;
  memcpy(r->resolvers[r->n_resolvers++].address, v->value, v->length);
  return true;
}

static bool take(struct network_request *r, const struct vxn_record *v) {
  switch (v->tag) {
    case VXN_T_JOIN_MODE: return take_mode(r, v);
    case VXN_T_JOIN_BRIDGE: return take_name(r, v);
    case VXN_T_JOIN_MAC: return take_bytes(v, r->mac, sizeof r->mac);
    case VXN_T_JOIN_ADDRESS: return take_address(r, v);
    case VXN_T_JOIN_GATEWAY: return take_bytes(v, r->gateway, sizeof r->gateway);
    case VXN_T_JOIN_RESOLVER: return take_resolver(r, v);
    default: return false;
  }
}

bool network_request_parse(struct network_request *r, const uint8_t *payload, size_t len) {
  struct vxn_record v;
  int got;
  *r = (struct network_request){.mode = NETWORK_NAMESPACE};
  while ((got = vxn_next_record(&payload, &len, &v)) > 0)
    if (!take(r, &v)) return false;
  return got == 0 && (r->mode < NETWORK_BRIDGE || r->bridge[0] != '\0');
}

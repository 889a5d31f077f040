// SPDX-License-Identifier: MIT
#include "bridged.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static void write_address(struct vxn_writer *w, const struct network_request *r, uint32_t index) {
  struct nl_message m;
  struct ifaddrmsg a = {.ifa_family = AF_INET, .ifa_prefixlen = r->prefix, .ifa_index = index};
  uint8_t broadcast[4];
  uint32_t host = r->prefix == 32 ? 0 : UINT32_MAX >> r->prefix;
  for (int i = 0; i < 4; i++) broadcast[i] = (uint8_t)(r->address[i] | host >> (24 - 8 * i));
  nl_start(&m, RTM_NEWADDR, 0, &a, sizeof a);
  nl_put(&m, IFA_LOCAL, r->address, 4);
  nl_put(&m, IFA_ADDRESS, r->address, 4);
  if (r->prefix < 31) nl_put(&m, IFA_BROADCAST, broadcast, 4);
  netns_write_object(w, RTM_NEWADDR, &m);
}

static void write_gateway(struct vxn_writer *w, const struct network_request *r, uint32_t index) {
  static const uint8_t none[4];
  struct nl_message m;
  struct rtmsg route = {
      .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
  if (memcmp(r->gateway, none, sizeof none) == 0) return;
  nl_start(&m, RTM_NEWROUTE, 0, &route, sizeof route);
  nl_put(&m, RTA_GATEWAY, r->gateway, 4);
  nl_put_u32(&m, RTA_OIF, index);
  netns_write_object(w, RTM_NEWROUTE, &m);
}

void bridged_write(struct vxn_writer *w, const struct network_request *r, const struct netns_link *l) {
  uint32_t index = l->number + VXN_NET_FIRST;
  size_t link = vxn_write_begin(w, VXN_T_LINK);
  netns_write_link(w, l);
  if (r->prefix == 0) vxn_write_record(w, VXN_T_LINK_DHCP, NULL, 0);
  vxn_write_end(w, link);
  if (r->prefix == 0) return;
  write_address(w, r, index);
  write_gateway(w, r, index);
}

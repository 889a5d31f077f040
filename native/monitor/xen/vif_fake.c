// SPDX-License-Identifier: MIT
// The test double of vif_xen.c. An interface is a veth pair, whose other end the fake domain finds
// in its network namespace as vif-NUMBER.
#include "vif.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../common/netlink.h"

static int domain_netns(uint32_t domid) {
  char path[400], pid[16] = "";
  snprintf(path, sizeof path, "%s/%" PRIu32 "/pid", getenv("VXN_DOMAINS"), domid);
  FILE *f = fopen(path, "re");
  if (f == NULL) return -1;
  bool got = fgets(pid, sizeof pid, f) != NULL;
  fclose(f);
  snprintf(path, sizeof path, "/proc/%d/ns/net", atoi(pid));
  return got ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

int vif_add(struct nl *outside, const struct vif *v, const char **error) {
  struct nl_message m;
  struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
  char name[IFNAMSIZ], peer[IFNAMSIZ];
  int ns = domain_netns(v->domid);
  vif_name(name, v->domid, v->number);
  snprintf(peer, sizeof peer, "vif-%u", (unsigned)(uint16_t)v->number);
  nl_start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);
  nl_put_string(&m, IFLA_IFNAME, name);
  size_t info = nl_nest(&m, IFLA_LINKINFO);
  nl_put_string(&m, IFLA_INFO_KIND, "veth");
  size_t data = nl_nest(&m, IFLA_INFO_DATA), other = nl_nest(&m, VETH_INFO_PEER);
  nl_put_body(&m, &i, sizeof i);
  nl_put_string(&m, IFLA_IFNAME, peer);
  nl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)ns);
  nl_nest_end(&m, other);
  nl_nest_end(&m, data);
  nl_nest_end(&m, info);
  int rc = ns < 0 ? -1 : nl_request(outside, &m, NULL, NULL);
  if (ns >= 0) close(ns);
  if (rc != 0) *error = "cannot make a veth pair";
  return rc == 0 ? 0 : -1;
}

void vif_announce(uint32_t domid, unsigned number) { (void)domid, (void)number; }

void vif_remove(const char *xl, uint32_t domid, unsigned number) {
  struct nl_message m;
  struct nl n;
  struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
  char name[IFNAMSIZ];
  (void)xl;
  vif_name(name, domid, number);
  nl_start(&m, RTM_DELLINK, 0, &i, sizeof i);
  nl_put_string(&m, IFLA_IFNAME, name);
  if (nl_open(&n, 0) == 0) nl_request(&n, &m, NULL, NULL), nl_close(&n);
}

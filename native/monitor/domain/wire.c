// SPDX-License-Identifier: MIT
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../common/redirect.h"
#include "../xen/vif.h"

#define IN6_ADDR_GEN_NONE 1
#define MOVE_ATTEMPTS 5

static struct ifinfomsg message(int index, unsigned flags, unsigned change) {
  return (struct ifinfomsg){.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = change};
}

struct answer {
  int index;
  uint32_t mtu;
  // Becomes the message that takes its other names away, if it has any. NULL: not asked for.
  struct nl_message *forget;
};

static int take(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct answer *a = ctx;
  struct ifinfomsg i;
  struct nl_value v[IFLA_PROP_LIST + 1];
  if (type != RTM_NEWLINK || len < sizeof i) return 0;
  memcpy(&i, body, sizeof i);
  a->index = i.ifi_index;
  if (nl_parse(body + sizeof i, len - sizeof i, v, IFLA_PROP_LIST + 1) < 0) return 0;
  a->mtu = nl_u32(v[IFLA_MTU], 0);
  if (a->forget == NULL || v[IFLA_PROP_LIST].data == NULL) return 0;
  i = message(a->index, 0, 0);
  nl_start(a->forget, RTM_DELLINKPROP, 0, &i, sizeof i);
  nl_put(a->forget, NLA_F_NESTED | IFLA_PROP_LIST, v[IFLA_PROP_LIST].data, v[IFLA_PROP_LIST].len);
  return 0;
}

// Looks it up by its index or, where that is 0, by its name.
static bool look(struct nl *n, int index, const char *name, struct answer *a) {
  struct nl_message m;
  struct ifinfomsg i = message(index, 0, 0);
  nl_start(&m, RTM_GETLINK, 0, &i, sizeof i);
  if (index == 0) nl_put_string(&m, IFLA_IFNAME, name);
  return nl_request(n, &m, take, a) == 0;
}

int wire_index(struct nl *n, const char *name) {
  struct answer a = {0};
  return look(n, 0, name, &a) ? a.index : 0;
}

uint32_t wire_mtu(struct nl *n, int index) {
  struct answer a = {0};
  return index != 0 && look(n, index, NULL, &a) ? a.mtu : 0;
}

static void remove_names(struct nl *n, int index) {
  struct nl_message forget = {.len = 0};
  struct answer a = {.forget = &forget};
  if (look(n, index, NULL, &a) && forget.len > 0) nl_request(n, &forget, NULL, NULL);
}

// Dom0's udev may give an interface a second name made of its MAC address (AlternativeNamesPolicy
// of systemd.link(5)), which all vifs share, and a namespace takes a name once. udev may be doing
// it right now.
static int move_inside(struct nl *outside, int index) {
  struct nl_message m;
  struct ifinfomsg i = message(index, 0, 0);
  int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), rc = -EEXIST;
  if (fd < 0) return -errno;
  for (int attempt = 0; attempt < MOVE_ATTEMPTS && rc == -EEXIST; attempt++) {
    remove_names(outside, index);
    nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
    nl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)fd);
    rc = nl_request(outside, &m, NULL, NULL);
  }
  close(fd);
  return rc;
}

// A piece of wire: no address of its own, and up. master: a bridge, or 0.
static int set_up(struct nl *n, int index, uint32_t mtu, int master) {
  struct nl_message m;
  struct ifinfomsg i = message(index, IFF_UP, IFF_UP);
  uint8_t none = IN6_ADDR_GEN_NONE;
  int rc = -EAFNOSUPPORT;  // a kernel without IPv6 answers this to the address mode
  for (int with_inet6 = 1; with_inet6 >= 0 && rc == -EAFNOSUPPORT; with_inet6--) {
    nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
    nl_put_u32(&m, IFLA_MTU, mtu);
    if (master != 0) nl_put_u32(&m, IFLA_MASTER, (uint32_t)master);
    if (with_inet6) {
      size_t families = nl_nest(&m, IFLA_AF_SPEC), inet6 = nl_nest(&m, AF_INET6);
      nl_put(&m, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
      nl_nest_end(&m, inet6);
      nl_nest_end(&m, families);
    }
    rc = nl_request(n, &m, NULL, NULL);
  }
  return rc;
}

// A macvlan or a card would filter the guest's multicast groups, which only the guest knows.
static int take_all_multicast(struct nl *n, int index, bool all) {
  struct nl_message m;
  struct ifinfomsg i = message(index, all ? IFF_ALLMULTI : 0, IFF_ALLMULTI);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  return nl_request(n, &m, NULL, NULL);
}

int wire_join(struct nl *outside, struct nl *inside, const struct wire *w, uint32_t domid) {
  char name[IFNAMSIZ];
  vif_name(name, domid, w->link.number);
  int index = wire_index(outside, name), to = w->link.index, rc;
  outside->text[0] = inside->text[0] = '\0';
  if (index == 0) return 0;
  if (w->bridge != 0) return (rc = set_up(outside, index, w->link.mtu, w->bridge)) < 0 ? rc : 1;
  if ((rc = move_inside(outside, index)) < 0) return rc;
  if ((index = wire_index(inside, name)) == 0) return -ENODEV;
  if ((rc = set_up(inside, index, w->link.mtu, 0)) < 0) return rc;
  if ((rc = redirect_add(inside, index, to)) < 0 || (rc = redirect_add(inside, to, index)) < 0) return rc;
  return (rc = take_all_multicast(inside, to, true)) < 0 ? rc : 1;
}

void wire_part(struct nl *inside, const struct wire *w) {
  if (w->bridge != 0) return;  // the vif goes with the domain
  redirect_remove(inside, w->link.index);
  if ((w->link.flags & IFF_ALLMULTI) == 0) take_all_multicast(inside, w->link.index, false);
}

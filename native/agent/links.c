// SPDX-License-Identifier: MIT
#include "links.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "rtnl.h"

#define LINKS_MAX 64

static struct device {
  uint32_t number;
  int index;
} devices[LINKS_MAX];
static size_t n_devices;

// ---- Which interface a vif is

static int index_of_name(const char *name) { return (int)if_nametoindex(name); }

// The interface that xen-netfront has made for a vif, 0 while there is none.
static int find_device(uint32_t number) {
  char path[64];
  int index = 0;
  if (!options.pid1) {
    snprintf(path, sizeof path, "vif-%u", number);
    return index_of_name(path);
  }
  snprintf(path, sizeof path, "/sys/bus/xen/devices/vif-%u/net", number);
  autoclosedir DIR *d = opendir(path);
  for (struct dirent *entry; d != NULL && index == 0 && (entry = readdir(d)) != NULL;)
    if (entry->d_name[0] != '.') index = index_of_name(entry->d_name);
  return index;
}

static bool name_of_index(int index, char name[IFNAMSIZ]) { return if_indextoname((unsigned)index, name) != NULL; }

int link_index(uint32_t number) {
  char name[IFNAMSIZ];
  for (size_t i = 0; i < n_devices; i++) {
    if (devices[i].number != number) continue;
    if (name_of_index(devices[i].index, name)) return devices[i].index;
    devices[i] = devices[--n_devices];
    break;
  }
  int index = find_device(number);
  if (index > 0 && n_devices < LINKS_MAX) devices[n_devices++] = (struct device){number, index};
  return index;
}

const struct link_desc *links_missing(const struct network_desc *d) {
  for (size_t i = 0; i < d->n_links; i++)
    if (link_index(d->links[i].number) == 0) return &d->links[i];
  return NULL;
}

const struct link_desc *link_by_number(const struct network_desc *d, uint32_t number) {
  for (size_t i = 0; i < d->n_links; i++)
    if (d->links[i].number == number) return &d->links[i];
  return NULL;
}

// ---- One interface

static struct ifinfomsg link_message(int index, unsigned flags, unsigned change) {
  return (struct ifinfomsg){.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = change};
}

static int link_failed(const struct link_desc *l, int error, const char *what, struct error *e) {
  return fail(e, -error, "network interface %s: %s: %s%s", l->name, what, errno_text(-error), rtnl_words());
}

static int set_flags(int index, unsigned flags, unsigned change) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, flags, change);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  return rtnl_ask(&m);
}

static bool is_running(const char *name) {
  struct ifreq r = {0};
  autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
  return fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_RUNNING) != 0;
}

static int rename_link(int index, const char *name) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, IFF_UP);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put_string(&m, IFLA_IFNAME, name);
  return rtnl_ask(&m);
}

// Gives an interface its name. Another interface of ours that has it gets a passing name; its own
// turn comes.
static int take_name(const struct link_desc *l, int index, struct error *e) {
  char name[IFNAMSIZ], passing[IFNAMSIZ];
  if (name_of_index(index, name) && strcmp(name, l->name) == 0) return 0;
  int other = index_of_name(l->name);
  snprintf(passing, sizeof passing, "vxn%d", other);
  int rc = other == 0 ? 0 : rename_link(other, passing);
  if (rc == 0) rc = rename_link(index, l->name);
  return rc == 0 ? 0 : link_failed(l, rc, "setting its name", e);
}

static int set_address(const struct link_desc *l, int index) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, IFF_UP);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put(&m, IFLA_ADDRESS, l->mac, sizeof l->mac);
  return rtnl_ask(&m);
}

static int set_mtu(const struct link_desc *l, int index) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, 0);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put_u32(&m, IFLA_MTU, l->mtu);
  return rtnl_ask(&m);
}

// A link-local address that comes with the others is not generated: nobody waits for its duplicate
// address detection.
static int generate_address(int index, bool generate) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, 0);
  uint8_t mode = generate ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  size_t families = nl_nest(&m, IFLA_AF_SPEC), inet6 = nl_nest(&m, AF_INET6);
  nl_put(&m, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  nl_nest_end(&m, inet6);
  nl_nest_end(&m, families);
  int rc = rtnl_ask(&m);
  return rc == -EAFNOSUPPORT ? 0 : rc;  // a kernel without IPv6
}

// A setting that the guest's kernel does not know is skipped: a missing file has no effect in
// Dom0's namespace either.
static void write_settings(const struct link_desc *l) {
  char path[128], current[32];
  for (size_t i = 0; i < l->n_settings; i++) {
    const struct setting_desc *s = &l->settings[i];
    size_t len = strlen(s->value);
    snprintf(path, sizeof path, "/proc/sys/net/%.4s/conf/%s/%s", s->key, l->name, s->key + 5);
    ssize_t n = read_file(path, current, sizeof current);
    if (n < 0 || (strncmp(current, s->value, len) == 0 && (current[len] == '\n' || current[len] == '\0'))) continue;
    if (write_file(path, s->value) < 0) agent_log("%s: %s", path, errno_text(errno));
  }
}

static bool has_link_local(const struct network_desc *d, uint32_t number) {
  for (size_t i = 0; i < d->n_objects; i++) {
    const struct object_desc *o = &d->objects[i];
    struct ifaddrmsg a;
    struct nl_value v[IFA_ADDRESS + 1];
    if (o->type != RTM_NEWADDR) continue;
    memcpy(&a, o->data, sizeof a);
    if (a.ifa_family == AF_INET6 && a.ifa_index == number + VXN_NET_FIRST &&
        nl_parse(o->data + sizeof a, o->len - sizeof a, v, IFA_ADDRESS + 1) == 0 && v[IFA_ADDRESS].len == 16 &&
        v[IFA_ADDRESS].data[0] == 0xfe && (v[IFA_ADDRESS].data[1] & 0xc0) == 0x80)
      return true;
  }
  return false;
}

static int set_up_link(const struct link_desc *l, const struct link_desc *before, bool generate, struct error *e) {
  int index = link_index(l->number);
  bool same_address = before != NULL && memcmp(before->mac, l->mac, sizeof l->mac) == 0;
  int rc = same_address ? 0 : set_address(l, index);
  if (rc < 0) return link_failed(l, rc, "setting its address", e);
  if ((rc = set_mtu(l, index)) < 0) return link_failed(l, rc, "setting its MTU", e);
  if ((rc = generate_address(index, generate)) < 0) return link_failed(l, rc, "setting its address mode", e);
  write_settings(l);
  rc = set_flags(index, l->flags, IFF_UP | IFF_NOARP | IFF_MULTICAST);
  return rc == 0 ? 0 : link_failed(l, rc, "setting its flags", e);
}

// ---- All of them

int links_set_up(const struct network_desc *now, const struct network_desc *wanted, struct error *e) {
  for (size_t i = 0; i < wanted->n_links; i++)
    if (take_name(&wanted->links[i], link_index(wanted->links[i].number), e) < 0) return -1;
  for (size_t i = 0; i < wanted->n_links; i++) {
    const struct link_desc *l = &wanted->links[i];
    if (set_up_link(l, link_by_number(now, l->number), !has_link_local(wanted, l->number), e) < 0) return -1;
  }
  return 0;
}

const struct link_desc *links_idle(const struct network_desc *d) {
  for (size_t i = 0; i < d->n_links; i++) {
    const struct link_desc *l = &d->links[i];
    if ((l->flags & IFF_UP) != 0 && !is_running(l->name)) return l;
  }
  return NULL;
}

bool links_change(const struct network_desc *now, const struct network_desc *wanted) {
  for (size_t i = 0; i < wanted->n_links; i++) {
    const struct link_desc *l = &wanted->links[i], *before = link_by_number(now, l->number);
    if (before != NULL && (strcmp(before->name, l->name) != 0 || memcmp(before->mac, l->mac, sizeof l->mac) != 0 ||
                           before->flags != l->flags))
      return true;
  }
  return false;
}

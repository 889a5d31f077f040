// SPDX-License-Identifier: MIT
#include "redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

// Behind every filter that an engine has put there.
#define PRIORITY 0xfff0u
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
static const char cookie[] = "vxn";

static struct tcmsg filter_of(int index) {
  return (struct tcmsg){.tcm_family = AF_UNSPEC,
                        .tcm_ifindex = index,
                        .tcm_parent = INGRESS,
                        .tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL))};
}

static int add_qdisc(struct nl *n, int index) {
  struct nl_message m;
  struct tcmsg t = {.tcm_family = AF_UNSPEC,
                    .tcm_ifindex = index,
                    .tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0),
                    .tcm_parent = TC_H_INGRESS};
  nl_start(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &t, sizeof t);
  nl_put_string(&m, TCA_KIND, "ingress");
  int rc = nl_request(n, &m, NULL, NULL);
  return rc == -EEXIST ? 0 : rc;
}

static void put_mirred(struct nl_message *m, int to) {
  struct tc_mirred mirred = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t)to};
  size_t first = nl_nest(m, 1);
  nl_put_string(m, TCA_ACT_KIND, "mirred");
  nl_put(m, TCA_ACT_COOKIE, cookie, sizeof cookie);
  size_t options = nl_nest(m, TCA_ACT_OPTIONS);
  nl_put(m, TCA_MIRRED_PARMS, &mirred, sizeof mirred);
  nl_nest_end(m, options);
  nl_nest_end(m, first);
}

static int add_matchall(struct nl *n, int index, int to) {
  struct nl_message m;
  struct tcmsg t = filter_of(index);
  nl_start(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &t, sizeof t);
  nl_put_string(&m, TCA_KIND, "matchall");
  size_t options = nl_nest(&m, TCA_OPTIONS), actions = nl_nest(&m, TCA_MATCHALL_ACT);
  put_mirred(&m, to);
  nl_nest_end(&m, actions);
  nl_nest_end(&m, options);
  return nl_request(n, &m, NULL, NULL);
}

// The same with the older classifier: one key whose mask is empty.
static int add_u32(struct nl *n, int index, int to) {
  struct nl_message m;
  struct tcmsg t = filter_of(index);
  uint8_t all[sizeof(struct tc_u32_sel) + sizeof(struct tc_u32_key)] = {0};
  struct tc_u32_sel selector = {.flags = TC_U32_TERMINAL, .nkeys = 1};
  memcpy(all, &selector, sizeof selector);
  nl_start(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &t, sizeof t);
  nl_put_string(&m, TCA_KIND, "u32");
  size_t options = nl_nest(&m, TCA_OPTIONS);
  nl_put(&m, TCA_U32_SEL, all, sizeof all);
  size_t actions = nl_nest(&m, TCA_U32_ACT);
  put_mirred(&m, to);
  nl_nest_end(&m, actions);
  nl_nest_end(&m, options);
  return nl_request(n, &m, NULL, NULL);
}

int redirect_add(struct nl *n, int index, int to) {
  int rc = add_qdisc(n, index);
  if (rc == 0) rc = add_matchall(n, index, to);
  if (rc == -ENOENT) rc = add_u32(n, index, to);
  return rc;
}

// ---- Looking at filters

struct filter_dump {
  int target;
  bool ours, others;
};

static void take_mirred(struct filter_dump *d, struct nl_value action) {
  struct nl_value v[TCA_ACT_MAX + 1], options[TCA_MIRRED_MAX + 1];
  struct tc_mirred mirred;
  char kind[16];
  if (nl_parse(action.data, action.len, v, TCA_ACT_MAX + 1) < 0 || !nl_string(v[TCA_ACT_KIND], kind, sizeof kind) ||
      strcmp(kind, "mirred") != 0 || v[TCA_ACT_COOKIE].len != sizeof cookie ||
      memcmp(v[TCA_ACT_COOKIE].data, cookie, sizeof cookie) != 0 || v[TCA_ACT_OPTIONS].data == NULL)
    return;
  if (nl_parse(v[TCA_ACT_OPTIONS].data, v[TCA_ACT_OPTIONS].len, options, TCA_MIRRED_MAX + 1) < 0 ||
      options[TCA_MIRRED_PARMS].len < sizeof mirred)
    return;
  memcpy(&mirred, options[TCA_MIRRED_PARMS].data, sizeof mirred);
  d->ours = true;
  d->target = (int)mirred.ifindex;
}

static int take_filter(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct filter_dump *d = ctx;
  struct tcmsg t;
  struct nl_value v[TCA_OPTIONS + 1], options[TCA_U32_ACT + 1], actions[2];
  char kind[16];
  if (type != RTM_NEWTFILTER || len < sizeof t) return 0;
  memcpy(&t, body, sizeof t);
  if (TC_H_MAJ(t.tcm_info) >> 16 != PRIORITY) {
    d->others = true;
    return 0;
  }
  if (nl_parse(body + sizeof t, len - sizeof t, v, TCA_OPTIONS + 1) < 0 || v[TCA_OPTIONS].data == NULL ||
      !nl_string(v[TCA_KIND], kind, sizeof kind) ||
      nl_parse(v[TCA_OPTIONS].data, v[TCA_OPTIONS].len, options, TCA_U32_ACT + 1) < 0)
    return 0;
  struct nl_value list = options[strcmp(kind, "u32") == 0 ? TCA_U32_ACT : TCA_MATCHALL_ACT];
  if (list.data != NULL && nl_parse(list.data, list.len, actions, 2) == 0 && actions[1].data != NULL)
    take_mirred(d, actions[1]);
  return 0;
}

static int look(struct nl *n, int index, struct filter_dump *d) {
  struct tcmsg t = {.tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_parent = INGRESS};
  *d = (struct filter_dump){0};
  // Everything that an inconsistent dump has told is true all the same.
  return nl_dump(n, RTM_GETTFILTER, &t, sizeof t, take_filter, NULL, d);
}

static bool exists(struct nl *n, int index) {
  struct nl_message m;
  struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = index};
  nl_start(&m, RTM_GETLINK, 0, &i, sizeof i);
  return index > 0 && nl_request(n, &m, NULL, NULL) == 0;
}

int redirect_target(struct nl *n, int index) {
  struct filter_dump d;
  if (look(n, index, &d) != 0 || !d.ours) return 0;
  return exists(n, d.target) ? d.target : -1;
}

struct qdisc_dump {
  int index;
  bool ingress;
};

static int take_qdisc(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct qdisc_dump *d = ctx;
  struct tcmsg t;
  struct nl_value v[TCA_KIND + 1];
  char kind[16];
  if (type != RTM_NEWQDISC || len < sizeof t) return 0;
  memcpy(&t, body, sizeof t);
  if (t.tcm_ifindex == d->index && t.tcm_parent == TC_H_INGRESS &&
      nl_parse(body + sizeof t, len - sizeof t, v, TCA_KIND + 1) == 0 && nl_string(v[TCA_KIND], kind, sizeof kind) &&
      strcmp(kind, "ingress") == 0)
    d->ingress = true;
  return 0;
}

// Not clsact, which others use for what goes out as well. The kernel shows this qdisc in dumps
// only.
static bool has_ingress(struct nl *n, int index) {
  struct tcmsg t = {.tcm_family = AF_UNSPEC, .tcm_ifindex = index};
  struct qdisc_dump d = {.index = index};
  return nl_dump(n, RTM_GETQDISC, &t, sizeof t, take_qdisc, NULL, &d) == 0 && d.ingress;
}

void redirect_remove(struct nl *n, int index) {
  struct nl_message m;
  struct filter_dump d;
  if (look(n, index, &d) != 0 || !d.ours) return;
  struct tcmsg filter = filter_of(index);
  struct tcmsg qdisc = {.tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_parent = TC_H_INGRESS};
  bool alone = !d.others && has_ingress(n, index);
  if (alone)
    nl_start(&m, RTM_DELQDISC, 0, &qdisc, sizeof qdisc);
  else
    nl_start(&m, RTM_DELTFILTER, 0, &filter, sizeof filter);
  nl_request(n, &m, NULL, NULL);
}

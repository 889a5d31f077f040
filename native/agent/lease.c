// SPDX-License-Identifier: MIT
#include "lease.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "dhcp.h"
#include "log.h"
#include "netlink.h"
#include "watch.h"

#define CLIENT_PORT 68
#define SERVER_PORT 67
// How long a container's start waits for its first address, and how often it asks meanwhile.
#define FIRST_ANSWER_S 20
#define RETRY_S 2
#define RETRY_LATER_S 60
#define SHORTEST_LEASE_S 10
#define LONGEST_WAIT_S (24u * 3600)

enum lease_state { DISCOVERING, REQUESTING, BOUND, RENEWING };

static struct {
  struct watch socket, timer;
  enum lease_state state;
  struct link_desc link;
  int index;
  struct dhcp_reply offer, bound;
  uint32_t transaction;
  uint64_t began_ns, bound_ns;
  struct nl nl;
  void (*done)(const struct error *failure);
} lease = {.socket.fd = -1, .timer.fd = -1, .nl.fd = -1};

static uint64_t now_s(void) { return boot_ns() / 1000000000u; }

static void wait_for(uint32_t seconds) {
  if (seconds > LONGEST_WAIT_S) seconds = LONGEST_WAIT_S;
  struct itimerspec t = {.it_value.tv_sec = seconds == 0 ? 1 : seconds};
  timerfd_settime(lease.timer.fd, 0, &t, NULL);
}

static bool has_address(void) { return lease.bound.prefix != 0; }

// ---- The address on the interface

static int change_address(uint16_t type, const struct dhcp_reply *r) {
  struct nl_message m;
  struct ifaddrmsg a = {.ifa_family = AF_INET, .ifa_prefixlen = r->prefix, .ifa_index = (uint32_t)lease.index};
  uint32_t address, broadcast;
  memcpy(&address, r->address, 4);
  broadcast = address | htonl(r->prefix >= 31 ? 0 : UINT32_MAX >> r->prefix);
  nl_start(&m, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0, &a, sizeof a);
  nl_put_u32(&m, IFA_LOCAL, address);
  nl_put_u32(&m, IFA_ADDRESS, address);
  if (r->prefix < 31) nl_put_u32(&m, IFA_BROADCAST, broadcast);
  return nl_request(&lease.nl, &m, NULL, NULL);
}

static int change_route(uint16_t type, const struct dhcp_reply *r) {
  struct nl_message m;
  struct rtmsg t = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_DHCP, .rtm_type = RTN_UNICAST};
  if (memcmp(r->router, "\0\0\0", 4) == 0) return 0;
  // The router may lie outside the network that the address says.
  t.rtm_flags = RTNH_F_ONLINK;
  nl_start(&m, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0, &t, sizeof t);
  nl_put(&m, RTA_GATEWAY, r->router, 4);
  nl_put_u32(&m, RTA_OIF, (uint32_t)lease.index);
  return nl_request(&lease.nl, &m, NULL, NULL);
}

static void forget_address(void) {
  if (!has_address()) return;
  change_route(RTM_DELROUTE, &lease.bound);
  change_address(RTM_DELADDR, &lease.bound);
  lease.bound = (struct dhcp_reply){0};
}

static int use_address(const struct dhcp_reply *r) {
  if (has_address() && (memcmp(r->address, lease.bound.address, 4) != 0 || r->prefix != lease.bound.prefix)) forget_address();
  lease.bound = *r;
  int rc = change_address(RTM_NEWADDR, r);
  return rc == 0 ? change_route(RTM_NEWROUTE, r) : rc;
}

// ---- Messages

static void send_message(enum dhcp_type type) {
  uint8_t message[DHCP_MESSAGE_MAX];
  char host[65] = "";
  struct dhcp_request r = {.type = type, .transaction = lease.transaction, .host_name = host};
  uint64_t seconds = now_s() - lease.began_ns / 1000000000u;
  gethostname(host, sizeof host - 1);
  r.seconds = seconds > 0xffff ? 0xffff : (uint16_t)seconds;
  memcpy(r.mac, lease.link.mac, sizeof r.mac);
  if (lease.state == RENEWING) {
    memcpy(r.client, lease.bound.address, 4);
  } else if (type == DHCP_REQUEST) {
    memcpy(r.wanted, lease.offer.address, 4);
    memcpy(r.server, lease.offer.server, 4);
  }
  size_t len = dhcp_encode(&r, message);
  struct sockaddr_in everybody = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT), .sin_addr.s_addr = INADDR_BROADCAST};
  sendto(lease.socket.fd, message, len, 0, (struct sockaddr *)&everybody, sizeof everybody);
}

static void discover(void) {
  lease.state = DISCOVERING;
  if (getrandom(&lease.transaction, sizeof lease.transaction, GRND_NONBLOCK) < 0)
    lease.transaction = (uint32_t)boot_ns();
  send_message(DHCP_DISCOVER);
  wait_for(lease.done != NULL ? RETRY_S : RETRY_LATER_S);
}

static void finish(const struct error *failure) {
  void (*done)(const struct error *) = lease.done;
  lease.done = NULL;
  if (done != NULL) done(failure);
}

static void take_ack(const struct dhcp_reply *r) {
  struct error e;
  int rc = use_address(r);
  lease.state = BOUND;
  lease.bound_ns = boot_ns();
  if (lease.bound.lease < SHORTEST_LEASE_S) lease.bound.lease = SHORTEST_LEASE_S;
  if (lease.bound.renew == 0 || lease.bound.renew > lease.bound.lease) lease.bound.renew = lease.bound.lease / 2;
  wait_for(lease.bound.renew);
  if (rc == 0) {
    finish(NULL);
    return;
  }
  fail(&e, -rc, "network interface %s: using the address from DHCP: %s", lease.link.name, errno_text(-rc));
  agent_log("%s", e.text);
  finish(&e);
}

static void take_reply(const struct dhcp_reply *r) {
  if (lease.state == DISCOVERING && r->type == DHCP_OFFER) {
    lease.offer = *r;
    lease.state = REQUESTING;
    send_message(DHCP_REQUEST);
    wait_for(RETRY_S);
  } else if ((lease.state == REQUESTING || lease.state == RENEWING) && r->type == DHCP_ACK && r->prefix != 0) {
    take_ack(r);
  } else if ((lease.state == REQUESTING || lease.state == RENEWING) && r->type == DHCP_NAK) {
    forget_address();
    discover();
  }
}

static void message_ready(struct watch *w, uint32_t events) {
  uint8_t message[1500];
  struct dhcp_reply r;
  ssize_t n;
  (void)events;
  while ((n = recv(w->fd, message, sizeof message, 0)) >= 0)
    if (dhcp_decode(&r, message, (size_t)n, lease.transaction, lease.link.mac)) take_reply(&r);
}

static void renew(uint64_t used_s) {
  lease.state = RENEWING;
  send_message(DHCP_REQUEST);
  uint64_t left = lease.bound.lease - used_s;
  wait_for((uint32_t)(left / 2 < RETRY_LATER_S ? left / 2 : RETRY_LATER_S));
}

static void timer_ready(struct watch *w, uint32_t events) {
  uint64_t times, used = (boot_ns() - lease.bound_ns) / 1000000000u;
  struct error e;
  (void)events;
  if (read(w->fd, &times, sizeof times) < 0) return;
  if (has_address() && used + 1 < lease.bound.lease) {
    if (used < lease.bound.renew)
      wait_for((uint32_t)(lease.bound.renew - used));
    else
      renew(used);
    return;
  }
  if (has_address()) agent_log("%s: the address from DHCP has expired", lease.link.name);
  forget_address();
  if (lease.done != NULL && boot_ns() - lease.began_ns > FIRST_ANSWER_S * UINT64_C(1000000000)) {
    fail(&e, ETIMEDOUT, "network interface %s: no DHCP server has answered within %d s", lease.link.name, FIRST_ANSWER_S);
    finish(&e);
  }
  discover();
}

static int open_socket(const struct link_desc *l) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(CLIENT_PORT)};
  int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->name, (socklen_t)strlen(l->name)) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

int lease_begin(const struct link_desc *l, int index, void (*done)(const struct error *), struct error *e) {
  if (lease.socket.fd >= 0) return fail(e, EBUSY, "network: one interface can have its address by DHCP, not two");
  lease.link = *l;
  lease.index = index;
  lease.done = done;
  lease.began_ns = boot_ns();
  lease.socket.fd = open_socket(l);
  lease.timer.fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (lease.socket.fd < 0 || lease.timer.fd < 0 || nl_open(&lease.nl, 0) < 0 ||
      watch_add(&lease.socket, EPOLLIN, message_ready) < 0 || watch_add(&lease.timer, EPOLLIN, timer_ready) < 0)
    return fail(e, errno, "network interface %s: DHCP: %s", l->name, errno_text(errno));
  discover();
  return 0;
}

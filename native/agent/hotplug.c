// SPDX-License-Identifier: MIT
#include "hotplug.h"

#include <ctype.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "log.h"
#include "watch.h"

#define KERNEL_GROUP 1
#define CPUS_MAX 512
// The kernel tells of a processor before it lets it be used: until then it answers EINVAL.
#define TRIES 250
#define RETRY_MS 40

static uint16_t tries_left[CPUS_MAX];  ///< 0: nothing to be done
static struct watch timer;

// True when there is nothing more to be done about it.
static bool switch_on(unsigned cpu) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/online", cpu);
  // A processor that is gone, or that always runs, has no such file.
  if (write_file(path, "1") == 0 || errno == ENOENT) return true;
  if (--tries_left[cpu] > 0) return false;
  agent_log("%s: %s", path, errno_text(errno));
  return true;
}

static void switch_all_on(void) {
  bool again = false;
  for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
    if (tries_left[cpu] == 0) continue;
    if (switch_on(cpu)) {
      tries_left[cpu] = 0;
    } else {
      again = true;
    }
  }
  struct itimerspec soon = {.it_value.tv_nsec = RETRY_MS * 1000000L};
  if (again && timerfd_settime(timer.fd, 0, &soon, NULL) < 0) agent_log("watching for processors: %s", errno_text(errno));
}

static void retry(struct watch *w, uint32_t events) {
  (void)events;
  uint64_t expired;
  if (read(w->fd, &expired, sizeof expired) > 0) switch_all_on();
}

// The number of the processor that a message is about, when it begins with the action; -1
// otherwise.
static int cpu_of(const char *text, const char *action) {
  size_t n = strlen(action);
  if (strncmp(text, action, n) != 0 || !isdigit((unsigned char)text[n])) return -1;
  char *end;
  unsigned long cpu = strtoul(text + n, &end, 10);
  return *end == '\0' && cpu < CPUS_MAX ? (int)cpu : -1;
}

void hotplug_event(const char *text) {
  int added = cpu_of(text, "add@/devices/system/cpu/cpu");
  int removed = cpu_of(text, "remove@/devices/system/cpu/cpu");
  if (removed >= 0) tries_left[removed] = 0;
  if (added < 0) return;
  tries_left[added] = TRIES;
  switch_all_on();
}

void hotplug_lost(void) {
  for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) tries_left[cpu] = TRIES;
  switch_all_on();
}

static void uevent(struct watch *w, uint32_t events) {
  (void)events;
  char text[4096];
  struct sockaddr_nl from;
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(w->fd, text, sizeof text - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (n < 0 && errno == ENOBUFS) {
      hotplug_lost();
      continue;
    }
    if (n <= 0) return;
    text[n] = '\0';
    // Programs in the guest can send such messages as well; the kernel's have no port.
    if (from.nl_pid == 0) hotplug_event(text);
  }
}

void hotplug_watch(void) {
  static struct watch w;
  struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
  timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  w.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (timer.fd >= 0 && watch_add(&timer, EPOLLIN, retry) == 0 && w.fd >= 0 &&
      bind(w.fd, (struct sockaddr *)&self, sizeof self) == 0 && watch_add(&w, EPOLLIN, uevent) == 0)
    return;
  agent_log("watching for processors: %s", errno_text(errno));
}

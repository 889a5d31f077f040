// SPDX-License-Identifier: MIT
// Processors that Xen gives the guest while it runs: the kernel registers them and leaves it to user space to use them.
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent.h"

#define KERNEL_GROUP 1

static void switch_on(const char *cpu) {
  char path[96];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/%.16s/online", cpu);
  if (write_file(path, "1") < 0) agent_log("%s: %s", path, errno_text(errno));
}

static void uevent(struct watch *w, uint32_t events) {
  (void)events;
  static const char added[] = "add@/devices/system/cpu/cpu";
  char text[4096];
  struct sockaddr_nl from;
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(w->fd, text, sizeof text - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    // More of them than fit: those that were lost are not told again.
    if (n < 0 && errno == ENOBUFS) continue;
    if (n <= 0) return;
    text[n] = '\0';
    // Programs in the guest can send such messages as well; the kernel's have no port.
    if (from.nl_pid == 0 && strncmp(text, added, sizeof added - 1) == 0) switch_on(text + sizeof added - 4);
  }
}

void hotplug_watch(void) {
  static struct watch w;
  struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
  w.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (w.fd >= 0 && bind(w.fd, (struct sockaddr *)&self, sizeof self) == 0 && watch_add(&w, EPOLLIN, uevent) == 0) return;
  agent_log("watching for processors: %s", errno_text(errno));
}

// SPDX-License-Identifier: MIT
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "limits.h"
#include "log.h"
#include "modules.h"

#define READ_RING 65536
#define WRITE_RING 262144

static void boot_mount(const char *type, const char *dir, unsigned long flags, const char *data) {
  if (mkdir(dir, 0755) < 0 && errno != EEXIST) agent_log("mkdir %s: %s", dir, errno_text(errno));
  // EBUSY: the kernel has mounted devtmpfs itself.
  if (mount(type, dir, type, flags, data) < 0 && errno != EBUSY)
    agent_log("mounting %s on %s: %s", type, dir, errno_text(errno));
}

static void loopback_up(void) {
  autoclose int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq r = {.ifr_name = "lo"};
  if (s < 0 || ioctl(s, SIOCGIFFLAGS, &r) < 0) return;
  r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
  ioctl(s, SIOCSIFFLAGS, &r);
}

static void standard_streams(void) {
  int fd = open("/dev/console", O_RDWR | O_NOCTTY);
  if (fd < 0) fd = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++)
    if (fd >= 0 && fd != i) dup2(fd, i);
  if (fd > 2) close(fd);
}

void boot_mounts(void) {
  modules_open();
  // The kernel's first root can be neither left nor exchanged. One of our own on top of it can, so
  // that a container's pivot_root works and takes every other container's mounts out of its sight.
  boot_mount("tmpfs", "/newroot", MS_NOSUID | MS_NODEV, "mode=755");
  if (chdir("/newroot") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
    agent_log("changing the root: %s", errno_text(errno));

  boot_mount("devtmpfs", "/dev", MS_NOSUID, "mode=755");
  standard_streams();
  boot_mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  boot_mount("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  boot_mount("cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  boot_mount("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755");
  loopback_up();
  limits_raise();
}

struct vxn_transport *boot_channel(struct error *e) {
#ifdef VXN_NO_XEN
  fail(e, ENOSYS, "this agent was built without Xen");
  return NULL;
#else
  if (access("/dev/xen/xenbus", F_OK) < 0) boot_mount("xenfs", "/proc/xen", 0, NULL);
  static struct vxn_transport t;
  if (vxn_transport_vchan_server(&t, "data/vxn", READ_RING, WRITE_RING) == 0) return &t;
  fail(e, errno, "offering the vchan: %s", errno_text(errno));
  return NULL;
#endif
}

void boot_power_off(void) {
  kill(-1, SIGKILL);
  sync();
  reboot(RB_POWER_OFF);
  // Unreachable with Xen. The kernel panics when its first process ends, which ends the domain as
  // well.
  _exit(1);
}

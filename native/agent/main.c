// SPDX-License-Identifier: MIT
// The agent's life from boot to power-off. docs/vxn-agent.md has the order of the files.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/version.h"
#include "boot.h"
#include "cgroup.h"
#include "channel.h"
#include "clock.h"
#include "container.h"
#include "dns.h"
#include "file.h"
#include "hotplug.h"
#include "limits.h"
#include "log.h"
#include "modules.h"
#include "once.h"
#include "options.h"
#include "process.h"
#include "requests.h"
#include "send.h"
#include "trial.h"
#include "watch.h"

// Rounds of moving data before the loop looks for signals and new events again.
#define ROUNDS 32

// Moves data until nothing moves. False when it stopped earlier.
static bool pump(void) {
  for (int i = 0; i < ROUNDS; i++) {
    bool moved = channel_pump();
    if (processes_pump()) moved = true;
    if (!moved || watch_stopped()) return true;
  }
  return false;
}

static void collect(void) {
  processes_collect();
  containers_collect();
  dns_collect();
}

static void loop(void) {
  bool idle = pump();
  while (!watch_stopped()) {
    int n = watch_turn(idle ? containers_timeout() : 0);
    if (n < 0 && errno != EINTR) {
      agent_log("epoll_wait: %s", errno_text(errno));
      return;
    }
    if (n == 0 && idle) containers_check();
    idle = pump();
    collect();
  }
}

static int prepare(struct error *e) {
  if (options.pid1) {
    boot_mounts();
    mkdir(options.state_dir, 0700);
    modules_load("0-channel");
    return 0;
  }
  if (options.once == NULL) return trial_prepare(e);
  // In a guest of somebody else's, whose root is the container's disk already.
  if (once_open(options.once, e) < 0 || trial_prepare(e) < 0) return -1;
  limits_raise();
  return 0;
}

static struct vxn_transport *offer_channel(struct error *e) {
  if (options.pid1) return boot_channel(e);
  return options.once != NULL ? once_channel(e) : trial_channel(options.socket, e);
}

// Everything of one run; on return the guest has nothing more to do.
static int serve(uint64_t began_ns, struct error *e) {
  if (prepare(e) < 0) return -1;
  struct vxn_transport *t = offer_channel(e);
  if (t == NULL) return -1;
  if (watch_open() < 0 || processes_open() < 0) return fail(e, errno, "starting: %s", errno_text(errno));
  if (channel_open(t, requests_take, e) < 0) return -1;
  send_hello(began_ns);
  channel_pump();  // the host goes on while the rest is prepared
  if (options.pid1) modules_load("1-disk");
  if (options.pid1) hotplug_watch();
  if (write_file("/proc/self/oom_score_adj", "-1000") < 0 && options.pid1)
    agent_log("oom_score_adj: %s", errno_text(errno));
  cgroups_prepare(began_ns);
  loop();
  return 0;
}

int main(int argc, char **argv) {
  if (getpid() != 1) say_version(argc, argv, "vxn-agent version " VXN_VERSION);
  struct error e;
  uint64_t began_ns = boot_ns();
  umask(0);
  options_read(argc, argv);
  int rc = serve(began_ns, &e);
  if (rc < 0) agent_log("%s", e.text);
  if (rc < 0 && options.once != NULL) fprintf(stderr, "vxn: %s\n", e.text);

  channel_pump();  // last words
  processes_kill();
  containers_unmount();
  if (options.pid1) boot_power_off();
  processes_collect();
  containers_collect();
  if (!options.pid1) cgroups_remove();
  channel_close();
  if (options.once != NULL) return once_finish();
  return rc < 0 ? 1 : 0;
}

// SPDX-License-Identifier: MIT
// The agent's use of processors that come and go, against a folder in place of the kernel's. Needs
// root: it is mounted over /sys/devices/system/cpu in a namespace of the test's own.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "hotplug.h"
#include "log.h"
#include "watch.h"

#define CPUS "/sys/devices/system/cpu/"
// How long something that must not happen is given.
#define QUIET_MS 300
#define SOON_MS 10000

// ---- The parts of the agent that hotplug.c stands on

static struct watch *watches[2];
static size_t n_watches;
static char logged[1024];

int watch_add(struct watch *w, uint32_t events, void (*fn)(struct watch *, uint32_t)) {
  (void)events;
  CHECK(n_watches < 2);
  w->fn = fn;
  watches[n_watches++] = w;
  return 0;
}

void agent_log(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(logged, sizeof logged, fmt, ap);
  va_end(ap);
}

// The agent's loop until it has tried again; false when it did not for so long. What the kernel
// says of other devices meanwhile, and it says that in every namespace, is handed over as well, and
// no sign of anything.
static bool turn(int ms) {
  CHECK_INT(n_watches, 2);
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  int64_t begin = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, now = begin;
  do {
    struct pollfd p[2] = {{.fd = watches[0]->fd, .events = POLLIN}, {.fd = watches[1]->fd, .events = POLLIN}};
    int n = poll(p, 2, (int)(begin + ms - now));
    for (size_t i = 0; n > 0 && i < 2; i++)
      if (p[i].revents != 0) watches[i]->fn(watches[i], 0);
    if (n > 0 && p[0].revents != 0) return true;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
  } while (now < begin + ms);
  return false;
}

// ---- The kernel's side

static void start(void) {
  while (n_watches > 0) close(watches[--n_watches]->fd);
  logged[0] = '\0';
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0) FAIL("unshare: %s", strerror(errno));
  CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  if (mount("cpus", CPUS, "tmpfs", 0, NULL) < 0) FAIL("mount: %s", strerror(errno));
  hotplug_watch();
  CHECK_STR(logged, "");
}

static void cpu_folder(int cpu) {
  char path[64];
  snprintf(path, sizeof path, CPUS "cpu%d", cpu);
  CHECK(mkdir(path, 0755) == 0);
}

static const char *online(int cpu) {
  static char path[64];
  snprintf(path, sizeof path, CPUS "cpu%d/online", cpu);
  return path;
}

// Registered and not to be used yet: writing to it fails.
static void registered(int cpu) {
  cpu_folder(cpu);
  CHECK(mkdir(online(cpu), 0755) == 0);
}

static void present(int cpu) {
  CHECK(rmdir(online(cpu)) == 0);
  int fd = open(online(cpu), O_CREAT | O_EXCL | O_WRONLY, 0644);
  CHECK(fd >= 0 && write(fd, "0", 1) == 1);
  close(fd);
}

static char value(int cpu) {
  char c = '?';
  int fd = open(online(cpu), O_RDONLY);
  CHECK(fd >= 0 && read(fd, &c, 1) == 1);
  close(fd);
  return c;
}

// ---- Tests

static void test_present(void) {
  start();
  registered(1);
  present(1);
  hotplug_event("add@/devices/system/cpu/cpu1");
  CHECK_INT(value(1), '1');
  CHECK(!turn(QUIET_MS));
}

static void test_told_too_early(void) {
  start();
  registered(1);
  registered(2);
  hotplug_event("add@/devices/system/cpu/cpu1");
  hotplug_event("add@/devices/system/cpu/cpu2");
  CHECK(turn(SOON_MS) && turn(SOON_MS));
  present(2);
  CHECK(turn(SOON_MS));
  CHECK_INT(value(2), '1');
  present(1);
  CHECK(turn(SOON_MS));
  CHECK_INT(value(1), '1');
  CHECK(!turn(QUIET_MS));
  CHECK_STR(logged, "");
}

static void test_removed(void) {
  start();
  registered(3);
  hotplug_event("add@/devices/system/cpu/cpu3");
  hotplug_event("remove@/devices/system/cpu/cpu3");
  present(3);
  while (turn(QUIET_MS)) continue;
  CHECK_INT(value(3), '0');
}

static void test_never(void) {
  start();
  registered(7);
  hotplug_event("add@/devices/system/cpu/cpu7");
  while (turn(SOON_MS) && logged[0] == '\0') continue;
  CHECK_STR(logged, "/sys/devices/system/cpu/cpu7/online: is a directory");
  CHECK(!turn(QUIET_MS));
}

static void test_lost(void) {
  start();
  cpu_folder(0);  // cannot be switched off, and has no such file
  registered(1);
  registered(2);
  present(1);
  hotplug_lost();
  CHECK_INT(value(1), '1');
  present(2);
  CHECK(turn(SOON_MS));
  CHECK_INT(value(2), '1');
  CHECK(!turn(QUIET_MS));
  CHECK_STR(logged, "");
}

static void test_others(void) {
  start();
  registered(1);
  present(1);
  static const char *const texts[] = {
      "change@/devices/system/cpu/cpu1", "add@/devices/system/cpu/cpu",   "add@/devices/system/cpu/cpufreq",
      "add@/devices/system/cpu/cpu1/x",  "add@/devices/system/cpu/cpu-1", "add@/devices/system/cpu/cpu4294967297",
      "add@/devices/system/cpu/cpu512",  "add@/devices/system/cpu/cpu 1", ""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) hotplug_event(texts[i]);
  CHECK(!turn(QUIET_MS));
  CHECK_INT(value(1), '0');
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"a processor that comes is switched on", test_present},
      {"one that the kernel tells of before it can be used is tried again", test_told_too_early},
      {"one that goes meanwhile is not", test_removed},
      {"one that never can be used is given up, with a line", test_never},
      {"after lost messages every processor is looked at", test_lost},
      {"other messages", test_others},
  };
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}

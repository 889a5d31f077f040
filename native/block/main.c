// SPDX-License-Identifier: MIT
// vxn-block add|remove: the hotplug script (docs/misc/block-scripts.txt of Xen) that joins an image file to a domain by a loop
// device. One process, where Xen's own script takes about forty: a container's start waits for it, and libxl gives up on a
// script after 40 s, however busy Dom0 is. The backend's xenstore folder is in $XENBUS_PATH, the image's path in its `params`.
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xenstore.h>

#include "../common/version.h"

#define ATTEMPTS 64

static struct xs_handle *xs;
static const char *backend;

static bool put(const char *key, const char *value) {
  char path[512];
  int n = snprintf(path, sizeof path, "%s/%s", backend, key);
  return n > 0 && (size_t)n < sizeof path && xs_write(xs, XBT_NULL, path, value, (unsigned int)strlen(value));
}

static char *get(const char *key) {
  char path[512];
  int n = snprintf(path, sizeof path, "%s/%s", backend, key);
  return n > 0 && (size_t)n < sizeof path ? xs_read(xs, XBT_NULL, path, NULL) : NULL;
}

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  fprintf(stderr, "vxn-block: %s\n", text);
  if (xs != NULL && backend != NULL) put("hotplug-error", text), put("hotplug-status", "error");
  return 1;
}

// Others look for a free device at the same time: whoever configures it first has it.
static int attach(int image, bool readonly, const char *file, char device[32]) {
  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return -1;
  struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = readonly ? LO_FLAGS_READ_ONLY : 0};
  strncpy((char *)config.info.lo_file_name, file, LO_NAME_SIZE - 1);
  for (int i = 0; i < ATTEMPTS; i++) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) return -1;
    snprintf(device, 32, "/dev/loop%d", number);
    int loop = open(device, O_RDWR | O_CLOEXEC);
    if (loop < 0) continue;
    if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) return loop;
    int why = errno;
    close(loop);
    errno = why;
    if (why != EBUSY) return -1;
  }
  return -1;
}

static int add(void) {
  char device[32], number[32];
  struct stat st;
  char *file = get("params"), *mode = get("mode");
  if (file == NULL || mode == NULL) return fail("no params or mode in xenstore");
  bool readonly = strchr(mode, 'w') == NULL;
  int image = open(file, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (image < 0) return fail("%s: %s", file, strerror(errno));
  int loop = attach(image, readonly, file, device);
  if (loop < 0 || fstat(loop, &st) < 0) return fail("no loop device for %s: %s", file, strerror(errno));
  snprintf(number, sizeof number, "%x:%x", major(st.st_rdev), minor(st.st_rdev));
  if (put("node", device) && put("physical-device-path", device) && put("physical-device", number) &&
      put("hotplug-status", "connected"))
    return 0;
  ioctl(loop, LOOP_CLR_FD);
  return fail("cannot write to xenstore");
}

static int take_away(void) {
  char *device = get("node");
  if (device == NULL || strncmp(device, "/dev/loop", 9) != 0) return 0;
  int loop = open(device, O_RDONLY | O_CLOEXEC);
  // While the backend still has it open, this makes the kernel clear it at the last close.
  if (loop < 0 || (ioctl(loop, LOOP_CLR_FD) < 0 && errno != ENXIO)) return fail("%s: %s", device, strerror(errno));
  return 0;
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-block version " VXN_VERSION);
  backend = getenv("XENBUS_PATH");
  if (argc != 2 || backend == NULL) return fprintf(stderr, "usage: XENBUS_PATH=... vxn-block add|remove\n"), 1;
  xs = xs_open(0);
  if (xs == NULL) return fail("cannot reach xenstore");
  if (strcmp(argv[1], "add") == 0) return add();
  if (strcmp(argv[1], "remove") == 0) return take_away();
  return fail("%s: neither add nor remove", argv[1]);
}

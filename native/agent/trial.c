// SPDX-License-Identifier: MIT
#include "trial.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "limits.h"
#include "options.h"

int trial_prepare(struct error *e) {
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(e, errno, "own mount namespace: %s", errno_text(errno));
  if (mkdir(options.state_dir, 0700) < 0 && errno != EEXIST)
    return fail(e, errno, "%s: %s", options.state_dir, errno_text(errno));
  return limits_keep() < 0 ? fail(e, errno, "getrlimit: %s", errno_text(errno)) : 0;
}

static int accept_one(const char *path, struct error *e) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof addr.sun_path) return fail(e, ENAMETOOLONG, "%.256s: socket path too long", path);
  memcpy(addr.sun_path, path, strlen(path) + 1);
  autoclose int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int fd = -1;
  if (listener >= 0 && bind(listener, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(listener, 1) == 0)
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  return fd < 0 ? fail(e, errno, "%s: %s", path, errno_text(errno)) : fd;
}

struct vxn_transport *trial_channel(const char *where, struct error *e) {
  char *end;
  long fd = strtol(where, &end, 10);
  if (*end != '\0' || end == where) fd = accept_one(where, e);
  if (fd < 0) return NULL;
  static struct vxn_transport t;
  if (vxn_transport_socket(&t, (int)fd) == 0) return &t;
  fail(e, errno, "%s: %s", where, errno_text(errno));
  return NULL;
}

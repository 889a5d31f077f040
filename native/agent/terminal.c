// SPDX-License-Identifier: MIT
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>

#include "cleanup.h"
#include "in_root.h"

int terminal_open(int root, struct terminal *t, struct error *e) {
  int off = 0;
  t->master = open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (t->master < 0) t->master = open_in_root(root, "/dev/ptmx", O_RDWR | O_NOCTTY);
  if (t->master < 0) return fail(e, errno, "open /dev/ptmx: %s", errno_text(errno));
  if (ioctl(t->master, TIOCSPTLCK, &off) == 0) t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return t->slave < 0 ? fail(e, errno, "opening a terminal: %s", errno_text(errno)) : 0;
}

int terminal_bind_console(int root, const struct terminal *t, struct error *e) {
  autoclose int to = make_in_root(root, "/dev/console", false);
  if (to >= 0 && mount(fd_path(t->slave).text, fd_path(to).text, NULL, MS_BIND, NULL) == 0) return 0;
  return fail(e, errno, "mounting the terminal at /dev/console: %s", errno_text(errno));
}

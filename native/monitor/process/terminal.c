// SPDX-License-Identifier: MIT
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../../common/console_socket.h"

static int tty = -1;
static bool of_caller, is_raw;
static struct termios before;

bool terminal_parse_size(const char *text, uint16_t *rows, uint16_t *columns) {
  unsigned r, c;
  char rest;
  if (sscanf(text, "%5ux%5u%c", &r, &c, &rest) != 2 || r > UINT16_MAX || c > UINT16_MAX) return false;
  *rows = (uint16_t)r;
  *columns = (uint16_t)c;
  return true;
}

static int make_raw(int fd) {
  struct termios t;
  if (tcgetattr(fd, &t) < 0) return -1;
  before = t;
  cfmakeraw(&t);
  return tcsetattr(fd, TCSANOW, &t);
}

// Opens the slave as our controlling terminal, so that the engine's resizes reach us as SIGWINCH.
static int open_slave(const char *name, const struct terminal_plan *plan) {
  struct winsize size = {.ws_row = plan->rows, .ws_col = plan->columns};
  int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  signal(SIGHUP, SIG_IGN);  // the engine may hang up before signals are taken
  if (slave < 0) return -1;
  if (make_raw(slave) == 0 && ioctl(slave, TIOCSWINSZ, &size) == 0 && ioctl(slave, TIOCSCTTY, 0) == 0) return slave;
  int saved = errno;
  close(slave);
  errno = saved;
  return -1;
}

static int open_new(const struct terminal_plan *plan, const char **error) {
  char name[64];
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  *error = "cannot make a terminal";
  if (master < 0) return -1;
  if (grantpt(master) == 0 && unlockpt(master) == 0 && (errno = ptsname_r(master, name, sizeof name)) == 0)
    tty = open_slave(name, plan);
  if (tty >= 0) {
    *error = "cannot send the terminal over the console socket";
    if (vxn_send_terminal(plan->console_socket, master, name) < 0) {
      int saved = errno;
      close(tty);
      errno = saved;
      tty = -1;
    }
  }
  int saved = errno;
  close(master);
  errno = saved;
  return tty < 0 ? -1 : 0;
}

// The caller's fds 0 to 2 must not stay open: they may be a pipe whose end it waits for.
static void leave_stdio(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; null >= 0 && fd < 3; fd++) dup2(null, fd);
  if (null >= 0) close(null);
}

static int find_callers(const char **error) {
  for (int fd = STDERR_FILENO; fd >= STDIN_FILENO && tty < 0; fd--)
    if (isatty(fd)) tty = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (tty >= 0) return 0;
  errno = 0;
  return *error = "no terminal to use: none of stdin, stdout and stderr is one", -1;
}

int terminal_open(const struct terminal_plan *plan, struct stdio *stdio, const char **error) {
  *stdio = (struct stdio){STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, true};
  of_caller = plan->of_caller;
  if (of_caller) {
    if (find_callers(error) < 0) return -1;
    stdio->err = -1;
  } else if (plan->console_socket != NULL) {
    if (open_new(plan, error) < 0) return -1;
    leave_stdio();
    *stdio = (struct stdio){fcntl(tty, F_DUPFD_CLOEXEC, 3), tty, -1, false};
  }
  return 0;
}

bool terminal_is_open(void) { return tty >= 0; }

bool terminal_takes_signal(int signo, bool by_kernel) {
  return tty >= 0 && (signo == SIGWINCH || (by_kernel && !of_caller));
}

// False when nobody has set a size, or the other end is gone.
static bool put_size(uint8_t to[4]) {
  struct winsize size = {0};
  bool known = ioctl(tty, TIOCGWINSZ, &size) == 0 && (size.ws_row != 0 || size.ws_col != 0);
  vxn_put16(to, size.ws_row);
  vxn_put16(to + 2, size.ws_col);
  return known;
}

void terminal_describe(const struct link *link) {
  uint8_t record[12] = {0};
  vxn_put16(record, VXN_T_TERMINAL);
  vxn_put32(record + 4, 4);
  put_size(record + 8);
  link->send(VXN_H_PROCESS, 0, record, sizeof record);
}

void terminal_resize(const struct link *link) {
  uint8_t size[4];
  if (put_size(size)) link->send(VXN_H_RESIZE, 0, size, sizeof size);
}

void terminal_begin(void) {
  if (of_caller && tty >= 0) is_raw = make_raw(tty) == 0;
}

void terminal_end(void) {
  if (tty < 0) return;
  if (is_raw) tcsetattr(tty, TCSANOW, &before);
  is_raw = false;
  // A session leader that ends with its terminal hangs it up, and the output that the engine has
  // not read is lost.
  if (!of_caller) ioctl(tty, TIOCNOTTY);
}

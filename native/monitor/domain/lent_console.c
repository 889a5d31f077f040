// SPDX-License-Identifier: MIT
#include "lent_console.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../../common/console_socket.h"
#include "../host/ready.h"
#include "../xen/domain.h"

// For the console of a domain that has just been made.
#define CONSOLE_MS 10000

static int tty = -1;

void lent_console_send(const char *socket) {
  struct termios t;
  const char *name = domain_wait_console(CONSOLE_MS);
  errno = 0;
  if (name == NULL) ready_fail("the domain's console has no terminal");
  tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (tty < 0 || tcgetattr(tty, &t) < 0) ready_fail("cannot open the domain's console");
  cfmakeraw(&t);
  if (tcsetattr(tty, TCSANOW, &t) < 0) ready_fail("cannot use the domain's console");
  if (vxn_send_terminal(socket, tty, name) < 0) ready_fail("cannot send the terminal over the console socket");
}

bool lent_console_is_unread(void) {
  int bytes = 0;
  return ioctl(tty, TIOCINQ, &bytes) == 0 && bytes > 0;
}

void lent_console_close(void) {
  if (tty >= 0) close(tty);
  tty = -1;
}

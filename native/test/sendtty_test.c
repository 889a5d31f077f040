// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static char dir[] = "/tmp/vxn-sendtty-XXXXXX";

// Runs the program and returns its exit status; what it says goes to `said`.
static int sendtty(char *said, size_t size, const char *a, const char *b) {
  char program[4096];
  int out[2], status;
  snprintf(program, sizeof program, "%s/vxn-sendtty", test_bin());
  CHECK(pipe(out) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    dup2(out[1], 2);
    close(out[0]);
    close(out[1]);
    execl(program, "vxn-sendtty", a, b, (char *)NULL);
    _exit(126);
  }
  close(out[1]);
  size_t have = 0;
  for (ssize_t n; have < size - 1 && (n = read(out[0], said + have, size - 1 - have)) > 0;) have += (size_t)n;
  said[have] = '\0';
  close(out[0]);
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
  return WEXITSTATUS(status);
}

static int listen_at(const char *path) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  CHECK(strlen(path) < sizeof addr.sun_path);
  memcpy(addr.sun_path, path, strlen(path));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(path);
  CHECK(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0);
  return fd;
}

static void sends(void) {
  char path[108], said[4096], data[4096];
  // 107 bytes, the longest possible
  int n = snprintf(path, sizeof path, "%s/", dir);
  memset(path + n, 's', (size_t)(107 - n));
  path[107] = '\0';
  int server = listen_at(path), master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  const char *name = ptsname(master);
  // The engine accepts only afterwards.
  CHECK_INT(sendtty(said, sizeof said, path, name), 0);
  CHECK_STR(said, "");
  int conn = accept(server, NULL, NULL);
  CHECK(conn >= 0);
  char control[256];
  struct iovec iov = {data, sizeof data - 1};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC);
  CHECK(got > 0);
  data[got] = '\0';
  CHECK_STR(data, name);
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  CHECK(c != NULL && c->cmsg_type == SCM_RIGHTS);
  CHECK_INT(c->cmsg_len, CMSG_LEN(sizeof(int)));
  CHECK(CMSG_NXTHDR(&msg, c) == NULL);
  int fd;
  memcpy(&fd, CMSG_DATA(c), sizeof fd);
  CHECK(isatty(fd));
  CHECK_STR(ttyname(fd), name);
  CHECK_INT(recv(conn, data, 1, 0), 0);
  close(fd);
  close(conn);
  close(master);
  close(server);
}

static void refuses(void) {
  char path[128], long_path[128], said[4096];
  snprintf(path, sizeof path, "%s/socket", dir);
  int server = listen_at(path), master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  const char *tty = ptsname(master);
  memset(long_path, 'x', 108);
  long_path[108] = '\0';
  const struct {
    const char *socket, *tty, *text;
  } cases[] = {
      {path, "/dev/null", "/dev/null: not a terminal"},
      {path, "/nosuch", "/nosuch: No such file"},
      {path, "", "1 to 4095 bytes"},
      {path, NULL, "usage: vxn-sendtty CONSOLE-SOCKET PTY"},
      {long_path, tty, "the path has 108 bytes, 1 to 107"},
      {"", tty, "the path has 0 bytes"},
      {"/nosuch", tty, "console socket /nosuch: No such file"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_INT(sendtty(said, sizeof said, cases[i].socket, cases[i].tty), 1);
    CHECK_HAS(said, cases[i].text);
    CHECK(strchr(said, '\n') == said + strlen(said) - 1);
  }
  struct pollfd p = {.fd = server, .events = POLLIN};
  CHECK_INT(poll(&p, 1, 0), 0);
  close(master);
  close(server);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"sends one message with one terminal and its name", sends},
      {"refuses with one line and status 1", refuses},
  };
  if (mkdtemp(dir) == NULL) return 1;
  int rc = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command) != 0 || rc;
}

// SPDX-License-Identifier: MIT
// `vxn-monitor exec` with this test as the domain's monitor, the runtime and the engine. Needs no Xen.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../common/protocol.h"
#include "harness.h"

#define ID 2u
#define WAIT_S 20

static char dir[] = "/tmp/vxn-holder-XXXXXX";
static int listener = -1;
static uint8_t zeros[VXN_PAYLOAD_MAX];

// One exec: its stdio and ready line from this side, and its connection.
static struct {
  pid_t pid;
  int in, out, err, ready, conn;
} x;

static struct {
  struct vxn_header h;
  uint8_t payload[VXN_PAYLOAD_MAX];
} frame;

static void listen_at(const char *name, int *fd) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", dir, name);
  unlink(a.sun_path);
  *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(bind(*fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(*fd, 8) == 0);
}

static void wait_readable(int fd, const char *what) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (poll(&p, 1, WAIT_S * 1000) != 1) FAIL("in vain: %s", what);
}

static int description(const void *data, size_t len) {
  FILE *f = tmpfile();
  CHECK(f != NULL && fwrite(data, 1, len, f) == len && fflush(f) == 0);
  return fileno(f);
}

// Starts it with these arguments and this description; its offset is at its end, as after the runtime's writing.
static void start_with(int fd, const char *const *args) {
  int in[2], out[2], err[2], ready[2];
  char program[4096];
  const char *argv[24] = {"vxn-monitor", "exec", "--id", "c", "--program", "p", "--domain-dir", dir};
  int n = 8;
  while (*args != NULL) argv[n++] = *args++;
  snprintf(program, sizeof program, "%s/vxn-monitor", test_bin());
  CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready) == 0);
  x.pid = fork();
  if (x.pid == 0) {
    // Above what they are moved to.
    int from[5] = {in[0], out[1], err[1], ready[1], fd};
    for (int i = 0; i < 5; i++) from[i] = fcntl(from[i], F_DUPFD, 100);
    for (int i = 0; i < 5; i++) dup2(from[i], i);
    execv(program, (char *const *)argv);
    _exit(126);
  }
  close(in[0]), close(out[1]), close(err[1]), close(ready[1]), close(fd);
  x.in = in[1], x.out = out[0], x.err = err[0], x.ready = ready[0], x.conn = -1;
}

static void take_connection(void) {
  wait_readable(listener, "a connection");
  x.conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  CHECK(x.conn >= 0);
}

static void give_up(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void read_all(int fd, void *to, size_t len, const char *what) {
  for (size_t have = 0; have < len;) {
    wait_readable(fd, what);
    ssize_t n = read(fd, (char *)to + have, len - have);
    if (n <= 0) FAIL("%s: %s after %zu of %zu bytes", what, n == 0 ? "end" : strerror(errno), have, len);
    have += (size_t)n;
  }
}

static void take_frame(void) {
  uint8_t head[VXN_HEADER_SIZE];
  read_all(x.conn, head, sizeof head, "a frame");
  CHECK(vxn_get_header(head, &frame.h));
  read_all(x.conn, frame.payload, frame.h.length, "a payload");
}

static void expect_frame(uint16_t type, size_t length) {
  take_frame();
  if (frame.h.type != type || frame.h.length != length || frame.h.id != ID)
    FAIL("frame 0x%x of %u bytes for %u, expected 0x%x of %zu", frame.h.type, frame.h.length, frame.h.id, type, length);
}

static void nothing_comes(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  CHECK_INT(poll(&p, 1, 100), 0);
}

static void say(uint16_t type, uint32_t id, const void *payload, size_t len) {
  uint8_t head[VXN_HEADER_SIZE];
  vxn_put_header(head, &(struct vxn_header){type, 0, id, (uint32_t)len});
  // One that breaks a rule is not read to its end.
  if (send(x.conn, head, sizeof head, MSG_NOSIGNAL) > 0 && len > 0) send(x.conn, payload, len, MSG_NOSIGNAL);
}

static void say_u32s(uint16_t type, uint32_t a, uint32_t b, size_t len) {
  uint8_t payload[16] = {0};
  vxn_put32(payload, a);
  vxn_put32(payload + 4, b);
  say(type, ID, payload, len);
}

static void expect_line(const char *want) {
  char line[2048];
  size_t have = 0;
  do {
    CHECK(have < sizeof line - 1);
    read_all(x.ready, line + have, 1, "the line");
  } while (line[have++] != '\n');
  line[have - 1] = '\0';
  CHECK_STR(line, want);
}

static void started(void) {
  char want[32];
  say_u32s(VXN_G_STARTED, 7, 0, 12);
  snprintf(want, sizeof want, "ok %d", (int)x.pid);
  expect_line(want);
}

static void expect_status(int want) {
  int status = 0;
  for (int i = 0; waitpid(x.pid, &status, WNOHANG) == 0; i++) {
    if (i > WAIT_S * 100) FAIL("it does not end");
    usleep(10000);
  }
  CHECK(WIFEXITED(status));
  CHECK_INT(WEXITSTATUS(status), want);
  give_up(&x.in), give_up(&x.out), give_up(&x.err), give_up(&x.ready), give_up(&x.conn);
}

#define START(...) start_with(description("", 0), (const char *const[]){__VA_ARGS__, NULL})

// One in the foreground whose program runs.
static void running(void) {
  START("--foreground");
  take_connection();
  started();
}

static void ends(uint32_t code, uint32_t sig, int status) {
  running();
  say_u32s(VXN_G_EXIT, code, sig, 16);
  expect_status(status);
}

static void statuses(void) {
  ends(0, 0, 0);
  ends(7, 0, 7);
  ends(0, 15, 143);
  ends(0, 9, 137);
  ends(256 + 3, 0, 3);
  ends(0, 1024 + 2, 130);
}

static void description_as_it_is(void) {
  static uint8_t text[300000], got[sizeof text];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7 + i / 256);
  start_with(description(text, sizeof text), (const char *const[]){"--foreground", NULL});
  take_connection();
  read_all(x.conn, got, sizeof got, "the description");
  CHECK(memcmp(text, got, sizeof text) == 0);
  nothing_comes(x.conn);
  started();
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
}

static void streams(void) {
  char got[16];
  running();
  say(VXN_G_STDOUT, ID, "out\0\xff", 5);
  read_all(x.out, got, 5, "stdout");
  CHECK(memcmp(got, "out\0\xff", 5) == 0);
  say(VXN_G_STDERR, ID, "err", 3);
  read_all(x.err, got, 3, "stderr");
  CHECK(memcmp(got, "err", 3) == 0);
  CHECK(write(x.in, "in", 2) == 2);
  expect_frame(VXN_H_STDIN, 2);
  CHECK(memcmp(frame.payload, "in", 2) == 0);
  give_up(&x.in);
  expect_frame(VXN_H_STDIN_EOF, 0);
  say_u32s(VXN_G_EOF, 1, 0, 4);
  // What comes last is not lost.
  say(VXN_G_STDOUT, ID, "last", 4);
  say_u32s(VXN_G_EXIT, 1, 0, 16);
  read_all(x.out, got, 4, "stdout");
  expect_status(1);
}

static void no_input_before_start(void) {
  START("--foreground");
  CHECK(write(x.in, "early", 5) == 5);
  take_connection();
  nothing_comes(x.conn);
  started();
  expect_frame(VXN_H_STDIN, 5);
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
}

static void input_within_credit(void) {
  running();
  fcntl(x.in, F_SETPIPE_SZ, 1 << 20);
  size_t all = 3 * VXN_STDIN_WINDOW, came = 0;
  for (size_t put = 0; put < all; put += sizeof zeros) CHECK(write(x.in, zeros, sizeof zeros) == sizeof zeros);
  for (; came < VXN_STDIN_WINDOW; came += frame.h.length) take_frame();
  CHECK_INT(came, VXN_STDIN_WINDOW);
  nothing_comes(x.conn);
  say_u32s(VXN_G_CREDIT, 0, 10, 8);
  expect_frame(VXN_H_STDIN, 10);
  nothing_comes(x.conn);
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
}

// All of its input waits in the channel and before it, until that is read at last.
static void input_to_a_slow_guest(void) {
  size_t all = 14 * sizeof zeros, came = 0;
  running();
  CHECK(fcntl(x.in, F_SETPIPE_SZ, 1 << 20) >= 0);
  say_u32s(VXN_G_CREDIT, 0, (uint32_t)all, 8);
  for (size_t put = 0; put < all; put += sizeof zeros) CHECK(write(x.in, zeros, sizeof zeros) == sizeof zeros);
  usleep(300000);
  for (; came < all; came += frame.h.length) take_frame();
  CHECK_INT(came, all);
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
}

static void output_and_credit(void) {
  running();
  // Its reader takes nothing: the whole window is kept, and no credit given for it.
  fcntl(x.out, F_SETPIPE_SZ, 4096);
  for (size_t sent = 0; sent < VXN_OUTPUT_WINDOW; sent += sizeof zeros) say(VXN_G_STDOUT, ID, zeros, sizeof zeros);
  uint32_t credit = 0;
  for (size_t got = 0; got < VXN_OUTPUT_WINDOW; got += 4096) {
    static char chunk[4096];
    read_all(x.out, chunk, sizeof chunk, "stdout");
  }
  while (credit < VXN_OUTPUT_WINDOW / 2) {
    expect_frame(VXN_H_CREDIT, 8);
    CHECK_INT(vxn_get32(frame.payload), 1);
    credit += vxn_get32(frame.payload + 4);
  }
  say(VXN_G_STDOUT, ID, zeros, 1);
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
}

static void not_started(void) {
  const struct {
    uint32_t error;
    const char *text, *line;
  } cases[] = {
      {2, "exec: \"x\": no such file", "failed: exec: \"x\": no such file"},
      {0, "", "failed: the guest gave no reason"},
      {0, "ok 1", "failed: ok 1"},
      {0, "a\nok 1\r\x1b[2J\x7f\xc2\x9b\xff", "failed: a ok 1 ?[2J???"},
      {0, "é 日 🚀", "failed: é 日 🚀"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t payload[128];
    size_t n = strlen(cases[i].text);
    vxn_put32(payload, cases[i].error);
    memcpy(payload + 4, cases[i].text, n);
    START("--foreground");
    take_connection();
    say(VXN_G_PROCESS_FAILED, ID, payload, 4 + n);
    expect_line(cases[i].line);
    expect_status(255);
  }
}

static void no_container(void) {
  give_up(&listener);
  START("--foreground");
  expect_line("container not running");
  expect_status(1);
  listen_at("control.sock", &listener);
  START("--foreground");
  take_connection();
  give_up(&x.conn);
  expect_line("failed: container not running");
  expect_status(255);
}

static void container_gone(void) {
  running();
  give_up(&x.conn);
  expect_status(137);
  // A reader that takes nothing may not keep it.
  running();
  for (int i = 0; i < 2; i++) say(VXN_G_STDOUT, ID, zeros, sizeof zeros);
  give_up(&x.conn);
  expect_status(137);
}

static long milliseconds_of_children(void) {
  struct rusage r;
  CHECK(getrusage(RUSAGE_CHILDREN, &r) == 0);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

static void waits_without_work(void) {
  long before = milliseconds_of_children();
  running();
  fcntl(x.out, F_SETPIPE_SZ, 4096);
  for (int i = 0; i < 2; i++) say(VXN_G_STDOUT, ID, zeros, sizeof zeros);
  give_up(&x.conn);
  expect_status(137);
  long used = milliseconds_of_children() - before;
  if (used > 500) FAIL("%ld ms of work", used);
}

// The program has ended by itself, then the container: its output is read after that.
static void output_outlives_the_container(void) {
  uint8_t end[16] = {0};
  size_t all = 3 * sizeof zeros;
  running();
  fcntl(x.out, F_SETPIPE_SZ, 4096);
  for (size_t sent = 0; sent < all; sent += sizeof zeros) say(VXN_G_STDOUT, ID, zeros, sizeof zeros);
  vxn_put64(end + 8, 1);
  say(VXN_G_EXIT, ID, end, sizeof end);
  give_up(&x.conn);
  usleep(2500000);
  for (size_t got = 0; got < all; got += 4096) {
    static char chunk[4096];
    read_all(x.out, chunk, sizeof chunk, "stdout");
  }
  expect_status(0);
}

static void bad_frame(uint16_t type, uint32_t id, size_t len) {
  running();
  say(type, id, zeros, len);
  expect_status(255);
}

static void rules(void) {
  bad_frame(VXN_G_STDOUT, ID + 1, 1);
  bad_frame(VXN_G_STARTED, ID, 12);
  bad_frame(VXN_G_PROCESS_FAILED, ID, 4);
  bad_frame(VXN_G_EXIT, ID, 15);
  bad_frame(VXN_H_STDIN, ID, 1);
  bad_frame(VXN_G_STDOUT, 0, 1);
  bad_frame(VXN_M_STATUS_REPLY, ID, 12);
  running();
  say_u32s(VXN_G_CREDIT, 0, VXN_CREDIT_MAX, 8);
  expect_status(255);
  running();
  say_u32s(VXN_G_CREDIT, 1, 1, 8);
  expect_status(255);
  running();
  fcntl(x.err, F_SETPIPE_SZ, 4096);  // too little for credit to come back
  for (size_t sent = 0; sent < VXN_OUTPUT_WINDOW; sent += sizeof zeros) say(VXN_G_STDERR, ID, zeros, sizeof zeros);
  say(VXN_G_STDERR, ID, zeros, 1);
  expect_status(255);
  START("--foreground");
  take_connection();
  say(VXN_G_STDOUT, ID, zeros, 1);
  expect_line("failed: the guest broke the protocol: a frame before STARTED");
  expect_status(255);
}

static void signals(void) {
  static const int some[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGWINCH, SIGCONT, SIGQUIT};
  running();
  for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
    kill(x.pid, some[i]);
    expect_frame(VXN_H_SIGNAL, 8);
    CHECK_INT(vxn_get32(frame.payload), some[i]);
    CHECK_INT(vxn_get32(frame.payload + 4), 0);
  }
  say_u32s(VXN_G_EXIT, 0, 15, 16);
  expect_status(143);
}

static void caller_gone(void) {
  running();
  give_up(&x.ready);
  expect_status(137);
  START("--foreground");
  take_connection();
  give_up(&x.ready);
  expect_status(137);
}

static void detached(void) {
  char line[32];
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  START("--id", "c");
  int status;
  CHECK(waitpid(x.pid, &status, 0) == x.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  take_connection();
  say_u32s(VXN_G_STARTED, 7, 0, 12);
  read_all(x.ready, line, 4, "the line");
  wait_readable(x.ready, "the rest of the line");
  ssize_t n = read(x.ready, line + 4, sizeof line - 5);
  CHECK(n > 0);
  line[4 + n] = '\0';
  CHECK(sscanf(line, "ok %d\n", &x.pid) == 1);
  // Nobody waits for it any more.
  CHECK_INT(read(x.ready, line, 1), 0);
  CHECK_INT(getsid(x.pid), x.pid);
  say_u32s(VXN_G_EXIT, 6, 0, 16);
  expect_status(6);
}

// ---- Terminals

static int take_terminal(int server) {
  char data[64], control[CMSG_SPACE(4 * sizeof(int))];
  wait_readable(server, "a terminal");
  int conn = accept4(server, NULL, NULL, SOCK_CLOEXEC), fd;
  struct iovec iov = {data, sizeof data};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  CHECK(recvmsg(conn, &msg, MSG_CMSG_CLOEXEC) > 0);
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  CHECK(c != NULL && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd));
  memcpy(&fd, CMSG_DATA(c), sizeof fd);
  close(conn);
  return fd;
}

static void expect_size(uint16_t type, size_t before, uint16_t rows, uint16_t columns) {
  expect_frame(type, before + 4);
  CHECK_INT(vxn_get16(frame.payload + before), rows);
  CHECK_INT(vxn_get16(frame.payload + before + 2), columns);
}

static void terminal(void) {
  char path[128], got[16];
  int server;
  listen_at("console", &server);
  snprintf(path, sizeof path, "%s/console", dir);
  // Detached, and still our child in the end: detached() has made us the subreaper.
  START("--console-socket", path, "--console-size", "30x100");
  int status;
  CHECK(waitpid(x.pid, &status, 0) == x.pid);
  int master = take_terminal(server);
  take_connection();
  expect_size(VXN_H_PROCESS, 8, 30, 100);
  CHECK_INT(frame.h.flags, 0);
  CHECK_INT(vxn_get16(frame.payload), VXN_T_TERMINAL);
  say_u32s(VXN_G_STARTED, 7, 0, 12);
  read_all(x.ready, got, 3, "the line");
  memset(got, 0, sizeof got);
  wait_readable(x.ready, "the pid");
  CHECK(read(x.ready, got, sizeof got - 1) > 0);
  x.pid = atoi(got);
  CHECK_INT(getsid(x.pid), x.pid);
  // It has nothing of the caller's.
  CHECK_INT(read(x.out, got, 1), 0);
  struct termios t;
  CHECK(tcgetattr(master, &t) == 0 && (t.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (t.c_oflag & OPOST) == 0);
  CHECK(write(master, "\x03\r\x04", 3) == 3);
  expect_frame(VXN_H_STDIN, 3);
  CHECK(memcmp(frame.payload, "\x03\r\x04", 3) == 0);
  say(VXN_G_STDOUT, ID, "a\r\nb\n", 5);
  read_all(master, got, 5, "the terminal");
  CHECK(memcmp(got, "a\r\nb\n", 5) == 0);
  CHECK(ioctl(master, TIOCSWINSZ, &(struct winsize){.ws_row = 50, .ws_col = 132}) == 0);
  expect_size(VXN_H_RESIZE, 0, 50, 132);
  // The engine hangs up: nothing ends, nothing is typed.
  close(master);
  nothing_comes(x.conn);
  say(VXN_G_STDOUT, ID, "dropped", 7);
  kill(x.pid, SIGHUP);
  expect_frame(VXN_H_SIGNAL, 8);
  CHECK_INT(vxn_get32(frame.payload), SIGHUP);
  say_u32s(VXN_G_EXIT, 4, 0, 16);
  expect_status(4);
  close(server);
}

static void terminal_output_stays(void) {
  char path[128];
  int server, status;
  static char got[40000];
  listen_at("console", &server);
  snprintf(path, sizeof path, "%s/console", dir);
  START("--console-socket", path);
  CHECK(waitpid(x.pid, &status, 0) == x.pid);
  int master = take_terminal(server);
  take_connection();
  expect_size(VXN_H_PROCESS, 8, 0, 0);
  say_u32s(VXN_G_STARTED, 7, 0, 12);
  read_all(x.ready, got, 3, "the line");
  wait_readable(x.ready, "the pid");
  CHECK(read(x.ready, got, 15) > 0);
  x.pid = atoi(got);
  memset(got, 'x', sizeof got);
  say(VXN_G_STDOUT, ID, got, 3000);
  say_u32s(VXN_G_EXIT, 0, 0, 16);
  expect_status(0);
  // Read only after its end.
  size_t have = 0;
  for (ssize_t n; (n = read(master, got, sizeof got)) > 0;) have += (size_t)n;
  CHECK_INT(have, 3000);
  close(master);
  close(server);
}

static void no_terminal(void) {
  START("--console-socket", "/nosuch/socket");
  int status;
  CHECK(waitpid(x.pid, &status, 0) == x.pid);
  take_connection();
  expect_line("cannot send the terminal over the console socket: No such file or directory");
  CHECK(waitpid(-1, &status, 0) > 0);
  give_up(&x.in), give_up(&x.out), give_up(&x.err), give_up(&x.ready), give_up(&x.conn);
  START("--foreground", "--terminal");
  take_connection();
  expect_line("no terminal to use: none of stdin, stdout and stderr is one");
  expect_status(1);
}

static void usage(void) {
  START("--bogus");
  expect_status(2);
  START("--terminal");
  expect_status(2);
  START("--foreground", "--console-socket", "/x");
  expect_status(2);
  START("--console-socket", "/x", "--console-size", "1x65536");
  expect_status(2);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"exit statuses", statuses},
      {"the description arrives as it is", description_as_it_is},
      {"stdin, stdout, stderr and their ends", streams},
      {"what is typed before the start waits", no_input_before_start},
      {"no more input than the guest has room for", input_within_credit},
      {"input to a guest that takes it late", input_to_a_slow_guest},
      {"credit for what has been read only", output_and_credit},
      {"a program that cannot be started", not_started},
      {"no container", no_container},
      {"the container is gone", container_gone},
      {"an exec whose container is gone does not keep a processor busy", waits_without_work},
      {"output of a program that ended before its container", output_outlives_the_container},
      {"frames that break a rule", rules},
      {"signals are handed on", signals},
      {"the caller is gone", caller_gone},
      {"detached: a child of nobody", detached},
      {"a terminal for an engine", terminal},
      {"what was written to a terminal stays readable", terminal_output_stays},
      {"no terminal", no_terminal},
      {"bad usage", usage},
  };
  signal(SIGPIPE, SIG_IGN);
  if (mkdtemp(dir) == NULL) return 1;
  listen_at("control.sock", &listener);
  int rc = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command) != 0 || rc;
}

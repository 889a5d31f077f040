// SPDX-License-Identifier: MIT
// The agent over a socket pair, with busybox as the container. Needs root, no Xen.
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "container.h"

static uint8_t zeros[VXN_PAYLOAD_MAX];

// ---- Processes

static void echo(void) {
  struct client *c = plain();
  start_shell(c, 2, "echo hello; echo oops >&2; echo $$");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "hello\n1\n");
  CHECK_STR(output(c, 2, 1), "oops\n");
  CHECK(c->procs[2].eof[0] && c->procs[2].eof[1]);
  client_end(c);
}

static void arguments(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "printf", "[%s]", "two  words", "", "'\"$HOME`\\", "line\nbreak", "\xc3\xbc\xe2\x82\xac", "\xff", " ");
  put_usual(&p);
  launch(c, 2, &p);
  expect_started(c, 2);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "[two  words][]['\"$HOME`\\][line\nbreak][\xc3\xbc\xe2\x82\xac][\xff][ ]");
  client_end(c);
}

static void long_description(void) {
  struct client *c = plain();
  struct payload p = process(2);
  char *big = malloc(100001);
  memset(big, 'x', 100000);
  big[100000] = '\0';
  ARGS(&p, "sh", "-c", "echo ${#1} ${#2} $3", "sh");
  put_str(&p, VXN_T_ARG, big);
  put_str(&p, VXN_T_ARG, big + 1);
  put_str(&p, VXN_T_ARG, "end");
  free(big);
  put_usual(&p);
  client_describe(c, VXN_H_PROCESS, 2, &p, 60000);
  UNTIL(c, c->procs[2].exited || c->procs[2].failed);
  CHECK_STR(c->procs[2].text, "");
  CHECK_STR(output(c, 2, 0), "100000 99999 end\n");
  client_end(c);
}

static void put_zeros(struct payload *p, size_t n) {
  for (char text[60001] = {0}; n > 0; n -= n < 60000 ? n : 60000) {
    memset(text, 'x', n < 60000 ? n : 60000);
    text[n < 60000 ? n : 60000] = '\0';
    put_str(p, VXN_T_ARG, text);
  }
}

// One begun frame by frame in turn with the others, as many callers at a time do.
static void too_many_long_descriptions(void) {
  enum { FIRST = 3, N = 5 };
  struct client *c = plain();
  struct payload p[N];
  start_shell(c, 2, "while :; do sleep 1; done");
  for (uint32_t i = 0; i < N; i++) {
    p[i] = process(FIRST + i);
    ARGS(&p[i], "true");
    put_usual(&p[i]);
    put_zeros(&p[i], 3900000);
  }
  size_t part = 65536;
  for (size_t at = 0; at < p[0].len; at += part) {
    for (uint32_t i = 0; i < N; i++) {
      size_t len = p[i].len - at < part ? p[i].len - at : part;
      client_part(c, VXN_H_PROCESS, FIRST + i, p[i].data + at, len, at + len < p[i].len);
    }
  }
  unsigned refused = 0;
  for (uint32_t i = 0; i < N; i++) {
    free(p[i].data);
    UNTIL(c, c->procs[FIRST + i].started || c->procs[FIRST + i].failed);
    // What the kernel takes no more of as arguments is refused, too, but by the child.
    if (strcmp(c->procs[FIRST + i].text, "too many long descriptions at once") == 0) refused++;
  }
  CHECK(refused >= 1 && refused < N);
  start_shell(c, FIRST + N, "echo still here");
  finish(c, FIRST + N, 0);
  client_end(c);
}

static void environment(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "env");
  put_usual(&p);
  put_str(&p, VXN_T_ENV, "A=b = c\nd");
  put_str(&p, VXN_T_ENV, "EMPTY=");
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "PATH=/bin\nA=b = c\nd\nEMPTY=\nHOME=/root\n");
  client_end(c);
}

static void home(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  static const struct {
    uint32_t uid;
    const char *env, *want;
  } cases[] = {{1000, "X=1", "/home\n"}, {4242, "X=1", "/\n"}, {1000, "HOME=/tmp", "/tmp\n"}, {1000, "HOME=", "/home\n"}};
  for (uint32_t i = 0; i < 4; i++) {
    struct payload p = process(3 + i);
    ARGS(&p, "sh", "-c", "echo $HOME");
    put_usual(&p);
    put_u32(&p, VXN_T_UID, cases[i].uid);
    put_str(&p, VXN_T_ENV, cases[i].env);
    launch(c, 3 + i, &p);
    finish(c, 3 + i, 0);
    CHECK_STR(output(c, 3 + i, 0), cases[i].want);
  }
  client_end(c);
}

static void working_directory(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "sh", "-c", "pwd; sleep 60");
  put_usual(&p);
  put_str(&p, VXN_T_CWD, "/new/deep dir");
  launch(c, 2, &p);
  expect_started(c, 2);
  UNTIL(c, c->procs[2].len[0] > 0);
  CHECK_STR(output(c, 2, 0), "/new/deep dir\n");

  // A later process finds what is there or fails.
  p = process(3);
  ARGS(&p, "pwd");
  put_usual(&p);
  put_str(&p, VXN_T_CWD, "/missing");
  launch(c, 3, &p);
  CHECK_STR(c->procs[3].text, "chdir to cwd (\"/missing\") set in config.json failed: no such file or directory");
  CHECK_INT(c->procs[3].error, ENOENT);
  client_end(c);
}

static void identity(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "sh", "-c", "id -u; id -g; id -G; umask; ulimit -n; ulimit -Hn; grep -E '^(Cap|NoNew|Sig(Blk|Ign))' /proc/self/status;"
       "echo seen >/dev/stderr; cat /proc/self/oom_score_adj");
  put_str(&p, VXN_T_ENV, "PATH=/bin");
  put_u32(&p, VXN_T_UID, 1000);
  put_u32(&p, VXN_T_GID, 1001);
  put_u32(&p, VXN_T_GROUP, 10);
  put_u32(&p, VXN_T_GROUP, 20);
  put_u32(&p, VXN_T_UMASK, 027);
  uint8_t limit[24] = {7};
  vxn_put64(limit + 8, 100);
  vxn_put64(limit + 16, 200);
  put(&p, VXN_T_RLIMIT, limit, sizeof limit);
  put_caps(&p, 0x5ff, 0x401, 0x400, 0x4ff, 0x400);
  put(&p, VXN_T_NO_NEW_PRIVILEGES, NULL, 0);
  put_u32(&p, VXN_T_OOM_SCORE_ADJ, 77);
  launch(c, 2, &p);
  expect_started(c, 2);
  finish(c, 2, 0);
  // After execve only the ambient set is left to a user that is not root.
  CHECK_STR(output(c, 2, 0),
            "1000\n1001\n1001 10 20\n0027\n100\n200\n"
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
            "CapInh:\t0000000000000400\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\n"
            "CapBnd:\t00000000000005ff\nCapAmb:\t0000000000000400\nNoNewPrivs:\t1\n77\n");
  CHECK_STR(output(c, 2, 1), "seen\n");
  client_end(c);
}

static void no_capabilities(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "grep", "-E", "^(Cap|NoNew)", "/proc/self/status");
  put_str(&p, VXN_T_ENV, "PATH=/bin");
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0),
            "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n");
  client_end(c);
}

static void descriptors(void) { prints("ls /proc/self/fd; cat /proc/self/oom_score_adj", "0\n1\n2\n3\n0\n"); }

static void exit_codes(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  start_shell(c, 3, "exit 0");
  finish(c, 3, 0);
  start_shell(c, 4, "exit 7");
  finish(c, 4, 7);
  start_shell(c, 5, "exit 255");
  finish(c, 5, 255);
  start_shell(c, 6, "kill -SEGV $$");
  UNTIL(c, c->procs[6].exited);
  CHECK_INT(c->procs[6].signal, SIGSEGV);
  CHECK_INT(c->procs[6].code, 0);
  // An id is free again after EXIT.
  c->procs[4] = (struct proc){0};
  start_shell(c, 4, "exit 9");
  finish(c, 4, 9);
  client_end(c);
}

static void cannot_start(void) {
  static const struct {
    const char *program;
    int error;
    const char *text;
  } cases[] = {
      {"foo", ENOENT, "exec: \"foo\": executable file not found in $PATH"},
      {"", ENOENT, "exec: \"\": executable file not found in $PATH"},
      {"a\"b", ENOENT, "exec: \"a\\\"b\": executable file not found in $PATH"},
      {"/nosuch", ENOENT, "exec: \"/nosuch\": stat /nosuch: no such file or directory"},
      {"/etc/passwd/x", ENOTDIR, "exec: \"/etc/passwd/x\": stat /etc/passwd/x: not a directory"},
      {"/etc/passwd", EACCES, "exec: \"/etc/passwd\": permission denied"},
      {"/etc", EISDIR, "exec: \"/etc\": is a directory"},
      {"/bad", ENOEXEC, "exec /bad: exec format error"},
      {"/lost", ENOENT, "exec /lost: no such file or directory"},
  };
  struct client *c = plain();
  start_shell(c, 2, "echo junk >/bad; chmod +x /bad; printf '#!/nosuch\\n' >/lost; chmod +x /lost; echo done; sleep 60");
  UNTIL(c, c->procs[2].len[0] > 0);
  for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct payload p = process(3);
    put_str(&p, VXN_T_ARG, cases[i].program);
    put_usual(&p);
    c->procs[3] = (struct proc){0};
    launch(c, 3, &p);
    CHECK_STR(c->procs[3].text, cases[i].text);
    CHECK_INT(c->procs[3].error, cases[i].error);
    CHECK(!c->procs[3].started);
  }
  client_end(c);
}

static void first_cannot_start(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "/nosuch");
  launch(c, 2, &p);
  CHECK_STR(c->procs[2].text, "exec: \"/nosuch\": stat /nosuch: no such file or directory");
  CHECK_INT(c->procs[2].failure, VXN_G_PROCESS_FAILED);
  p = process(3);
  ARGS(&p, "/bin/true");
  launch(c, 3, &p);
  CHECK_STR(c->procs[3].text, "cannot exec in a stopped container");
  client_end(c);
}

static void signals(void) {
  struct client *c = plain();
  start_shell(c, 2, "trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
  UNTIL(c, c->procs[2].len[0] > 0);
  start_shell(c, 3, "echo ready; exec sleep 60");
  UNTIL(c, c->procs[3].len[0] > 0);
  client_u32s(c, VXN_H_SIGNAL, 3, SIGTERM, 0);
  UNTIL(c, c->procs[3].exited);
  CHECK_INT(c->procs[3].signal, SIGTERM);
  client_u32s(c, VXN_H_SIGNAL, 3, SIGKILL, 0);  // of a process that is gone: nothing
  client_u32s(c, VXN_H_SIGNAL, 2, SIGTERM, 0);
  finish(c, 2, 3);
  CHECK_STR(output(c, 2, 0), "ready\nterm\n");
  client_end(c);
}

static void kill_one_and_all(void) {
  struct client *c = plain();
  start_shell(c, 2, "trap 'echo got' USR1; trap 'exit 5' USR2; echo ready; while :; do sleep 0.05; done");
  start_shell(c, 3, "trap 'echo got' USR1; echo ready; while :; do sleep 0.05; done");
  UNTIL(c, c->procs[2].len[0] > 0 && c->procs[3].len[0] > 0);
  client_u32s(c, VXN_H_SIGNAL, 2, SIGUSR1, 1);
  UNTIL(c, c->procs[2].len[0] > 6 && c->procs[3].len[0] > 6);
  client_u32s(c, VXN_H_SIGNAL, 3, SIGKILL, 0);
  UNTIL(c, c->procs[3].exited);
  CHECK_INT(c->procs[3].signal, SIGKILL);
  CHECK(!c->procs[2].exited);
  client_u32s(c, VXN_H_SIGNAL, 2, SIGKILL, 1);
  UNTIL(c, c->procs[2].exited);
  CHECK_INT(c->procs[2].signal, SIGKILL);
  client_end(c);
}

static void ends_with_its_first_process(void) {
  struct client *c = plain();
  start_shell(c, 2, "read x; echo bye; exit 4");
  start_shell(c, 3, "(sleep 60 & sleep 60)");
  start_shell(c, 4, "sleep 60");
  client_send(c, VXN_H_STDIN, 2, "\n", 1);
  finish(c, 2, 4);
  UNTIL(c, c->procs[3].exited && c->procs[4].exited);
  CHECK_INT(c->procs[3].signal, SIGKILL);
  CHECK_INT(c->procs[4].signal, SIGKILL);
  CHECK(c->procs[2].order > c->procs[3].order && c->procs[2].order > c->procs[4].order);
  struct payload p = process(5);
  ARGS(&p, "/bin/true");
  launch(c, 5, &p);
  CHECK_STR(c->procs[5].text, "container 1 does not exist");
  client_end(c);
}

static void many_at_once(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  for (uint32_t id = 3; id < 33; id++) {
    struct payload p = process(id);
    char script[64];
    snprintf(script, sizeof script, "read x; echo $x; exit %u", id);
    ARGS(&p, "sh", "-c", script);
    put_usual(&p);
    client_describe(c, VXN_H_PROCESS, id, &p, WHOLE);
  }
  for (uint32_t id = 3; id < 33; id++) UNTIL(c, c->procs[id].started || c->procs[id].failed);
  for (uint32_t id = 3; id < 33; id++) {
    char line[16];
    snprintf(line, sizeof line, "n%u\n", id);
    client_send(c, VXN_H_STDIN, id, line, strlen(line));
  }
  for (uint32_t id = 3; id < 33; id++) {
    char line[16];
    snprintf(line, sizeof line, "n%u\n", id);
    finish(c, id, id);
    CHECK_STR(output(c, id, 0), line);
  }
  client_end(c);
}

static void joins(void) {
  struct client *c = plain();
  start_shell(c, 2, "echo mine >/tmp/file; hostname other; echo ready; exec sleep 60");
  UNTIL(c, c->procs[2].len[0] > 0);
  start_shell(c, 3, "cat /tmp/file; hostname; for n in mnt uts ipc pid cgroup; do"
                    " [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo $n; done;"
                    " cat /proc/self/cgroup | grep ^0: ; cat /proc/1/comm");
  finish(c, 3, 0);
  CHECK_STR(output(c, 3, 0), "mine\nother\n0::/\nsleep\n");
  client_end(c);
}

static void hanging_output(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  start_shell(c, 3, "sleep 60 & echo $!");
  finish(c, 3, 0);  // the background process keeps the pipe, which is no reason to wait
  CHECK(c->procs[3].len[0] > 1);
  client_end(c);
}

// ---- Data

static void standard_input(void) {
  struct client *c = plain();
  start_shell(c, 2, "cat; echo eof");
  client_send(c, VXN_H_STDIN, 2, "one\n", 4);
  UNTIL(c, c->procs[2].len[0] >= 4);
  client_send(c, VXN_H_STDIN, 2, "two", 3);
  end_input(c, 2);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "one\ntwoeof\n");
  client_end(c);
}

static void closed_input(void) {
  struct client *c = plain();
  start_shell(c, 2, "exec <&-; echo closed; sleep 60");
  UNTIL(c, c->procs[2].len[0] > 0);
  // More than the window: it is discarded and credited.
  uint64_t sent = 0;
  for (int i = 0; i < 8; i++) {
    UNTIL(c, VXN_STDIN_WINDOW + c->procs[2].credit - sent >= 32768);
    client_send(c, VXN_H_STDIN, 2, zeros, 32768);
    sent += 32768;
  }
  end_input(c, 2);
  client_u32s(c, VXN_H_SIGNAL, 2, SIGKILL, 0);
  UNTIL(c, c->procs[2].exited);
  client_end(c);
}

// 64-bit FNV-1a, to compare what went in with what came out.
static uint64_t digest(uint64_t h, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h;
}

static void through_cat(void) {
  enum { TOTAL = 16 << 20 };
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "tee", "/tmp/copy");
  put_usual(&p);
  launch(c, 2, &p);
  static uint8_t data[TOTAL];
  uint32_t seed = 1;
  for (size_t i = 0; i < TOTAL; i++) data[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
  size_t sent = 0;
  while (sent < TOTAL) {
    uint64_t room = VXN_STDIN_WINDOW + c->procs[2].credit - sent;
    if (room == 0) {
      UNTIL(c, VXN_STDIN_WINDOW + c->procs[2].credit > sent);
      continue;
    }
    size_t len = TOTAL - sent < room ? TOTAL - sent : (size_t)room;
    client_send(c, VXN_H_STDIN, 2, data + sent, len);
    sent += len;
  }
  end_input(c, 2);
  finish(c, 2, 0);
  CHECK_INT(c->procs[2].len[0], TOTAL);
  CHECK(digest(1, data, TOTAL) == digest(1, c->procs[2].out[0], TOTAL));
  client_end(c);
}

static void credit_stops_one_stream(void) {
  struct client *c = plain();
  c->keep_credit = true;
  start_shell(c, 2, "echo err >&2; exec cat /dev/zero");
  UNTIL(c, c->procs[2].len[0] == VXN_OUTPUT_WINDOW && c->procs[2].len[1] == 4);
  // Others go on.
  start_shell(c, 3, "echo alive; exit 6");
  finish(c, 3, 6);
  client_send(c, VXN_H_PING, 2, "x", 1);
  UNTIL(c, c->pongs == 1);
  CHECK_INT(c->procs[2].len[0], VXN_OUTPUT_WINDOW);
  client_u32s(c, VXN_H_CREDIT, 2, 1, 1000);
  UNTIL(c, c->procs[2].len[0] == VXN_OUTPUT_WINDOW + 1000);
  client_u32s(c, VXN_H_SIGNAL, 2, SIGKILL, 0);
  // The end comes after what is still in the pipe.
  client_send(c, VXN_H_PING, 2, "x", 1);
  UNTIL(c, c->pongs == 2);
  CHECK(!c->procs[2].exited);
  client_u32s(c, VXN_H_CREDIT, 2, 1, 1 << 20);
  UNTIL(c, c->procs[2].exited);
  CHECK_INT(c->procs[2].signal, SIGKILL);
  client_end(c);
}

static void exact_credit(void) {
  struct client *c = plain();
  c->keep_credit = true;
  start_shell(c, 2, "head -c 262144 /dev/zero");
  finish(c, 2, 0);
  CHECK_INT(c->procs[2].len[0], VXN_OUTPUT_WINDOW);
  client_end(c);
}

static void ping_and_stats(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  client_send(c, VXN_H_PING, 9, "0123456789", 10);
  client_send(c, VXN_H_STATS, 9, NULL, 0);
  UNTIL(c, c->pongs == 1 && c->stats_len > 0);
  CHECK(memcmp(c->pong, "0123456789", 10) == 0);
  const uint8_t *p = c->stats;
  size_t left = c->stats_len;
  uint64_t value[9] = {0};
  struct vxn_record r;
  while (vxn_next_record(&p, &left, &r) == 1) {
    CHECK(r.tag >= VXN_T_STAT_UPTIME_NS && r.tag <= VXN_T_STAT_OOM_KILLS);
    value[r.tag - VXN_T_STAT_UPTIME_NS] = r.length == 8 ? vxn_get64(r.value) : vxn_get32(r.value);
  }
  CHECK(value[0] > 0 && value[1] > value[2] && value[2] > 0 && value[3] > 0);
  CHECK_INT(value[4], 1);
  CHECK(value[5] > 0 && value[5] < value[3] && value[7] > 0 && value[7] < value[1]);
  CHECK_INT(value[6], sysconf(_SC_NPROCESSORS_ONLN));
  client_end(c);
}

// ---- Terminals

static void start_terminal(struct client *c, uint32_t id, const char *script) {
  struct payload p = process(id);
  ARGS(&p, "sh", "-c", script);
  put_usual(&p);
  put_terminal(&p, 30, 100);
  launch(c, id, &p);
  expect_started(c, id);
}

static void terminal(uint32_t id) {
  struct client *c = plain();
  if (id != 2) start_shell(c, 2, "sleep 60");
  start_terminal(c, id, "stty size; tty; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done");
  UNTIL(c, strstr(output(c, id, 0), "ready") != NULL);
  CHECK_STR(output(c, id, 0), "30 100\r\n/dev/pts/0\r\nready\r\n");
  uint8_t size[4] = {50, 0, 200, 0};
  client_send(c, VXN_H_RESIZE, id, size, sizeof size);
  finish(c, id, 3);
  CHECK_HAS(output(c, id, 0), "50 200\r\n");
  CHECK(c->procs[id].eof[0] && !c->procs[id].eof[1]);
  client_end(c);
}

static void terminal_of_the_first(void) { terminal(2); }
static void terminal_of_another(void) { terminal(3); }

static void terminal_input(void) {
  struct client *c = plain();
  start_terminal(c, 2, "read x; echo got $x; cat; echo eof; ls -l /dev/console /dev/ptmx | wc -l; echo c >/dev/console;"
                       "exec sleep 60");
  client_send(c, VXN_H_STDIN, 2, "line\n", 5);
  UNTIL(c, strstr(output(c, 2, 0), "got line\r\n") != NULL);
  end_input(c, 2);
  UNTIL(c, strstr(output(c, 2, 0), "eof\r\n2\r\nc\r\n") != NULL);
  client_u32s(c, VXN_H_SIGNAL, 2, SIGKILL, 0);
  UNTIL(c, c->procs[2].exited);
  client_end(c);
}

static void interrupt(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  start_terminal(c, 3, "echo ready; exec sleep 60");
  UNTIL(c, strstr(output(c, 3, 0), "ready") != NULL);
  client_send(c, VXN_H_STDIN, 3, "\x03", 1);
  UNTIL(c, c->procs[3].exited);
  CHECK_INT(c->procs[3].signal, SIGINT);
  client_end(c);
}

static void terminal_output(void) {
  struct client *c = plain();
  start_terminal(c, 2, "stty -opost; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last");
  finish(c, 2, 0);
  CHECK_INT(c->procs[2].len[0], 1000006);
  CHECK_STR(output(c, 2, 0) + 1000000, "\nlast\n");
  client_end(c);
}

// ---- Containers

static void names(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_default_mounts(&p);
  put_str(&p, VXN_T_HOSTNAME, "myhost");
  put_str(&p, VXN_T_DOMAINNAME, "mydomain");
  put(&p, VXN_T_SYSCTL, "kernel.msgmax\0" "9000", 18);
  container(c, &p);
  start_shell(c, 2, "hostname; cat /proc/sys/kernel/domainname /proc/sys/kernel/msgmax");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "myhost\nmydomain\n9000\n");
  client_end(c);
}

static void devices(void) {
  struct payload p = {0}, dev = {0};
  struct client *c = client_start();
  put_root(&p);
  put_default_mounts(&p);
  put_str(&dev, VXN_T_DEV_PATH, "/dev/sub/fuse");
  put_str(&dev, VXN_T_DEV_TYPE, "c");
  put_u32(&dev, VXN_T_DEV_MAJOR, 10);
  put_u32(&dev, VXN_T_DEV_MINOR, 229);
  put_u32(&dev, VXN_T_DEV_MODE, 0640);
  put_u32(&dev, VXN_T_DEV_UID, 5);
  put_u32(&dev, VXN_T_DEV_GID, 6);
  put(&p, VXN_T_DEVICE, dev.data, dev.len);
  free(dev.data);
  container(c, &p);
  start_shell(c, 2,
              "cd /dev; ls; stat -c '%n %A %t %T %u %g' null tty sub/fuse; for l in fd stdin stdout stderr ptmx; do readlink $l; done;"
              "echo x >null; head -c 3 zero | wc -c; head -c 3 urandom | wc -c; echo y >/dev/stderr");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0),
            "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nstderr\nstdin\nstdout\nsub\ntty\nurandom\nzero\n"
            "null crw-rw-rw- 1 3 0 0\ntty crw-rw-rw- 5 0 0 0\nsub/fuse crw-r----- a e5 5 6\n"
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n3\n3\n");
  CHECK_STR(output(c, 2, 1), "y\n");
  client_end(c);
}

static void send_file(struct client *c, const char *path, uint32_t mode, uint32_t uid, uint64_t mtime, const char *link) {
  struct payload p = {0};
  put_str(&p, VXN_T_FILE_PATH, path);
  put_u32(&p, VXN_T_FILE_MODE, mode);
  put_u32(&p, VXN_T_FILE_UID, uid);
  put_u32(&p, VXN_T_FILE_GID, uid + 1);
  put_u64(&p, VXN_T_FILE_MTIME, mtime);
  if (link != NULL) put_str(&p, VXN_T_FILE_LINK, link);
  client_describe(c, VXN_H_FILE, CONTAINER, &p, WHOLE);
}

// Nothing is mounted on /dev: what is missing there is made on the root itself, what is wrong is replaced.
static void devices_on_the_root(void) {
  struct payload p = {0};
  struct client *c = client_start();
  const char *root = put_root(&p);
  char path[300];
  snprintf(path, sizeof path, "%s/dev/null", root);
  FILE *f = fopen(path, "w");
  CHECK(f != NULL && fputs("a file\n", f) >= 0 && fclose(f) == 0);
  snprintf(path, sizeof path, "%s/dev/ptmx", root);
  CHECK(mknod(path, S_IFCHR | 0600, makedev(5, 2)) == 0);
  snprintf(path, sizeof path, "%s/dev/zero", root);
  CHECK(mknod(path, S_IFCHR | 0600, makedev(1, 5)) == 0);
  put_mount(&p, "proc", "/proc", 0, NULL);
  put_mount(&p, "devpts", "/dev/pts", 0, "newinstance,ptmxmode=0666");
  put(&p, VXN_T_ROOT_READONLY, NULL, 0);
  container(c, &p);
  p = process(2);
  ARGS(&p, "sh", "-c", "cd /dev; ls -1; stat -c '%n %A %t %T' null zero; readlink ptmx; echo x >null; tty; [ -c console ]; touch /x");
  put_usual(&p);
  put_terminal(&p, 24, 80);
  launch(c, 2, &p);
  finish(c, 2, 1);
  CHECK_STR(output(c, 2, 0),
            "console\r\nfd\r\nfull\r\nnull\r\nptmx\r\npts\r\nrandom\r\nstderr\r\nstdin\r\nstdout\r\ntty\r\nurandom\r\nzero\r\n"
            "null crw-rw-rw- 1 3\r\nzero crw-rw-rw- 1 5\r\npts/ptmx\r\n/dev/pts/0\r\n"
            "touch: /x: Read-only file system\r\n");
  client_end(c);
}

static void dev_of_the_configuration(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_bind(&p, "0", "/dev/", MS_BIND);
  container(c, &p);
  send_file(c, "0", S_IFDIR | 0755, 0, 0, NULL);
  send_file(c, "0/only", S_IFREG | 0644, 0, 0, NULL);
  start_shell(c, 2, "ls /dev");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "only\n");
  client_end(c);
}

static void sysctls(void) {
  static const struct {
    const char *key, *value, *text;
  } cases[] = {
      {"kernel.no_such_thing", "1", "sysctl kernel.no_such_thing: the guest's kernel has no such parameter"},
      {"kernel.msgmax", "many", "error setting sysctl kernel.msgmax to \"many\": invalid argument"},
      {"kernel/../../etc/passwd", "x", "sysctl kernel/../../etc/passwd: not the name of a kernel parameter"},
      {"..etc.passwd", "x", "sysctl ..etc.passwd: not the name of a kernel parameter"},
      {"kernel", "x", "error setting sysctl kernel to \"x\": is a directory"},
      {"net/ipv4/conf/no.such/forwarding", "1", "sysctl net/ipv4/conf/no.such/forwarding: the guest's kernel has no such parameter"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct payload p = {0};
    struct client *c = client_start();
    uint8_t value[128];
    size_t key = strlen(cases[i].key) + 1, len = strlen(cases[i].value);
    memcpy(value, cases[i].key, key);
    memcpy(value + key, cases[i].value, len);
    put_root(&p);
    put(&p, VXN_T_SYSCTL, value, key + len);
    container(c, &p);
    p = process(2);
    ARGS(&p, "/bin/true");
    launch(c, 2, &p);
    CHECK_STR(c->procs[2].text, cases[i].text);
    client_end(c);
  }
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_mount(&p, "proc", "/proc", 0, NULL);
  put(&p, VXN_T_SYSCTL, "kernel/msgmax\0" "9001", 18);
  put(&p, VXN_T_SYSCTL, "kernel.msgmnb\0" "9002", 18);
  put(&p, VXN_T_SYSCTL, "fs.mqueue.msg_max\0" "11", 20);
  container(c, &p);
  start_shell(c, 2, "cd /proc/sys; cat kernel/msgmax kernel/msgmnb fs/mqueue/msg_max");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "9001\n9002\n11\n");
  client_end(c);
}

static void mounts(void) {
  prints(
      "while read d at type opts rest; do echo $at $type ${opts%%,*}; done </proc/mounts | grep -v '^/ '; touch /sys/x 2>/dev/null || echo sys is ro;"
      "touch /tmp/x && echo root is rw; [ -d /proc/1 ] && [ ! -d /proc/3000000 ]",
      "/proc proc rw\n/dev tmpfs rw\n/dev/pts devpts rw\n/dev/mqueue mqueue rw\n/sys sysfs ro\n/sys/fs/cgroup cgroup2 ro\n"
      "sys is ro\nroot is rw\n");
}

static void readonly_root(void) {
  struct payload p = {0};
  struct client *c = client_start();
  const char *root = put_root(&p);
  char path[300];
  put(&p, VXN_T_ROOT_READONLY, NULL, 0);
  put_default_mounts(&p);
  put_mount(&p, "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "size=1m");
  put_mount(&p, "tmpfs", "/made/on/the way", 0, "mode=700");
  container(c, &p);
  start_shell(c, 2,
              "touch /x 2>&1; touch /tmp/y /dev/z '/made/on/the way/w' && echo written; stat -c '%a' /tmp '/made/on/the way';"
              "mount -o remount,rw,bind / 2>/dev/null && echo possible with all capabilities");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0),
            "touch: /x: Read-only file system\nwritten\n1777\n700\npossible with all capabilities\n");
  snprintf(path, sizeof path, "%s/x", root);
  CHECK(access(path, F_OK) < 0);
  client_end(c);
}

static void guarded_paths(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_default_mounts(&p);
  put_str(&p, VXN_T_MASKED_PATH, "/etc/passwd");
  put_str(&p, VXN_T_MASKED_PATH, "/home");
  put_str(&p, VXN_T_MASKED_PATH, "/proc/kcore");
  put_str(&p, VXN_T_MASKED_PATH, "/nosuch/thing");
  put_str(&p, VXN_T_READONLY_PATH, "/proc/sys");
  put_str(&p, VXN_T_READONLY_PATH, "/root");
  put_str(&p, VXN_T_READONLY_PATH, "/nosuch");
  container(c, &p);
  start_shell(c, 2,
              "cat /etc/passwd; head -c 1 /proc/kcore; ls -A /home; touch /home/x 2>&1; touch /root/x 2>&1;"
              "(echo 1 >/proc/sys/kernel/msgmax) 2>&1; grep ' /proc/sys ' /proc/mounts | cut -d' ' -f4");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0),
            "touch: /home/x: Read-only file system\ntouch: /root/x: Read-only file system\n"
            "sh: can't create /proc/sys/kernel/msgmax: Read-only file system\nro,nosuid,nodev,noexec,relatime\n");
  client_end(c);
}

static void bound_files(void) {
  struct payload p = {0};
  struct client *c = client_start();
  const char *root = put_root(&p);
  char path[300];
  snprintf(path, sizeof path, "%s/etc/resolv.conf", root);
  CHECK(symlink("../run/nowhere/resolv.conf", path) == 0);  // leads to nothing, as in many images
  put_default_mounts(&p);
  put_bind(&p, "0", "/etc/resolv.conf", MS_BIND | MS_RDONLY);
  put_bind(&p, "1", "/data", MS_BIND | MS_REC);
  put_u64(&p, VXN_T_BIND_SIZE, 300000);
  container(c, &p);
  send_file(c, "0", S_IFREG | 0644, 0, 1000000000, NULL);
  client_send(c, VXN_H_FILE_DATA, CONTAINER, "nameserver", 10);
  client_send(c, VXN_H_FILE_DATA, CONTAINER, " 1.2.3.4\n", 9);
  send_file(c, "1", S_IFDIR | 0751, 7, 1100000000, NULL);
  send_file(c, "1/sub", S_IFDIR | 01777, 0, 1200000000, NULL);
  send_file(c, "1/sub/big", S_IFREG | 04711, 9, 1300000000, NULL);
  for (int i = 0; i < 4; i++) client_send(c, VXN_H_FILE_DATA, CONTAINER, zeros, sizeof zeros);
  send_file(c, "1/link", S_IFLNK | 0777, 3, 0, "sub/big");
  send_file(c, "1/fifo", S_IFIFO | 0600, 0, 0, NULL);
  start_shell(c, 2,
              "cat /etc/resolv.conf; (echo x >/etc/resolv.conf) 2>/dev/null || echo ro; cd /data; touch new && rm new && echo rw;"
              "stat -c '%n %A %u %g %s' sub sub/big fifo; stat -c '%u %g %A' link; readlink link;"
              "date -u -r sub +%s; date -u -r sub/big +%s; date -u -r /etc/resolv.conf +%s; stat -c '%A %u' .");
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0),
            "nameserver 1.2.3.4\nro\nrw\nsub drwxrwxrwt 0 1 60\nsub/big -rws--x--x 9 10 262144\nfifo prw------- 0 1 0\n"
            "3 4 lrwxrwxrwx\nsub/big\n1200000000\n1300000000\n1000000000\ndrwxr-x--x 7\n");
  client_end(c);
}

static void bad_files(void) {
  static const struct {
    const char *path;
    uint32_t mode;
    const char *text;
  } cases[] = {
      {"../x", S_IFREG, "plain path"},          {"/etc/x", S_IFREG, "plain path"},
      {"0/../../x", S_IFREG, "plain path"},     {"link/x", S_IFREG, "link/x: too many levels of symbolic links"},
      {"missing/x", S_IFREG, "missing/x: no such file or directory"},
      {"dev", S_IFCHR | 0666, "dev: operation not permitted"},
      {"dev", 0, "dev: operation not permitted"},
      {"link", S_IFREG, "link: file exists"},
      {"0", S_IFLNK, "0: invalid argument"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct payload p = {0};
    struct client *c = client_start();
    put_root(&p);
    container(c, &p);
    send_file(c, "link", S_IFLNK | 0777, 0, 0, "/tmp");
    send_file(c, cases[i].path, cases[i].mode, 0, 0, NULL);
    client_send(c, VXN_H_FILE_DATA, CONTAINER, "x", 1);
    UNTIL(c, c->procs[CONTAINER].failed);
    CHECK_HAS(c->procs[CONTAINER].text, cases[i].text);
    p = process(2);
    ARGS(&p, "/bin/true");
    launch(c, 2, &p);
    CHECK_HAS(c->procs[2].text, cases[i].text);
    client_end(c);
  }
}

// Links of the image must not lead a mount, a device or a directory out of the root.
static void hostile_links(void) {
  struct payload p = {0}, dev = {0};
  struct client *c = client_start();
  const char *root = put_root(&p);
  char path[1000], outside[300], target[600];
  snprintf(outside, sizeof outside, "%s.outside", root);
  CHECK(mkdir(outside, 0755) == 0);
  static const char *const links[][2] = {{"abs", "%s"}, {"up", "../../../../../../../..%s"}, {"dangling", "%s/made"}};
  for (size_t i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", root, links[i][0]);
    snprintf(target, sizeof target, "%s%s%s", i == 1 ? "../../../../../../../../.." : "", outside, i == 2 ? "/made" : "");
    CHECK(symlink(target, path) == 0);
  }
  put_default_mounts(&p);
  put_mount(&p, "tmpfs", "/abs/a", 0, NULL);
  put_mount(&p, "tmpfs", "/up/b", 0, NULL);
  put_mount(&p, "tmpfs", "/dangling/c", 0, NULL);
  put_mount(&p, "tmpfs", "/home/../../../../d", 0, NULL);
  put_bind(&p, "0", "/abs/file", 0);
  put_str(&dev, VXN_T_DEV_PATH, "/abs/null");
  put_str(&dev, VXN_T_DEV_TYPE, "c");
  put(&p, VXN_T_DEVICE, dev.data, dev.len);
  free(dev.data);
  container(c, &p);
  send_file(c, "0", S_IFREG | 0644, 0, 0, NULL);
  p = process(2);
  ARGS(&p, "/bin/sh", "-c", "grep -c vxn-agent /proc/mounts; touch here");
  put_str(&p, VXN_T_CWD, "/abs/cwd");
  put_usual(&p);
  launch(c, 2, &p);
  expect_started(c, 2);
  finish(c, 2, 0);
  // Inside, the paths exist below the root, as the image asked; outside nothing was made.
  CHECK(strtol(output(c, 2, 0), NULL, 10) >= 4);
  CHECK(rmdir(outside) == 0);
  snprintf(path, sizeof path, "%s%s/cwd/here", root, outside);
  CHECK(access(path, F_OK) == 0);
  client_end(c);
}

static void proc_through_a_link(void) {
  struct payload p = {0};
  struct client *c = client_start();
  const char *root = put_root(&p);
  char path[300];
  snprintf(path, sizeof path, "%s/proc", root);
  CHECK(rmdir(path) == 0 && symlink("tmp", path) == 0);
  put_default_mounts(&p);
  container(c, &p);
  p = process(2);
  ARGS(&p, "/bin/true");
  launch(c, 2, &p);
  CHECK_STR(c->procs[2].text, "error mounting \"proc\" to rootfs at \"/proc\": not a directory");
  client_end(c);
}

static void bad_containers(void) {
  static const struct {
    uint16_t tag;
    const char *value, *text;
  } cases[] = {
      {VXN_T_ROOT_DISK, "dir:/nosuch", "mounting /nosuch as root: no such file or directory"},
      {VXN_T_ROOT_DISK, "../sda", "no usable root disk"},
      {VXN_T_HOSTNAME, "x", "no usable root disk"},
      {0x01ff, "", "unknown record 0x01ff in CONTAINER"},
  };
  struct client *c = client_start();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct payload p = {0};
    put_str(&p, cases[i].tag, cases[i].value);
    c->procs[CONTAINER] = (struct proc){0};
    client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
    UNTIL(c, c->procs[CONTAINER].failed);
    CHECK_HAS(c->procs[CONTAINER].text, cases[i].text);
    CHECK_INT(c->procs[CONTAINER].failure, VXN_G_CONTAINER_FAILED);
  }
  client_end(c);
}

static void waits_for_the_disk(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_str(&p, VXN_T_ROOT_DISK, "vxn-nosuch");
  client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
  p = process(2);
  ARGS(&p, "/bin/true");
  client_describe(c, VXN_H_PROCESS, 2, &p, WHOLE);
  // Meanwhile the agent answers.
  client_send(c, VXN_H_PING, 9, NULL, 0);
  UNTIL(c, c->pongs == 1);
  CHECK(!c->procs[CONTAINER].failed && !c->procs[2].failed);
  client_end(c);
}

static void run_command(char *out, size_t size, const char *command) {
  FILE *f = popen(command, "r");
  if (f == NULL) FAIL("cannot run %s", command);
  size_t n = fread(out, 1, size - 1, f);
  out[n] = '\0';
  out[strcspn(out, "\n")] = '\0';
  if (pclose(f) != 0) FAIL("failed: %s", command);
}

// A loop device under a name of its own that appears while the agent waits for it.
static void disk_appears_later(void) {
  char image[300], command[1200], loop[64], said[64];
  struct payload p = {0};
  const char *root = new_root();
  snprintf(image, sizeof image, "%s.ext4", root);
  snprintf(command, sizeof command, "mke2fs -q -t ext4 -d %s %s 32M >/dev/null && losetup -f --show %s", root, image, image);
  run_command(loop, sizeof loop, command);
  struct stat st;
  unlink("/dev/vxn-test-disk");
  CHECK(stat(loop, &st) == 0);

  struct client *c = client_start();
  put_str(&p, VXN_T_ROOT_DISK, "vxn-test-disk");
  put(&p, VXN_T_ROOT_READONLY, NULL, 0);
  put_default_mounts(&p);
  put_mount(&p, "tmpfs", "/made", 0, NULL);
  client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
  p = process(2);
  ARGS(&p, "sh", "-c", "echo x >/made/x && cat /made/x; touch /x 2>&1; grep '^/dev/' /proc/mounts | cut -d' ' -f2-3");
  put_usual(&p);
  client_describe(c, VXN_H_PROCESS, 2, &p, WHOLE);
  client_send(c, VXN_H_PING, 9, NULL, 0);
  UNTIL(c, c->pongs == 1);
  CHECK(!c->procs[CONTAINER].ok);
  int made = mknod("/dev/vxn-test-disk", S_IFBLK | 0600, st.st_rdev);
  for (uint64_t end = client_now() + 20000; made == 0 && !c->procs[2].exited && !c->procs[CONTAINER].failed;)
    if (!client_read(c, end)) break;
  bool ended = c->procs[2].exited;
  unlink("/dev/vxn-test-disk");
  if (ended) {
    CHECK_STR(output(c, 2, 0), "x\ntouch: /x: Read-only file system\n/ ext4\n");
    client_end(c);
  }
  snprintf(command, sizeof command, "losetup -d %s", loop);
  run_command(said, sizeof said, command);
  if (!ended) FAIL("container: %s; process: %s", c->procs[CONTAINER].text, c->procs[2].text);
}

static void several_containers(void) {
  struct client *c = plain();
  start_shell(c, 2, "echo one >/tmp/x; echo ready; sleep 60");
  UNTIL(c, c->procs[2].len[0] > 0);
  struct payload p = {0};
  put_root(&p);
  put_default_mounts(&p);
  client_describe(c, VXN_H_CONTAINER, 40, &p, WHOLE);
  UNTIL(c, c->procs[40].ok);
  put_u32(&p, VXN_T_CONTAINER_ID, 40);
  put(&p, VXN_T_INIT, NULL, 0);
  ARGS(&p, "sh", "-c", "ls /tmp; echo $$; grep -c vxn-agent /proc/mounts; exit 8");
  put_usual(&p);
  launch(c, 41, &p);
  finish(c, 41, 8);
  CHECK_STR(output(c, 41, 0), "1\n0\n");
  CHECK(!c->procs[2].exited);
  start_shell(c, 3, "cat /tmp/x");
  finish(c, 3, 0);
  CHECK_STR(output(c, 3, 0), "one\n");
  client_end(c);
}

static void named_socket(void) {
  struct client *c = client_start_at("socket");
  client_send(c, VXN_H_PING, 1, NULL, 0);
  UNTIL(c, c->pongs == 1);
  client_end(c);
}

// ---- The end

static size_t processes_called(const char *name) {
  char command[128], text[32] = "";
  snprintf(command, sizeof command, "pgrep -fc '%s' || true", name);
  FILE *f = popen(command, "r");
  if (f == NULL || fgets(text, sizeof text, f) == NULL) FAIL("pgrep failed");
  pclose(f);
  return strtoul(text, NULL, 10);
}

static void host_disappears(void) {
  struct client *c = plain();
  start_shell(c, 2, "trap '' TERM HUP; sleep 54321 & echo ready; while :; do sleep 1; done");
  start_shell(c, 3, "setsid sleep 54321");
  UNTIL(c, c->procs[2].len[0] > 0);
  shutdown_client(c);
  for (int i = 0; i < 1000 && processes_called("sleep 5432[1]") > 0; i++) usleep(10000);
  CHECK_INT(processes_called("sleep 5432[1]"), 0);
}

static void faults(void) {
  static const struct {
    uint16_t type;
    uint32_t id;
    size_t len;
    const char *text;
  } cases[] = {
      {0x001f, 1, 0, "may not send"},       {VXN_G_STDOUT, 1, 1, "may not send"}, {VXN_H_STDIN, 0, 1, "may not send"},
      {VXN_H_SIGNAL, 1, 7, "may not send"}, {VXN_H_PING, 1, 65, "may not send"},  {VXN_H_CREDIT, 2, 8, "unknown stream"},
      {VXN_H_POWEROFF, 1, 0, "may not send"},
      {VXN_H_CONTAINER, 0, 0, "may not send"},
      {VXN_H_NETWORK, CONTAINER, 0, "may not send"},
      {VXN_M_KILL, 0, 0, "may not send"},
      {VXN_M_JOIN, 0, 0, "may not send"},
      // CONTAINER_END, DISK and FORWARD are reserved for later.
      {0x0104, CONTAINER, 0, "may not send"},
      {0x0007, 0, 0, "may not send"},
      {0x0207, 2, 0, "may not send"},
      {VXN_H_HELLO, 0, 4, "it chose version 0 of the protocol, version 2 is needed"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct client *c = plain();
    start_shell(c, 2, "sleep 60");
    client_send(c, cases[i].type, cases[i].id, zeros, cases[i].len);
    UNTIL(c, c->closed);
    CHECK_HAS(c->log, cases[i].text);
    expect_end(c, 0);
  }
}

static void too_much_input(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  client_send(c, VXN_H_STDIN, 2, zeros, sizeof zeros);
  client_send(c, VXN_H_STDIN, 2, zeros, sizeof zeros);
  client_send(c, VXN_H_STDIN, 2, zeros, sizeof zeros);
  UNTIL(c, c->closed);
  CHECK_HAS(c->log, "more stdin than the credit");
  expect_end(c, 0);
}

static void ids_of_their_own(void) {
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  start_shell(c, CONTAINER, "exit 6");
  finish(c, CONTAINER, 6);
  client_end(c);
}

static void unknown_ids(void) {
  struct client *c = plain();
  client_send(c, VXN_H_STDIN, 50, "x", 1);
  client_send(c, VXN_H_STDIN_EOF, 50, NULL, 0);
  client_u32s(c, VXN_H_CREDIT, 50, 1, 1);
  client_u32s(c, VXN_H_SIGNAL, 50, 9, 1);
  client_send(c, VXN_H_RESIZE, 50, zeros, 4);
  client_send(c, VXN_H_FILE, 50, NULL, 0);
  client_send(c, VXN_H_FILE_DATA, 50, zeros, 100);
  start_shell(c, 2, "exit 5");
  finish(c, 2, 5);
  client_end(c);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"stdout and stderr", echo},
      {"arguments arrive as they were", arguments},
      {"a description in several frames", long_description},
      {"more long descriptions than there is room for", too_many_long_descriptions},
      {"environment", environment},
      {"HOME", home},
      {"working directory", working_directory},
      {"user, groups, umask, limits, capabilities", identity},
      {"no capabilities", no_capabilities},
      {"no descriptor is inherited", descriptors},
      {"exit codes", exit_codes},
      {"programs that cannot be started", cannot_start},
      {"a first process that cannot be started", first_cannot_start},
      {"signals", signals},
      {"signals for one and for all", kill_one_and_all},
      {"a container ends with its first process", ends_with_its_first_process},
      {"many processes at once", many_at_once},
      {"a process joins its container", joins},
      {"a descendant that keeps the output open", hanging_output},
      {"stdin and its end", standard_input},
      {"stdin that nobody reads", closed_input},
      {"16 MiB through a process", through_cat},
      {"without credit one stream stops alone", credit_stops_one_stream},
      {"exactly the credit", exact_credit},
      {"PING and STATS", ping_and_stats},
      {"terminal of the first process", terminal_of_the_first},
      {"terminal of another process", terminal_of_another},
      {"terminal input", terminal_input},
      {"^C", interrupt},
      {"terminal output to the last byte", terminal_output},
      {"host name, domain name, sysctl", names},
      {"devices", devices},
      {"devices where nothing is mounted on /dev", devices_on_the_root},
      {"a configuration that brings its own /dev", dev_of_the_configuration},
      {"sysctls", sysctls},
      {"mounts", mounts},
      {"read-only root", readonly_root},
      {"masked and read-only paths", guarded_paths},
      {"files of the bind area", bound_files},
      {"files that are refused", bad_files},
      {"links that lead out of the root", hostile_links},
      {"proc through a link", proc_through_a_link},
      {"containers that are refused", bad_containers},
      {"the wait for a disk blocks nothing", waits_for_the_disk},
      {"a disk that appears later", disk_appears_later},
      {"several containers", several_containers},
      {"a socket by name", named_socket},
      {"the host disappears", host_disappears},
      {"frames that break a rule", faults},
      {"more stdin than the credit", too_much_input},
      {"ids that do not exist", unknown_ids},
      {"a process with the id of its container", ids_of_their_own},
  };
  if (geteuid() != 0) {
    printf("the agent's tests need root\n");
    return 1;
  }
  int rc = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  client_abandon();
  clean_up();
  return rc;
}

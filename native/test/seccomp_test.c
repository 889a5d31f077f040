// SPDX-License-Identifier: MIT
// Seccomp: the agent sets filters, and vxn-seccomp refuses what is no profile. What it makes of profiles is tested from
// TypeScript (test/container/seccomp.test.ts). Needs root, no Xen.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container.h"

#ifdef SYS_mkdir
#define MKDIR SYS_mkdir
#else
#define MKDIR SYS_mkdirat
#endif

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void put_filter(struct payload *p, uint32_t flags, const struct sock_filter *filter, size_t n) {
  uint8_t value[4 + 8 * 64];
  vxn_put32(value, flags);
  for (size_t i = 0; i < n; i++) {
    vxn_put16(value + 4 + 8 * i, filter[i].code);
    value[4 + 8 * i + 2] = filter[i].jt;
    value[4 + 8 * i + 3] = filter[i].jf;
    vxn_put32(value + 4 + 8 * i + 4, filter[i].k);
  }
  put(p, VXN_T_SECCOMP, value, 4 + 8 * n);
}

// A filter with this verdict for the system calls of a list that ends with -1.
static void put_verdict(struct payload *p, uint32_t verdict, const int *calls) {
  struct sock_filter f[64] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  size_t n = 1;
  for (; *calls >= 0; calls++) {
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)*calls, 0, 1);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
  }
  f[n++] = (struct sock_filter)ALLOW;
  put_filter(p, SECCOMP_FILTER_FLAG_SPEC_ALLOW, f, n);
}

static const int mkdir_only[] = {MKDIR, -1};

static void forbidden(void) {
  static const struct {
    uint32_t uid;
    bool no_new_privileges;
  } cases[] = {{0, false}, {0, true}, {1000, false}, {1000, true}};
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  for (uint32_t i = 0; i < 4; i++) {
    struct payload p = process(3 + i);
    ARGS(&p, "sh", "-c", "mkdir /tmp/new 2>&1; grep -E '^(Seccomp|CapPrm|CapEff|NoNew)' /proc/self/status");
    put_str(&p, VXN_T_ENV, "PATH=/bin");
    put_caps(&p, 0x401, 0x400, 0, 0x401, 0);
    put_u32(&p, VXN_T_UID, cases[i].uid);
    if (cases[i].no_new_privileges) put(&p, VXN_T_NO_NEW_PRIVILEGES, NULL, 0);
    put_verdict(&p, SECCOMP_RET_ERRNO | EPERM, mkdir_only);
    launch(c, 3 + i, &p);
    finish(c, 3 + i, 0);
    // The capability by which the filter was set is gone. Root's permitted set comes from the bounding one at execve.
    const char *caps = cases[i].uid == 0 ? "0000000000000401" : "0000000000000000";
    char want[300];
    snprintf(want, sizeof want,
             "mkdir: can't create directory '/tmp/new': Operation not permitted\n"
             "CapPrm:\t%s\nCapEff:\t%s\nNoNewPrivs:\t%d\nSeccomp:\t2\nSeccomp_filters:\t1\n",
             caps, caps, cases[i].no_new_privileges);
    CHECK_STR(output(c, 3 + i, 0), want);
  }
  client_end(c);
}

static void killed(void) {
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "sh", "-c", "echo before; mkdir /tmp/new; echo $?");
  put_usual(&p);
  put_verdict(&p, SECCOMP_RET_KILL_PROCESS, mkdir_only);
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "before\n159\n");
  client_end(c);

  c = plain();
  p = process(2);
  ARGS(&p, "mkdir", "/tmp/new");
  put_usual(&p);
  put_verdict(&p, SECCOMP_RET_KILL_PROCESS, mkdir_only);
  launch(c, 2, &p);
  expect_started(c, 2);
  UNTIL(c, c->procs[2].exited);
  CHECK_INT(c->procs[2].signal, SIGSYS);
  client_end(c);
}

// The filter is for the program: what the agent does to start it may be forbidden.
static void needs_nothing_itself(void) {
  static const int calls[] = {SYS_setgroups, SYS_setresuid, SYS_setresgid, SYS_capset,      SYS_prctl,     SYS_close_range,
                              SYS_sendmsg,   SYS_seccomp,   SYS_faccessat2, SYS_pidfd_open, SYS_openat2,   SYS_mount,
                              SYS_setsid,    SYS_rt_sigaction, -1};
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "echo", "runs");
  put_usual(&p);
  put_u32(&p, VXN_T_UID, 1000);
  put_verdict(&p, SECCOMP_RET_ERRNO | EPERM, calls);
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "runs\n");
  client_end(c);
}

static void exec_is_forbidden(void) {
  static const int calls[] = {SYS_execve, SYS_execveat, -1};
  struct client *c = plain();
  struct payload p = process(2);
  ARGS(&p, "/bin/true");
  put_usual(&p);
  put_verdict(&p, SECCOMP_RET_ERRNO | EPERM, calls);
  launch(c, 2, &p);
  CHECK_STR(c->procs[2].text, "exec /bin/true: operation not permitted");
  CHECK_INT(c->procs[2].error, EPERM);
  client_end(c);
}

static void no_filter_at_all(void) {
  static const struct sock_filter without_end[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  static const struct sock_filter too_far[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 200, 200), ALLOW};
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  for (uint32_t id = 3; id < 5; id++) {
    struct payload p = process(id);
    ARGS(&p, "/bin/true");
    put_usual(&p);
    put_filter(&p, 0, id == 3 ? without_end : too_far, id == 3 ? 1 : 2);
    launch(c, id, &p);
    CHECK_STR(c->procs[id].text,
              "applying the seccomp profile: invalid argument; has the guest's kernel CONFIG_SECCOMP_FILTER?");
    CHECK_INT(c->procs[id].error, EINVAL);
  }
  client_end(c);
}

static void malformed(void) {
  static uint8_t value[4 + 8 * (BPF_MAXINSNS + 1)];
  static const struct {
    uint32_t flags;
    size_t len;
    const char *text;
  } cases[] = {{0, 0, "malformed record 0x050f of 0 bytes"},
               {0, 4, "malformed record 0x050f of 4 bytes"},
               {0, 11, "malformed record 0x050f of 11 bytes"},
               {0, 13, "malformed record 0x050f of 13 bytes"},
               {0, sizeof value, "malformed record 0x050f of 32780 bytes"},
               {1, 12, "unknown seccomp flags 0x1"},
               {0x80000000u, 12, "unknown seccomp flags 0x80000000"}};
  struct client *c = plain();
  start_shell(c, 2, "sleep 60");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct payload p = process(3);
    ARGS(&p, "/bin/true");
    vxn_put32(value, cases[i].flags);
    put(&p, VXN_T_SECCOMP, value, cases[i].len);
    c->procs[3] = (struct proc){0};
    launch(c, 3, &p);
    CHECK_STR(c->procs[3].text, cases[i].text);
  }
  struct payload p = process(3);
  ARGS(&p, "/bin/true");
  put_verdict(&p, SECCOMP_RET_ALLOW, mkdir_only);
  put_verdict(&p, SECCOMP_RET_ALLOW, mkdir_only);
  c->procs[3] = (struct proc){0};
  launch(c, 3, &p);
  CHECK_HAS(c->procs[3].text, "malformed record 0x050f of ");
  client_end(c);
}

// ---- vxn-seccomp

// Runs it with a profile; its status, and what it says.
static int compile(const void *profile, size_t len, char *said, size_t size) {
  char in[] = "/tmp/vxn-profile-XXXXXX", command[600];
  int fd = mkstemp(in);
  CHECK(fd >= 0 && write(fd, profile, len) == (ssize_t)len);
  close(fd);
  snprintf(command, sizeof command, "%s/vxn-seccomp %s %s.bpf 2>&1", test_bin(), in, in);
  FILE *f = popen(command, "r");
  CHECK(f != NULL);
  size_t n = fread(said, 1, size - 1, f);
  said[n] = '\0';
  int status = pclose(f);
  snprintf(command, sizeof command, "%s.bpf", in);
  unlink(command);
  unlink(in);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void bad_profiles(void) {
  char said[512];
  struct payload p = {0}, rule = {0};
  CHECK_INT(compile("", 0, said, sizeof said), 1);
  CHECK_STR(said, "a profile without flags\n");
  CHECK_INT(compile("\x01\x0a\0", 3, said, sizeof said), 1);
  CHECK_STR(said, "malformed profile\n");
  put_u32(&p, VXN_T_PROFILE_FLAGS, 0);
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
  CHECK_STR(said, "a profile without a default action\n");
  put_u32(&p, VXN_T_PROFILE_DEFAULT, SECCOMP_RET_ALLOW);
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 0);
  CHECK_STR(said, "");
  for (size_t cut = 17; cut < p.len; cut++) CHECK_INT(compile(p.data, cut, said, sizeof said), 1);

  size_t good = p.len;
  put_str(&p, VXN_T_PROFILE_ARCH, "pdp11");
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
  CHECK_STR(said, "this libseccomp does not know the architecture pdp11\n");
  p.len = good;
  put_str(&p, VXN_T_PROFILE_ARCH, "s390x");
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
  CHECK_HAS(said, "the architecture s390x cannot be in the filter");

  p.len = good;
  put_str(&rule, VXN_T_PROFILE_NAME, "mkdir");
  put(&p, VXN_T_PROFILE_RULE, rule.data, rule.len);
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
  CHECK_STR(said, "a rule without an action\n");
  rule.len = 0;
  put_u32(&rule, VXN_T_PROFILE_ACTION, SECCOMP_RET_ERRNO | EPERM);
  put_str(&rule, VXN_T_PROFILE_NAME, "mkdir");
  size_t plain_rule = rule.len;
  static const uint32_t args[][2] = {{6, 4}, {0, 0}, {0, 8}};
  for (size_t i = 0; i < 3; i++) {
    uint8_t arg[24] = {0};
    vxn_put32(arg, args[i][0]);
    vxn_put32(arg + 4, args[i][1]);
    rule.len = plain_rule;
    put(&rule, VXN_T_PROFILE_ARG, arg, sizeof arg);
    p.len = good;
    put(&p, VXN_T_PROFILE_RULE, rule.data, rule.len);
    CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
    CHECK_STR(said, "malformed record 0x0a07\n");
  }
  // A name that no system call can have is ignored like any other that is not known.
  rule.len = plain_rule;
  char longest[300];
  memset(longest, 'x', sizeof longest);
  put(&rule, VXN_T_PROFILE_NAME, longest, sizeof longest);
  p.len = good;
  put(&p, VXN_T_PROFILE_RULE, rule.data, rule.len);
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 0);
  put(&p, 0x0aff, NULL, 0);
  CHECK_INT(compile(p.data, p.len, said, sizeof said), 1);
  CHECK_STR(said, "malformed profile\n");
  free(p.data);
  free(rule.data);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"a system call is refused, for root and others, with and without no_new_privs", forbidden},
      {"a system call kills", killed},
      {"a profile need not allow what starts the program", needs_nothing_itself},
      {"a profile that forbids execve", exec_is_forbidden},
      {"instructions that are no filter", no_filter_at_all},
      {"records that are no filter", malformed},
      {"profiles that vxn-seccomp refuses", bad_profiles},
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

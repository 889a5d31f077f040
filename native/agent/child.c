// SPDX-License-Identifier: MIT
// From clone to execve, in the order that runc keeps: namespaces, root, then identity, then the program.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "agent.h"

#define PASSWD_MAX (1u << 20)

// ---- Reports to the agent

// Without a descriptor by write(2): a seccomp filter forbids that last.
static void report(int sync_fd, const struct sync_message *m, int fd) {
  if (fd < 0) {
    if (write(sync_fd, m, sizeof *m) < 0) _exit(127);
    return;
  }
  union {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec iov = {(void *)m, sizeof *m};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  if (sendmsg(sync_fd, &msg, MSG_NOSIGNAL) < 0) _exit(127);
}

// ---- File descriptors

// Closes all but the standard streams and those kept, so that this child holds no other process's pipe open.
static void close_others(const int *keep, size_t n) {
  unsigned from = 3;
  for (;;) {
    unsigned next = UINT_MAX;
    for (size_t i = 0; i < n; i++)
      if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next) next = (unsigned)keep[i];
    if (next > from) close_range(from, next - 1, 0);
    if (next == UINT_MAX) return;
    from = next + 1;
  }
}

// Programs of another user open /dev/stdout anew, so the streams are theirs.
static int take_stdio(const int fds[3], uint32_t uid, struct error *e) {
  for (int i = 0; i < 3; i++) {
    if (dup2(fds[i], i) < 0) return fail(e, errno, "dup2: %s", errno_text(errno));
    if (fchown(i, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS)
      return fail(e, errno, "chown of stdio: %s", errno_text(errno));
  }
  return 0;
}

static int use_terminal(const struct child_plan *plan, struct terminal *t, struct error *e) {
  struct winsize size = {.ws_row = plan->rows, .ws_col = plan->cols};
  ioctl(t->master, TIOCSWINSZ, &size);
  report(plan->sync_fd, &(struct sync_message){.kind = SYNC_TERMINAL}, t->master);
  close(t->master);
  if (ioctl(t->slave, TIOCSCTTY, 0) < 0) return fail(e, errno, "controlling terminal: %s", errno_text(errno));
  return take_stdio((int[3]){t->slave, t->slave, t->slave}, plan->process->uid, e);
}

// ---- Namespaces

static int enter_new(const struct child_plan *plan, struct terminal *t, struct error *e) {
  const struct container_desc *d = &plan->container->desc;
  // Not at clone: the namespace's root is the cgroup of whoever makes it.
  if (unshare(CLONE_NEWCGROUP) < 0) return fail(e, errno, "cgroup namespace: %s", errno_text(errno));
  if (d->hostname != NULL && sethostname(d->hostname, strlen(d->hostname)) < 0)
    return fail(e, errno, "sethostname: %s", errno_text(errno));
  if (d->domainname != NULL && setdomainname(d->domainname, strlen(d->domainname)) < 0)
    return fail(e, errno, "setdomainname: %s", errno_text(errno));
  return rootfs_enter(plan, t, e);
}

static int enter_existing(const struct child_plan *plan, struct terminal *t, struct error *e) {
  // ESRCH: the container's first process has ended meanwhile.
  if (setns(plan->join_fd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0)
    return fail(e, errno, "cannot exec in a stopped container: %s", errno_text(errno));
  if (!plan->process->terminal) return 0;
  autoclose int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return terminal_open(root, t, e);
}

// ---- Identity

static int set_limits(const struct process_desc *p, struct error *e) {
  setrlimit(RLIMIT_NOFILE, &agent.nofile);  // the agent's own is higher
  for (size_t i = 0; i < p->n_rlimits; i++) {
    const struct rlimit_desc *l = &p->rlimits[i];
    struct rlimit64 r = {.rlim_cur = l->soft, .rlim_max = l->hard};
    if (prlimit64(0, (__rlimit_resource_t)l->resource, &r, NULL) < 0)
      return fail(e, errno, "error setting rlimit %u: %s", l->resource, errno_text(errno));
  }
  return 0;
}

// Drops from the bounding set what was not asked for. *can is the set that may be given: what the agent has itself, which in
// a guest is all that its kernel knows. As with runc, asking for more is no error.
static int bound_caps(uint64_t bounding, uint64_t *can, struct error *e) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return fail(e, errno, "capget: %s", errno_text(errno));
  *can = data[0].permitted | (uint64_t)data[1].permitted << 32;
  for (unsigned cap = 0; cap < 64; cap++) {
    int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
    if (has < 0) break;
    if (has == 1 && (bounding >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
      return fail(e, errno, "dropping capability %u: %s", cap, errno_text(errno));
  }
  return 0;
}

// extra is only had until execve, which takes no notice of the permitted set before it (capabilities(7)).
static int set_caps(const struct caps_desc *want, uint64_t can, uint64_t extra, struct error *e) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (unsigned half = 0; half < 2; half++) {
    unsigned shift = 32 * half;
    data[half].permitted = (uint32_t)(((want->permitted | extra) & can) >> shift);
    data[half].effective = (uint32_t)(((want->effective | extra) & can) >> shift);
    data[half].inheritable = (uint32_t)((want->inheritable & can) >> shift);
  }
  if (syscall(SYS_capset, &header, data) < 0) return fail(e, errno, "capset: %s", errno_text(errno));
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned cap = 0; cap < 64; cap++) {
    if ((want->ambient & can & UINT64_C(1) << cap) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
      return fail(e, errno, "raising ambient capability %u: %s", cap, errno_text(errno));
  }
  return 0;
}

static int no_cwd(const char *cwd, struct error *e) {
  int code = errno;
  char text[600];
  return fail(e, code, "chdir to cwd (%s) set in config.json failed: %s", quote(text, sizeof text, cwd), errno_text(code));
}

static int become(const struct process_desc *p, struct error *e) {
  if (set_limits(p, e) < 0) return -1;
  // A directory may be open to root only, or to the user only.
  bool in_cwd = chdir(p->cwd) == 0;
  if (!in_cwd && errno != EACCES) return no_cwd(p->cwd, e);

  uint64_t can = 0;
  if (bound_caps(p->caps.bounding, &can, e) < 0) return -1;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(e, errno, "keeping capabilities: %s", errno_text(errno));
  if (setgroups(p->n_groups, p->groups) < 0) return fail(e, errno, "setgroups: %s", errno_text(errno));
  if (setresgid(p->gid, p->gid, p->gid) < 0) return fail(e, errno, "setgid: %s", errno_text(errno));
  if (setresuid(p->uid, p->uid, p->uid) < 0) return fail(e, errno, "setuid: %s", errno_text(errno));
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (!in_cwd && chdir(p->cwd) < 0) return no_cwd(p->cwd, e);
  // Without no_new_privs a filter may be set by privilege only. It is set last all the same, so that a profile need not allow
  // what happens here.
  uint64_t extra = p->n_seccomp > 0 && !p->no_new_privileges ? UINT64_C(1) << CAP_SYS_ADMIN : 0;
  if (set_caps(&p->caps, can, extra, e) < 0) return -1;
  if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return fail(e, errno, "no_new_privs: %s", errno_text(errno));
  umask((mode_t)p->umask & 0777);
  return 0;
}

// ---- Environment and program

// The value of the last KEY= among the process's variables, NULL when there is none.
static const char *env_value(char *const *env, const char *key) {
  size_t len = strlen(key);
  const char *value = NULL;
  for (; *env != NULL; env++)
    if (strncmp(*env, key, len) == 0 && (*env)[len] == '=') value = *env + len + 1;
  return value;
}

// The home directory of a user by the container's /etc/passwd, "/" when it does not say. The file may be anything.
static void find_home(uint32_t uid, char *home, size_t size) {
  snprintf(home, size, "/");
  autoclose int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PASSWD_MAX) return;
  autofree char *text = calloc(1, (size_t)st.st_size + 1);
  if (text == NULL || read(fd, text, (size_t)st.st_size) < 0) return;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    char *field[6] = {0};  // name, password, uid, gid, comment, home
    for (int i = 0; i < 6; i++) field[i] = strsep(&line, ":");
    if (field[5] == NULL || field[2][0] == '\0') continue;
    char *end;
    unsigned long long n = strtoull(field[2], &end, 10);
    if (*end != '\0' || n != uid) continue;
    if (field[5][0] == '/') snprintf(home, size, "%s", field[5]);
    return;
  }
}

// Gives the process a HOME if it has none. The list of variables is the child's own copy.
static int add_home(const struct process_desc *p, char ***env, struct error *e) {
  static char variable[PATH_MAX + sizeof "HOME="];
  const char *home = env_value(p->envp, "HOME");
  *env = p->envp;
  if (home != NULL && home[0] != '\0') return 0;
  memcpy(variable, "HOME=", 5);
  find_home(p->uid, variable + 5, sizeof variable - 5);
  char **list = calloc(p->n_envp + 2, sizeof *list);
  if (list == NULL) return fail(e, ENOMEM, "out of memory");
  size_t n = 0;
  for (size_t i = 0; i < p->n_envp; i++)
    if (strncmp(p->envp[i], "HOME=", 5) != 0) list[n++] = p->envp[i];
  list[n] = variable;
  *env = list;
  return 0;
}

// 0 when the path is a program that may be run, otherwise an errno.
static int check_program(const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) return errno;
  if (S_ISDIR(st.st_mode)) return EISDIR;
  return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

// Finds argv[0] as runc does: a name with a slash as it is, another along the container's own PATH.
static int find_program(const struct process_desc *p, char *path, struct error *e) {
  const char *name = p->argv[0];
  char text[400];
  quote(text, sizeof text, name);
  if (strchr(name, '/') != NULL) {
    int code = check_program(name);
    if (code == EACCES || code == EISDIR) return fail(e, code, "exec: %s: %s", text, errno_text(code));
    if (code != 0) return fail(e, code, "exec: %s: stat %.400s: %s", text, name, errno_text(code));
    if (strlen(name) >= PATH_MAX) return fail(e, ENAMETOOLONG, "exec: %s: %s", text, errno_text(ENAMETOOLONG));
    memcpy(path, name, strlen(name) + 1);
    return 0;
  }
  const char *dirs = env_value(p->envp, "PATH");
  while (dirs != NULL && name[0] != '\0') {
    int len = (int)strcspn(dirs, ":");
    int n = snprintf(path, PATH_MAX, "%.*s%s%s", len, dirs, len == 0 ? "./" : "/", name);
    if (n < PATH_MAX && check_program(path) == 0) return 0;
    dirs = dirs[len] == ':' ? dirs + len + 1 : NULL;
  }
  return fail(e, ENOENT, "exec: %s: executable file not found in $PATH", text);
}

// By system call, since glibc keeps two signals to itself, and a parent may have had those ignored, too.
void reset_signals(void) {
  static const uint64_t zeros[8];  // SIG_DFL, no flags; or an empty set
  for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, zeros, NULL, NSIG / 8);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL, NSIG / 8);
}

static int set_oom_score(const struct process_desc *p, struct error *e) {
  char text[16];
  snprintf(text, sizeof text, "%d", p->has_oom_score_adj ? p->oom_score_adj : 0);
  if (write_file("/proc/self/oom_score_adj", text) == 0) return 0;
  return fail(e, errno, "oom_score_adj: %s", errno_text(errno));
}

// Answers only when something failed.
static int run(const struct child_plan *plan, struct error *e) {
  const struct process_desc *p = plan->process;
  struct terminal t = {-1, -1};
  char path[PATH_MAX], **env;
  setsid();
  // What is already inside must not trace this process while it still holds the agent's descriptors.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  close_others((int[5]){plan->stdio[0], plan->stdio[1], plan->stdio[2], plan->sync_fd, plan->join_fd}, 5);
  if (set_oom_score(p, e) < 0) return -1;
  if ((plan->join_fd < 0 ? enter_new(plan, &t, e) : enter_existing(plan, &t, e)) < 0) return -1;
  if ((p->terminal ? use_terminal(plan, &t, e) : take_stdio(plan->stdio, p->uid, e)) < 0) return -1;
  if (add_home(p, &env, e) < 0 || become(p, e) < 0 || find_program(p, path, e) < 0) return -1;
  if (hooks_run(p, HOOK_START_CONTAINER, -1, e) < 0) return -1;
  close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  report(plan->sync_fd, &(struct sync_message){.kind = SYNC_READY}, -1);
  reset_signals();
  if (seccomp_apply(p, e) < 0) return -1;
  execve(path, p->argv, env);
  int code = errno;
  return fail(e, code, "exec %.512s: %s", path, errno_text(code));
}

void child_main(const struct child_plan *plan) {
  static struct sync_message m = {.kind = SYNC_ERROR};
  run(plan, &m.error);
  report(plan->sync_fd, &m, -1);
  _exit(127);
}

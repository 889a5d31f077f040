// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../common/version.h"
#include "agent.h"
#include "once.h"

// Rounds of moving data before the loop looks for signals and new events again.
#define ROUNDS 32
#define KMSG_MAX 900

struct agent agent = {.modules_fd = -1, .pidns_fd = -1, .state_dir = "/run/vxn"};

static int epoll_fd = -1;

int watch_add(struct watch *w, uint32_t events, void (*fn)(struct watch *, uint32_t)) {
  w->fn = fn;
  struct epoll_event ev = {.events = events, .data.ptr = w};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, w->fd, &ev);
}

void watch_close(struct watch *w) {
  // By name, too: a forked child that has not closed its copy yet would keep the watch alive.
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
  close(w->fd);
  w->fd = -1;
}

void agent_log(const char *fmt, ...) {
  char text[VXN_TEXT_MAX + 1], line[KMSG_MAX];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  // The kernel's log takes a line by one write(2), and puts it on the console in its turn.
  autoclose int kmsg = agent.pid1 || agent.once ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC) : -1;
  snprintf(line, sizeof line - 1, "%svxn-agent: %.850s", kmsg >= 0 ? "<3>" : "", text);
  strcat(line, "\n");
  ssize_t n = write(kmsg >= 0 ? kmsg : STDERR_FILENO, line, strlen(line));
  (void)n;
  send_log(text);
}

static void child_signal(struct watch *w, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info[8];
  while (read(w->fd, info, sizeof info) > 0) continue;
  processes_reap();
}

static int watch_children(void) {
  static struct watch w;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
  signal(SIGPIPE, SIG_IGN);
  w.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return w.fd < 0 ? -1 : watch_add(&w, EPOLLIN, child_signal);
}

// Moves data until nothing moves. False when it stopped earlier.
static bool pump(void) {
  for (int i = 0; i < ROUNDS; i++) {
    bool moved = channel_pump();
    if (processes_pump()) moved = true;
    if (!moved || agent.stop) return true;
  }
  return false;
}

static void loop(void) {
  struct epoll_event events[64];
  bool idle = pump();
  while (!agent.stop) {
    int n = epoll_wait(epoll_fd, events, 64, idle ? containers_timeout() : 0);
    if (n < 0 && errno != EINTR) {
      agent_log("epoll_wait: %s", errno_text(errno));
      return;
    }
    for (int i = 0; i < n; i++) {
      struct watch *w = events[i].data.ptr;
      if (w->fd >= 0) w->fn(w, events[i].events);
    }
    if (n == 0 && idle) containers_check_disks();
    idle = pump();
    processes_collect();
    containers_collect();
    dns_collect();
  }
}

// The agent is the side that offers the channel, as with a vchan.
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

static struct vxn_transport *test_channel(const char *where, struct error *e) {
  char *end;
  long fd = strtol(where, &end, 10);
  if (*end != '\0' || end == where) fd = accept_one(where, e);
  struct vxn_transport *t = fd < 0 ? NULL : vxn_transport_socket((int)fd);
  if (t == NULL && fd >= 0) fail(e, errno, "%s: %s", where, errno_text(errno));
  return t;
}

// In a test the mounts stay in a namespace of the agent's own.
static int test_prepare(struct error *e) {
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(e, errno, "own mount namespace: %s", errno_text(errno));
  if (mkdir(agent.state_dir, 0700) < 0 && errno != EEXIST)
    return fail(e, errno, "%s: %s", agent.state_dir, errno_text(errno));
  return getrlimit(RLIMIT_NOFILE, &agent.nofile);
}

// In a guest of somebody else's, whose root is the container's disk already.
static int once_prepare(struct error *e) {
  agent.state_dir = "/dev/.vxn";
  if (once_open(agent.once, e) < 0 || test_prepare(e) < 0) return -1;
  boot_limits();
  return 0;
}

static _Noreturn void usage(int status) {
  fprintf(status == 0 ? stdout : stderr,
          "Usage: vxn-agent                     as the first process of a guest\n"
          "       vxn-agent --once FILE         one container as the program of a guest with another init\n"
          "       vxn-agent --socket FD|PATH --state DIR [--root DIR]    as a test on a host, as root\n"
          "  --once    what the host would say, as frames; FILE and its folder are removed\n"
          "  --socket  the channel: the number of an open descriptor, or a path to listen at for one connection\n"
          "  --state   folder for what containers need (mounts, bind areas)\n"
          "  --root    root of containers that name no disk; ROOT_DISK dir:/PATH works, too\n");
  exit(status);
}

static const char *parse_options(int argc, char **argv) {
  static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                          {"state", required_argument, NULL, 'd'},
                                          {"root", required_argument, NULL, 'r'},
                                          {"once", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  const char *socket_name = NULL, *state = NULL;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (c == 's') {
      socket_name = optarg;
    } else if (c == 'd') {
      state = optarg;
    } else if (c == 'o') {
      agent.once = optarg;
    } else if (c == 'r') {
      agent.test_root = optarg;
    } else {
      usage(c == 'h' ? 0 : 2);
    }
  }
  if (optind != argc) usage(2);
  if (agent.once != NULL && socket_name == NULL && state == NULL) return NULL;
  if (agent.once != NULL || socket_name == NULL || state == NULL) usage(2);
  agent.state_dir = state;
  return socket_name;
}

// Everything of one run; on return the guest has nothing more to do.
static int serve(const char *socket_name, struct error *e) {
  if (agent.pid1) {
    boot_mounts();
    mkdir(agent.state_dir, 0700);
    boot_modules("0-channel");
  } else if ((agent.once != NULL ? once_prepare(e) : test_prepare(e)) < 0) {
    return -1;
  }
  struct vxn_transport *t = agent.pid1          ? boot_channel(e)
                            : agent.once != NULL ? once_channel(e)
                                                 : test_channel(socket_name, e);
  if (t == NULL) return -1;
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  agent.pidns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  if (epoll_fd < 0 || agent.pidns_fd < 0 || watch_children() < 0)
    return fail(e, errno, "starting: %s", errno_text(errno));
  if (channel_open(t, e) < 0) return -1;
  send_hello();
  channel_pump();  // the host goes on while the rest is prepared
  if (agent.pid1) boot_modules("1-disk");
  if (agent.pid1) hotplug_watch();
  if (write_file("/proc/self/oom_score_adj", "-1000") < 0 && agent.pid1)
    agent_log("oom_score_adj: %s", errno_text(errno));
  cgroups_prepare();
  loop();
  return 0;
}

int main(int argc, char **argv) {
  if (getpid() != 1) say_version(argc, argv, "vxn-agent version " VXN_VERSION);
  struct error e;
  agent.began_ns = boot_ns();
  umask(0);
  // The kernel passes what it does not know of its command line to its first process.
  agent.pid1 = getpid() == 1 && (argc < 2 || (strcmp(argv[1], "--socket") != 0 && strcmp(argv[1], "--once") != 0));
  const char *socket_name = agent.pid1 ? NULL : parse_options(argc, argv);
  int rc = serve(socket_name, &e);
  if (rc < 0) agent_log("%s", e.text);
  if (rc < 0 && agent.once != NULL) fprintf(stderr, "vxn: %s\n", e.text);

  channel_pump();  // last words
  processes_kill();
  containers_unmount();
  if (agent.pid1) boot_power_off();
  processes_collect();
  containers_collect();
  if (agent.cgroup_base[0] != '\0') cgroup_remove(agent.cgroup_base);
  channel_close();
  if (agent.once != NULL) return once_finish();
  return rc < 0 ? 1 : 0;
}

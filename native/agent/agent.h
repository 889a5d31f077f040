// SPDX-License-Identifier: MIT
// The agent's state and the seams between its files. One thread, one epoll loop; nothing in it waits except mount(2).
#ifndef VXN_AGENT_AGENT_H
#define VXN_AGENT_AGENT_H

#include <sys/resource.h>
#include <sys/types.h>

#include "records.h"
#include "transport.h"
#include "util.h"

/// A file descriptor in the loop.
struct watch {
  int fd;
  void (*fn)(struct watch *w, uint32_t events);
};

enum { STREAM_STDOUT = 0, STREAM_STDERR = 1, STREAMS = 2 };

/// One direction from a process to the host.
struct stream {
  struct watch watch;
  uint32_t credit;
  bool open;
  bool readable;    ///< edge seen, EAGAIN not yet
  uint64_t remain;  ///< after the process's end: bytes still to be taken
};

/// stdin on its way to the process; the ring holds at most one window.
struct input {
  struct watch watch;
  uint8_t *ring;
  uint32_t head, have;
  uint32_t owed;   ///< taken from the host, CREDIT not yet given back
  uint32_t given;  ///< credit the host still has
  bool open, eof, writable;
};

enum process_state {
  PROCESS_QUEUED,    ///< its container waits for the disk
  PROCESS_STARTING,  ///< between clone and execve
  PROCESS_RUNNING,
  PROCESS_FAILED,  ///< host knows, kernel's zombie is awaited
  PROCESS_GONE,    ///< freed at the end of the round
};

struct process {
  struct process *next;
  uint32_t id;
  pid_t pid;  ///< 0: none, or reaped
  struct container *container;
  struct process_desc desc;
  enum process_state state;
  bool is_init, terminal, exited, about_to_exec;
  int status;  ///< of waitpid
  uint64_t ended_ns;
  uint16_t rows, cols;
  struct watch sync;  ///< reports of the child until its execve
  struct error error;
  struct input in;
  struct stream out[STREAMS];
};

enum container_state { CONTAINER_WAITING, CONTAINER_READY, CONTAINER_FAILED, CONTAINER_ENDED };

struct container {
  struct container *next;
  uint32_t id;
  enum container_state state;
  struct container_desc desc;
  struct error error;
  char dir[192];     ///< holds root/ and bind/
  char cgroup[224];  ///< empty without cgroup2
  int cgroup_fd;
  bool mounted_root, mounted_bind;
  uint64_t deadline_ns;
  struct process *init;
  int file_fd;  ///< the FILE that FILE_DATA goes to
  uint64_t file_mtime;
  struct dir_time *dir_times;
  size_t n_dir_times;
};

struct agent {
  bool pid1;              ///< the guest's init; false in a test on a host
  const char *once;       ///< the recording, in a guest with another init; NULL otherwise
  const char *state_dir;  ///< /run/vxn
  const char *test_root;  ///< root of containers without ROOT_DISK, in tests only
  char cgroup_base[160];  ///< where containers' cgroups are made; empty: none
  int modules_fd;         ///< /lib/vxn/modules of the initramfs, or -1
  int pidns_fd;           ///< our own PID namespace
  uint64_t began_ns;
  struct rlimit nofile;  ///< what a process gets unless it says otherwise
  bool stop;
  struct container *containers;
  struct process *processes;
};

extern struct agent agent;

// main.c: the loop
int watch_add(struct watch *w, uint32_t events, void (*fn)(struct watch *, uint32_t));
/// Closes the descriptor, too.
void watch_close(struct watch *w);
/// One line for the operator: console and host.
__attribute__((format(printf, 1, 2))) void agent_log(const char *fmt, ...);

// channel.c: frames to and from the host
int channel_open(struct vxn_transport *t, struct error *e);
void channel_close(void);
/// Moves what can be moved both ways. True when something was.
bool channel_pump(void);
/// Room for another frame of output?
bool channel_has_room(void);
/// Where the payload of the next output frame may be put; NULL without memory.
uint8_t *channel_reserve(size_t payload);
/// Sends the reserved payload.
void channel_commit(uint16_t type, uint32_t id, size_t payload);
void channel_send(uint16_t type, uint32_t id, const void *payload, size_t len);
void send_hello(void);
void send_failed(uint32_t id, const struct error *e);
void send_u32_u32(uint16_t type, uint32_t id, uint32_t a, uint32_t b);
void send_log(const char *text);

// container.c
void container_create(uint32_t id, const uint8_t *payload, size_t len);
void container_file(uint32_t id, const uint8_t *payload, size_t len);
void container_file_data(uint32_t id, const uint8_t *payload, size_t len);
struct container *container_find(uint32_t id);
/// Files are complete; called before the first process.
int container_seal(struct container *c, struct error *e);
/// The first process is gone: give back mounts and cgroup.
void container_end(struct container *c);
void container_signal_all(struct container *c, int signal);
/// Looks for what containers wait for (disks, the network), and gives up on those over time.
void containers_check_disks(void);
/// Milliseconds until the next deadline, -1: none.
int containers_timeout(void);
/// Frees ended containers that no process refers to.
void containers_collect(void);
/// At the end of everything: unmount.
void containers_unmount(void);
uint32_t container_pids(const struct container *c);

// network.c
/// NETWORK: what it wants is made as soon as its interfaces are there.
void network_request(const uint8_t *payload, size_t len);
/// 1: the network is up, or none was asked for; 0: interfaces are awaited; -1: it failed.
int network_ready(struct error *e);
/// What to say when the wait was in vain; answers -1.
int network_missing(struct error *e);

// lease.c
struct link_desc;
/// Asks for an address by DHCP and keeps it from then on; done is called once: NULL when it is there, or why it is not.
int lease_begin(const struct link_desc *l, int index, void (*done)(const struct error *), struct error *e);

// dns.c
/// Takes questions to port 53 of a loopback address (4 or 16 bytes).
int dns_listen(const uint8_t *address, size_t len, struct error *e);
/// An answer of the host; empty when there will be none.
void dns_answer(uint32_t id, const uint8_t *message, size_t len);
/// Frees the connections that have been closed, when no event of theirs is under way.
void dns_collect(void);

// process.c
void process_create(uint32_t id, const uint8_t *payload, size_t len);
struct process *process_find(uint32_t id);
void process_input(struct process *p, const uint8_t *data, size_t len);
void process_input_eof(struct process *p);
vxn_fault process_credit(struct process *p, uint32_t stream, uint32_t bytes);
void process_signal(struct process *p, int signal, bool all);
void process_resize(struct process *p, uint16_t rows, uint16_t cols);
/// Starts or fails the processes queued for a container whose state has changed.
void processes_release(struct container *c);
void processes_reap(void);
bool processes_pump(void);
void processes_collect(void);
void processes_kill(void);

// child.c: everything between clone and execve
struct child_plan {
  const struct container *container;
  const struct process_desc *process;
  int stdio[3];  ///< -1 each with a terminal
  int sync_fd;
  int join_fd;  ///< pidfd of the container's init to join, or -1
  uint16_t rows, cols;
};
enum { SYNC_TERMINAL = 'T', SYNC_READY = 'R', SYNC_ERROR = 'E' };
struct sync_message {
  char kind;
  struct error error;
};
_Noreturn void child_main(const struct child_plan *plan);

// rootfs.c: the child's view of the file system
struct terminal {
  int master, slave;  ///< -1: none yet
};
/// Opens a pseudo-terminal of the devpts found under rootfd.
int terminal_open(int rootfd, struct terminal *t, struct error *e);
/// Builds the container's mounts and makes its root the current root.
int rootfs_enter(const struct child_plan *plan, struct terminal *t, struct error *e);

/// As after a boot: every signal with its default, none blocked.
void reset_signals(void);

// hooks.c
/// Runs the hooks of a stage in order, in the root given, or in the current one with -1. Ends at the first that fails.
int hooks_run(const struct process_desc *p, enum hook_stage stage, int root, struct error *e);

// seccomp.c
/// Sets the process's filter, if it has one, for what the caller executes.
int seccomp_apply(const struct process_desc *p, struct error *e);

// boot.c: PID 1 only
void boot_mounts(void);
/// Raises the agent's own limits, and sets those of its processes.
void boot_limits(void);
/// Loads every module of a directory below /lib/vxn/modules, in order of name.
void boot_modules(const char *stage);
struct vxn_transport *boot_channel(struct error *e);
_Noreturn void boot_power_off(void);

// cgroup.c
/// Finds cgroup2 and makes the directory that containers' cgroups go to.
void cgroups_prepare(void);
/// Removes a cgroup and those below it.
void cgroup_remove(const char *path);

// hotplug.c
/// Puts processors to use that the guest gets while it runs.
void hotplug_watch(void);
/// What a message of the kernel's ("add@/devices/system/cpu/cpu1") asks for.
void hotplug_event(const char *text);
/// Messages were lost: every processor there is is to be used.
void hotplug_lost(void);

// stats.c
void stats_send(uint32_t id);

#endif

// SPDX-License-Identifier: MIT
// Containers: root disk, bind area and cgroup. A container waits until its disk and the network are
// there, and ends with its first process. Processes are not known here; they count themselves in
// `users`.
#ifndef VXN_AGENT_CONTAINER_H
#define VXN_AGENT_CONTAINER_H

#include "bind_area.h"
#include "cgroup.h"
#include "records.h"

enum container_state { CONTAINER_WAITING, CONTAINER_READY, CONTAINER_FAILED, CONTAINER_ENDED };

struct container {
  struct container *next;
  uint32_t id;
  enum container_state state;
  struct container_desc desc;
  struct error error;  ///< of CONTAINER_FAILED
  char dir[192];       ///< holds root/ and bind/
  bool mounted_root;
  struct bind_area bind;
  char cgroup[CGROUP_PATH_SIZE];  ///< empty without cgroup2
  int cgroup_fd;                  ///< -1 without cgroup2
  uint64_t deadline_ns;           ///< of CONTAINER_WAITING
  unsigned users;                 ///< processes that refer to it; it is not freed before they are
};

/// From now on fn is told of each container that is ready or has failed.
void containers_on_settled(void (*fn)(struct container *c));

/// CONTAINER. A container that failed makes way for another of its number.
void container_create(uint32_t id, const uint8_t *payload, size_t len);
/// FILE
void container_file(uint32_t id, const uint8_t *payload, size_t len);
/// FILE_DATA
void container_file_data(uint32_t id, const uint8_t *payload, size_t len);

/// The container of that number that has not ended, or NULL.
struct container *container_find(uint32_t id);

/// The first process is gone: gives the mounts back.
void container_end(struct container *c);

/// Milliseconds until the next container gives up waiting; -1: none waits.
int containers_timeout(void);
/// Looks for the things that containers wait for, and gives up on those whose time is over.
void containers_check(void);

/// How many processes the kernel counts in all containers.
uint32_t containers_pids(void);
/// Kills all processes of all containers, where there are cgroups.
void containers_kill(void);
/// Frees ended containers without users.
void containers_collect(void);
/// At the end of everything: unmounts.
void containers_unmount(void);

#endif

// SPDX-License-Identifier: MIT
// A container's bind area: a tmpfs that holds copies of the host's files (FILE, FILE_DATA) for its
// bind mounts.
#ifndef VXN_AGENT_BIND_AREA_H
#define VXN_AGENT_BIND_AREA_H

#include "error.h"
#include "pool.h"

struct bind_area {
  char path[208];
  bool mounted;
  int file_fd;  ///< the FILE that FILE_DATA goes to, or -1
  uint64_t file_mtime;
  struct dir_time *dir_times;
  size_t n_dir_times;
  struct pool pool;
};

/// An area at that path, not mounted yet.
void bind_area_init(struct bind_area *b, const char *path);

/// Makes the folder and mounts the area, with room for size bytes of content. 0, or -1 with *e.
int bind_area_mount(struct bind_area *b, uint64_t size, struct error *e);

/// Makes the entry of a FILE payload. 0, or -1 with *e.
int bind_area_entry(struct bind_area *b, const uint8_t *payload, size_t len, struct error *e);

/// Adds to the content of the last entry, a regular file. 0, or -1 with *e.
int bind_area_data(struct bind_area *b, const uint8_t *data, size_t len, struct error *e);

/// The area is complete: closes the last file and sets the times of folders. 0, or -1 with *e.
int bind_area_seal(struct bind_area *b, struct error *e);

/// Gives back memory and descriptor; the mount stays.
void bind_area_free(struct bind_area *b);

#endif

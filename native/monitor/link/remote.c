// SPDX-License-Identifier: MIT
#include "remote.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "stream.h"

static struct vxn_transport transport;
static struct stream stream;
static struct link_events on;

int remote_connect(const char *dir) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/control.sock", dir) >= (int)sizeof path) path[0] = '\0';
  return vxn_transport_unix(&transport, path);
}

static void wait_for_room(void) { poll(&(struct pollfd){.fd = transport.fd, .events = POLLOUT}, 1, -1); }

// False when the monitor has hung up.
static bool send_all(const char *bytes, size_t size) {
  for (;;) {
    ssize_t n = transport.write(&transport, bytes, size);
    if (n < 0) return false;
    bytes += n;
    size -= (size_t)n;
    if (size == 0) return true;
    wait_for_room();
  }
}

int remote_copy(int file) {
  static char chunk[8192];
  lseek(file, 0, SEEK_SET);  // the program that wrote the file shares its offset
  for (ssize_t n; (n = read(file, chunk, sizeof chunk)) != 0;) {
    if (n < 0) return -1;
    // The reason of a monitor that has hung up, if it gave one, is read later.
    if (!send_all(chunk, (size_t)n)) return 0;
  }
  return 0;
}

static vxn_fault frame(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (h->id != REMOTE_PROCESS) return "a frame of another process";
  return on.frame(h, payload);
}

// A monitor that hangs up without a word is gone with its domain, and the process with them.
static void closed(vxn_fault why) {
  on.closed(&(struct link_end){.why = why, .signal = why == NULL ? SIGKILL : 0});
}

static bool has_room(void) { return stream_has_room(&stream); }

static bool send_frame(uint16_t type, uint16_t flags, const void *payload, uint32_t length) {
  return stream_send(&stream, &(struct vxn_header){type, flags, REMOTE_PROCESS, length}, payload);
}

// The connection ends with this program, and that is how the monitor hears of it.
static void hang_up(int status) { (void)status; }

const struct link *remote_open(const struct link_events *events) {
  static const struct link link = {
      .process = REMOTE_PROCESS, .has_room = has_room, .send = send_frame, .hang_up = hang_up};
  static const struct stream_events stream_events = {frame, closed};
  on = *events;
  return stream_open(&stream, &transport, &stream_events) < 0 ? NULL : &link;
}

void remote_receive(void) { stream_receive(&stream); }

void remote_flush(void) { stream_flush(&stream); }

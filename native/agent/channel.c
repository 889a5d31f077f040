// SPDX-License-Identifier: MIT
#include "channel.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "send.h"
#include "watch.h"

static struct {
  struct vxn_transport *t;  // NULL: not open
  struct watch watch;
  struct vxn_parser parser;
  vxn_frame_fn take;
} ch;

static void wake_up(struct watch *w, uint32_t events) {
  (void)w;
  (void)events;
  if (ch.t->ack(ch.t) < 0) send_lost(errno_text(errno));
}

int channel_open(struct vxn_transport *t, vxn_frame_fn take, struct error *e) {
  ch.t = t;
  ch.take = take;
  ch.watch.fd = t->fd;
  vxn_parser_init(&ch.parser, VXN_FROM_HOST);
  log_also(send_log);
  if (watch_add(&ch.watch, t->events, wake_up) < 0) return fail(e, errno, "channel: %s", errno_text(errno));
  return 0;
}

bool channel_pump(void) {
  static uint8_t chunk[VXN_PAYLOAD_MAX];
  if (ch.t == NULL) return false;
  int written = send_flush(ch.t);
  if (written < 0) send_lost(errno_text(errno));
  bool moved = written > 0;
  if (watch_stopped() || !send_has_room()) return moved;
  ssize_t n = ch.t->read(ch.t, chunk, sizeof chunk);
  if (n == 0) return moved;
  if (n < 0) {
    send_lost(errno_text(errno));
    return moved;
  }
  vxn_fault fault = vxn_parser_feed(&ch.parser, chunk, (size_t)n, ch.take, NULL);
  if (fault != NULL) send_lost(fault);
  return true;
}

void channel_close(void) {
  log_also(NULL);
  if (ch.t != NULL) ch.t->close(ch.t);
  send_clear();
  memset(&ch, 0, sizeof ch);
}

// SPDX-License-Identifier: MIT
#include "send.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "clock.h"
#include "log.h"
#include "text.h"
#include "watch.h"

#define QUEUE_LIMIT (4 * VXN_PAYLOAD_MAX)
#define RELEASE_MAX 64

static struct {
  uint8_t *data;
  size_t head, tail, size;  // head..tail waits for the transport
} queue;

void send_lost(const char *why) {
  if (watch_stopped()) return;
  watch_stop();
  agent_log("the channel to the host is closed: %s", why);
}

bool send_has_room(void) { return queue.tail - queue.head < QUEUE_LIMIT; }

uint8_t *send_reserve(size_t payload) {
  size_t want = VXN_HEADER_SIZE + payload;
  if (queue.size - queue.tail < want && queue.head > 0) {
    memmove(queue.data, queue.data + queue.head, queue.tail - queue.head);
    queue.tail -= queue.head;
    queue.head = 0;
  }
  if (queue.size - queue.tail < want) {
    size_t size = queue.size == 0 ? 2 * QUEUE_LIMIT : 2 * queue.size;
    while (size - queue.tail < want) size *= 2;
    uint8_t *data = realloc(queue.data, size);
    if (data == NULL) {
      send_lost("out of memory");
      return NULL;
    }
    queue.data = data;
    queue.size = size;
  }
  return queue.data + queue.tail + VXN_HEADER_SIZE;
}

void send_commit(uint16_t type, uint32_t id, size_t payload) {
  vxn_put_header(queue.data + queue.tail, &(struct vxn_header){type, 0, id, (uint32_t)payload});
  queue.tail += VXN_HEADER_SIZE + payload;
}

void send_frame(uint16_t type, uint32_t id, const void *payload, size_t len) {
  uint8_t *to = send_reserve(len);
  if (to == NULL) return;
  if (len > 0) memcpy(to, payload, len);
  send_commit(type, id, len);
}

void send_u32_u32(uint16_t type, uint32_t id, uint32_t a, uint32_t b) {
  uint8_t payload[8];
  vxn_put32(payload, a);
  vxn_put32(payload + 4, b);
  send_frame(type, id, payload, sizeof payload);
}

void send_hello(uint64_t began_ns) {
  struct utsname names;
  uint8_t payload[20 + RELEASE_MAX];
  uname(&names);
  size_t release = strnlen(names.release, RELEASE_MAX);
  vxn_put32(payload, VXN_PROTOCOL_VERSION);
  vxn_put64(payload + 4, began_ns);
  vxn_put64(payload + 12, boot_ns());
  memcpy(payload + 20, names.release, release);
  send_frame(VXN_G_HELLO, 0, payload, 20 + release);
}

void send_failed(uint16_t type, uint32_t id, const struct error *e) {
  uint8_t payload[4 + VXN_TEXT_MAX];
  size_t len = strnlen(e->text, VXN_TEXT_MAX);
  memcpy(payload + 4, e->text, len);
  len = make_utf8((char *)payload + 4, len);
  vxn_put32(payload, (uint32_t)e->code);
  send_frame(type, id, payload, 4 + len);
}

void send_log(const char *text) {
  char line[VXN_TEXT_MAX];
  if (!send_has_room()) return;
  size_t len = strnlen(text, sizeof line);
  memcpy(line, text, len);
  send_frame(VXN_G_LOG, 0, line, make_utf8(line, len));
}

int send_flush(struct vxn_transport *t) {
  if (queue.head == queue.tail) return 0;
  ssize_t n = t->write(t, queue.data + queue.head, queue.tail - queue.head);
  if (n < 0) return -1;
  queue.head += (size_t)n;
  if (queue.head == queue.tail) queue.head = queue.tail = 0;
  return n > 0;
}

void send_clear(void) {
  free(queue.data);
  memset(&queue, 0, sizeof queue);
}

// SPDX-License-Identifier: MIT
// A hostile guest against the monitor. Real are the parser, the domain's part (routing, credit of clients, names), the
// in-process link and the holder of the first process with its credit windows. The channel, the control socket, the
// event loop and the files are not. Input: one byte of choices, one of chunk size, then the bytes of the guest. One
// translation unit, so that every input starts from the same state.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../monitor/host/monitor_log.c"
#include "../monitor/host/words.c"
#include "../monitor/link/local.c"
#include "../monitor/link/stream.c"

// Names that two files have to themselves.
#define link_ output_link
#define flush output_flush
#include "../monitor/process/output.c"
#undef link_
#undef flush
#define link_ stdin_link
#define src stdin_src
#include "../monitor/process/stdin.c"
#undef link_
#undef src
#define link_ streams_link
#include "../monitor/process/streams.c"
#undef link_
#define link_ holder_link
#include "../monitor/process/holder.c"
#undef link_
#include "../monitor/process/outcome.c"
#define plan first_plan_
#define lose first_lose
#define asked first_asked
#include "../monitor/process/first.c"
#undef plan
#undef lose
#undef asked

// Questions for names go to a socket that nobody reads.
#define socket fake_socket
#define connect fake_connect
#define loop_close really_close
static int fake_socket(int family, int type, int protocol);
static int fake_connect(int fd, const struct sockaddr *to, socklen_t len);
static void really_close(struct source *s);
#include "../monitor/domain/dns.c"
#undef socket
#undef connect
#undef loop_close
#include "../monitor/domain/death.c"
#define domid end_domid
#include "../monitor/domain/end.c"
#undef domid
#include "../monitor/domain/guest.c"
#include "../monitor/domain/hello.c"
#include "../monitor/domain/relay.c"
#include "../monitor/domain/stats.c"
#include "../monitor/domain/agent.c"

#define CHECK(what)                          \
  do {                                       \
    if (!(what)) {                           \
      fprintf(stderr, "broken: %s\n", #what); \
      abort();                               \
    }                                        \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct client {
  bool gone;
};

static struct client other;
static const uint8_t *guest_data;
static size_t guest_left, chunk_size;
static struct vxn_parser to_guest;
static int destroyed, stopped;
static uint64_t credited[2], received[2];
// Output that the other client got of each of its processes; it never gives credit.
static uint64_t relayed[3][2];

// ---- The channel

static ssize_t read_guest(struct vxn_transport *t, void *buf, size_t size) {
  (void)t;
  if (guest_left == 0) return -1;
  size_t n = guest_left < chunk_size ? guest_left : chunk_size;
  if (n > size) n = size;
  memcpy(buf, guest_data, n);
  guest_data += n;
  guest_left -= n;
  return (ssize_t)n;
}

// What the monitor sends has to be well-formed whatever the guest does.
static vxn_fault frame_to_guest(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (h->type == VXN_H_CREDIT && h->id == LOCAL_PROCESS) credited[vxn_get32(payload) - 1] += vxn_get32(payload + 4);
  return NULL;
}

static ssize_t write_guest(struct vxn_transport *t, const void *buf, size_t size) {
  (void)t;
  CHECK(vxn_parser_feed(&to_guest, buf, size, frame_to_guest, NULL) == NULL);
  return (ssize_t)size;
}

int guest_channel_open(struct vxn_transport *t, uint32_t id, const char *path) {
  (void)id, (void)path;
  *t = (struct vxn_transport){.read = read_guest, .write = write_guest};
  return 0;
}

// ---- The control socket

int control_listen(const char *path, const struct control_events *events) { return (void)path, (void)events, 0; }
void control_retry(void) {}
void control_drain(void) {}
pid_t control_pid(const struct client *c) { return (void)c, 1; }

void control_send(struct client *c, uint16_t type, uint32_t id, const void *payload, uint32_t length) {
  CHECK(!c->gone);
  CHECK(vxn_header_ok(VXN_FROM_MONITOR, &(struct vxn_header){type, 0, id, length}));
  // Reading all of it lets the sanitizer see that it is there.
  uint8_t sum = 0;
  for (uint32_t i = 0; i < length; i++) sum ^= ((const uint8_t *)payload)[i];
  static volatile uint8_t sink;
  sink = sum;
  (void)sink;
  if (c != &other || id < 5 || id > 7) return;
  uint64_t *sums = relayed[id - 5];
  if (type == VXN_G_EXIT || type == VXN_G_PROCESS_FAILED) sums[0] = sums[1] = 0;
  if (type != VXN_G_STDOUT && type != VXN_G_STDERR) return;
  uint64_t *sum_of = &sums[type == VXN_G_STDOUT ? 0 : 1];
  *sum_of += length;
  CHECK(*sum_of <= VXN_OUTPUT_WINDOW);
}

bool domain_ends_with_channel(void) { return false; }

// ---- Requests of the runtime

int gate_open(const char *dir, const char *name) { return (void)dir, (void)name, dup(STDIN_FILENO); }
void whole_file(const char *dir, const char *name, const char *text) { (void)dir, (void)name, (void)text; }
int requests_open(const char *dir, void (*frame_fn)(const struct vxn_header *h, const uint8_t *payload)) {
  return (void)dir, (void)frame_fn, 0;
}

static bool description_is_pending;

int description_open(const char *dir, const struct link *link) {
  return (void)dir, (void)link, description_is_pending = true, 0;
}
bool description_pending(void) { return description_is_pending; }
bool description_send(const struct link *link) {
  if (!description_is_pending || !link->has_room()) return true;
  description_is_pending = false;
  link->send(VXN_H_CONTAINER, 0, NULL, 0);
  link->send(VXN_H_PROCESS, 0, NULL, 0);
  return true;
}

// ---- The network

static int fake_socket(int family, int type, int protocol) {
  int pair[2];
  (void)family, (void)protocol;
  if (socketpair(AF_UNIX, type, 0, pair) < 0) return -1;
  close(pair[1]);
  return pair[0];
}

static int fake_connect(int fd, const struct sockaddr *to, socklen_t len) { return (void)fd, (void)to, (void)len, 0; }

static void really_close(struct source *s) {
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
}

void network_open(const struct domain_plan *plan_, void (*failed_fn)(const char *why)) { (void)plan_, (void)failed_fn; }
void network_start(const uint8_t *payload, uint32_t len) { (void)payload, (void)len; }
void network_domain(uint32_t id) { (void)id; }
bool network_busy(void) { return false; }
void network_turn(void) {}
void network_close(void) {}

// ---- Everything else

int loop_add(struct source *s) { return (void)s, 0; }
void loop_set(struct source *s, uint32_t events) { s->events = events; }
void loop_close(struct source *s) { s->fd = -1; }
void loop_run(void (*after)(void)) { (void)after; }
void loop_stop(void) { stopped++; }
void loop_again(void) {}
void timer_set(struct timer *t, int ms, void (*fire)(void)) { (void)t, (void)ms, (void)fire; }
void destroy_domain(const char *xl, uint32_t id, int hold_fd, const char *gone_path) {
  (void)xl, (void)id, (void)hold_fd, (void)gone_path, destroyed++;
}
int terminal_open(const struct terminal_plan *terminal_plan, struct stdio *stdio, const char **error) {
  (void)terminal_plan, (void)error;
  *stdio = (struct stdio){-1, -1, -1, true};
  return 0;
}
bool terminal_takes_signal(int signo, bool by_kernel) { return (void)signo, (void)by_kernel, false; }
bool terminal_is_open(void) { return false; }
void terminal_describe(const struct link *link) { (void)link; }
void terminal_resize(const struct link *link) { (void)link; }
void terminal_begin(void) {}
void terminal_end(void) {}
void backlog_write(struct output *o, const uint8_t *data, size_t len) { (void)o, (void)data, (void)len; }
void backlog_turn(struct output *o, const struct link *link) { (void)o, (void)link; }
bool backlog_empty(void) { return true; }
void console_init(const char *dir, void (*panic)(void)) { (void)dir, (void)panic; }
void console_open(const char *tty) { (void)tty; }
const char *console_panic(void) { return NULL; }
void record_open(struct record *r, const char *dir, const char *name, uint64_t limit) { (void)r, (void)dir, (void)name, (void)limit; }
// Whatever the guest does, each phase is stamped once.
static unsigned stamps;
void timeline_stamp(const char *phase, int64_t offset_ns) {
  (void)phase, (void)offset_ns;
  CHECK(++stamps <= 8);
}

void record_append(struct record *r, const void *head, size_t head_len, const void *data, size_t len) {
  (void)r, (void)head, (void)head_len;
  const uint8_t *line = data;
  CHECK(len > 0 && line[len - 1] == '\n');
  for (size_t i = 0; i < len - 1; i++) CHECK(line[i] >= 0x20 && line[i] != 0x7f);
}

void output_log_open(const char *dir, uint64_t limit) { (void)dir, (void)limit; }
void output_log_flush(void) {}
void output_log_append(const struct vxn_header *h, const uint8_t *payload) {
  CHECK(payload != NULL);
  received[h->type == VXN_G_STDOUT ? 0 : 1] += h->length;
}

// ---- One input

static void reset_holder(void) {
  state = HOLDER_WAITING;
  status = HOLDER_STATUS_LOST;
  first_asked = has_container = terminal_owed = description_is_pending = false;
  credit = VXN_STDIN_WINDOW;
  eof_owed = false;
  stdin_src = (struct source){.fd = -1};
  for (uint32_t i = 0; i < 2; i++) {
    free(out[i].ring);
    out[i] = (struct output){.src = {.fd = -1}, .stream = i + 1, .window = VXN_OUTPUT_WINDOW, .broken = true};
  }
}

static void reset_domain(void) {
  life = LIFE_BOOTING;
  last_status = STATUS_UNKNOWN;
  said = 0;
  asked = false;
  question = 0;
  n_askers = 0;
  crashed = lost = has_domain = false;
  dns_close();
  memset(procs, 0, sizeof procs);
  next_id = FIRST_ID;
  kills_owed = 0;
  stream.queued = 0;
  stream.open = stream.unread = false;
}

static void reset(void) {
  reset_holder();
  reset_domain();
  vxn_parser_init(&to_guest, VXN_FROM_HOST);
  other.gone = false;
  stamps = 0;
  destroyed = stopped = 0;
  memset(credited, 0, sizeof credited);
  memset(received, 0, sizeof received);
  memset(relayed, 0, sizeof relayed);
}

static const uint8_t nothing[8];

// A socket that nobody reads from, full already.
static int full_socket = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static const struct domain_plan domain_plan = {.dir = "/nonexistent", .log_dir = "/nonexistent", .xl = "xl"};
  static const struct first_plan process_plan = {.run_dir = "/nonexistent", .log_dir = "/nonexistent"};
  (void)argc, (void)argv;
  int pair[2];
  const char *error;
  CHECK(agent_open(&domain_plan, &error) == 0 && first_open(&process_plan, &error) == 0);
  static const char bytes[4096];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  full_socket = pair[0];
  CHECK(dns_add_resolver((const uint8_t[4]){127, 0, 0, 11}, 4) == 0);
  while (send(full_socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
  return 0;
}

// Output's content is of no interest, its amount is: in this form of the input only its headers are there, and windows
// are within reach of a few hundred bytes.
static size_t expand(const uint8_t *data, size_t size, uint8_t *to, size_t room) {
  size_t n = 0;
  while (size >= VXN_HEADER_SIZE && n + VXN_FRAME_MAX <= room) {
    struct vxn_header h;
    bool fine = vxn_get_header(data, &h);
    memcpy(to + n, data, VXN_HEADER_SIZE);
    n += VXN_HEADER_SIZE;
    data += VXN_HEADER_SIZE;
    size -= VXN_HEADER_SIZE;
    if (!fine) break;
    bool output = h.type == VXN_G_STDOUT || h.type == VXN_G_STDERR;
    size_t given = output ? 0 : h.length < size ? h.length : size;
    memcpy(to + n, data, given);
    memset(to + n + given, 0, h.length - given);
    n += h.length;
    data += given;
    size -= given;
  }
  return n;
}

static bool starts, execs, leaves, asks;
static unsigned frames;

// The host's side acts between any two frames of the guest's.
static vxn_fault guest_frame(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  vxn_fault fault = stream.on.frame(ctx, h, payload);
  if (fault != NULL) return fault;
  frames++;
  if (life == LIFE_READY && starts) {
    from_runtime(&(struct vxn_header){VXN_M_START, 0, 0, 0}, nothing);
    first_turn();
  }
  if (asks && life != LIFE_BOOTING && !other.gone)
    from_client(&other, &(struct vxn_header){VXN_H_STATS, 0, 8, 0}, nothing);
  if (life != LIFE_RUNNING || other.gone) return NULL;
  if (execs) from_client(&other, &(struct vxn_header){VXN_H_PROCESS, 0, 5 + frames % 3, 0}, nothing);
  if (leaves && frames % 8 == 7) {
    other.gone = true;
    client_gone(&other);
  }
  return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  starts = data[0] & 1, execs = data[0] & 2, leaves = data[0] & 4, asks = data[0] & 32, frames = 0;
  bool slow = data[0] & 8, compact = data[0] & 16;
  static uint8_t expanded[1 << 20];
  reset();
  chunk_size = ((size_t)data[1] + 1) * (compact ? 256 : 1);
  guest_data = data + 2;
  guest_left = size - 2;
  if (compact) {
    guest_left = expand(guest_data, guest_left, expanded, sizeof expanded);
    guest_data = expanded;
  }
  agent_domain(1);
  agent_served("/x");
  // A reader that takes nothing: what the guest sends is kept, within its window.
  if (slow) out[0].broken = false, out[0].socket = true, out[0].src.fd = full_socket;
  for (int turn = 0; stream.open && turn < 4096; turn++) {
    // One chunk a turn, so that the host's side gets its turn between any two.
    const uint8_t *whole = guest_data;
    size_t all = guest_left;
    guest_left = all < chunk_size ? all : chunk_size;
    size_t now = guest_left;
    static uint8_t buf[65536];
    memcpy(buf, whole, now);
    guest_data = whole + now;
    guest_left = all - now;
    if (now == 0) {
      finish(&stream, NULL);
      break;
    }
    vxn_fault fault = vxn_parser_feed(&stream.parser, buf, now, guest_frame, NULL);
    if (fault != NULL) finish(&stream, fault);
    first_turn();
    guest_flush();
    CHECK(stream.queued <= STREAM_QUEUE);
    dns_turn();
    for (int i = 0; i < 2; i++) {
      CHECK(out[i].window <= VXN_OUTPUT_WINDOW && out[i].len <= VXN_OUTPUT_WINDOW);
      // What broke the rule is recorded before it is found.
      CHECK(!stream.open || received[i] <= VXN_OUTPUT_WINDOW + credited[i]);
    }
  }
  // However it went: one end, one destroy, a status that an engine can read.
  CHECK(destroyed <= 1);
  CHECK(destroyed == (life == LIFE_ENDED));
  CHECK((state == HOLDER_ENDED) == (life == LIFE_ENDED));
  CHECK(status >= 0 && status <= 255);
  domain_ended(DOMAIN_GONE);
  CHECK(state == HOLDER_ENDED && life == LIFE_ENDED && destroyed == 1);
  return 0;
}

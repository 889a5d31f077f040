// SPDX-License-Identifier: MIT
#include "protocol.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "records.h"
#include "text.h"

static uint8_t bytes[200000], payload_bytes[100000];

struct seen {
  size_t frames;
  struct vxn_header h;
  uint8_t payload[VXN_PAYLOAD_MAX];
};

static vxn_fault see(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  struct seen *s = ctx;
  s->frames++;
  s->h = *h;
  memcpy(s->payload, payload, h->length);
  return NULL;
}

static struct vxn_parser parser;
static struct seen seen;

static vxn_fault parse(enum vxn_sender from, size_t len, size_t chunk) {
  vxn_fault fault = NULL;
  vxn_parser_init(&parser, from);
  memset(&seen, 0, sizeof seen);
  for (size_t at = 0; at < len; at += chunk)
    fault = vxn_parser_feed(&parser, bytes + at, len - at < chunk ? len - at : chunk, see, &seen);
  return fault;
}

static const size_t chunks[] = {1, 2, 5, 11, 12, 13, 4096, sizeof bytes};

static const char *const senders[] = {"host", "guest", "client", "monitor", "fifo", "file"};

static bool may_send(enum vxn_sender from, const char *list) {
  char copy[64], *rest = copy;
  snprintf(copy, sizeof copy, "%s", list);
  for (char *name; (name = strsep(&rest, ",")) != NULL;)
    if (strcmp(name, senders[from]) == 0) return true;
  return false;
}

static size_t commas(const char *text) {
  size_t n = 0;
  for (; *text != '\0'; text++) n += *text == ',';
  return n;
}

static void decoded(const char *name, enum vxn_sender from, size_t len, size_t chunk, const struct vxn_header *h) {
  vxn_fault fault = parse(from, len, chunk);
  if (fault != NULL || seen.frames != 1) FAIL("%s: %zu frames, %s", name, seen.frames, fault == NULL ? "ok" : fault);
  if (memcmp(&seen.h, h, sizeof *h) != 0 || memcmp(seen.payload, payload_bytes, h->length) != 0)
    FAIL("%s: decoded otherwise in chunks of %zu", name, chunk);
}

static void frame_vector(char **f) {
  struct vxn_header h = {(uint16_t)strtoul(f[1], NULL, 16), (uint16_t)strtoul(f[2], NULL, 10),
                         (uint32_t)strtoul(f[3], NULL, 10), 0};
  size_t payload = from_hex(f[4], payload_bytes, sizeof payload_bytes);
  size_t len = from_hex(f[5], bytes, sizeof bytes);
  h.length = (uint32_t)payload;
  uint8_t head[VXN_HEADER_SIZE];
  vxn_put_header(head, &h);
  if (memcmp(head, bytes, sizeof head) != 0) FAIL("%s: header encoded otherwise", f[0]);
  size_t taken = 0;
  for (enum vxn_sender from = VXN_FROM_HOST; from <= VXN_FROM_FILE; from++) {
    if (!may_send(from, f[6])) {
      if (parse(from, len, sizeof bytes) == NULL) FAIL("%s: taken from %s", f[0], senders[from]);
      continue;
    }
    taken++;
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) decoded(f[0], from, len, chunks[i], &h);
  }
  CHECK_INT(taken, 1 + commas(f[6]));
}

static void frames(void) { CHECK(each_vector("frames.txt", 7, frame_vector) > 20); }

static void classes(void) {
  CHECK_INT(vxn_class(VXN_G_LOG), VXN_CLASS_DOMAIN);
  CHECK_INT(vxn_class(VXN_H_FILE), VXN_CLASS_CONTAINER);
  CHECK_INT(vxn_class(VXN_G_CONTAINER_FAILED), VXN_CLASS_CONTAINER);
  CHECK_INT(vxn_class(VXN_G_EXIT), VXN_CLASS_PROCESS);
  CHECK_INT(vxn_class(VXN_M_STATUS_REPLY), VXN_CLASS_MONITOR);
}

static void bad_frame_vector(char **f) {
  size_t len = from_hex(f[1], bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
    vxn_fault fault = parse(VXN_FROM_GUEST, len, chunks[i]);
    if (fault == NULL || strcmp(fault, f[2]) != 0) FAIL("%s: %s", f[0], fault == NULL ? "no fault" : fault);
    if (vxn_parser_feed(&parser, bytes, 1, see, &seen) != fault) FAIL("%s: the fault does not stay", f[0]);
  }
}

static void bad_frames(void) { CHECK(each_vector("bad-frames.txt", 3, bad_frame_vector) > 10); }

static void largest_frame(void) {
  struct vxn_header h = {VXN_G_STDOUT, 0, 3, VXN_PAYLOAD_MAX};
  vxn_put_header(bytes, &h);
  for (size_t i = 0; i < VXN_PAYLOAD_MAX; i++) bytes[VXN_HEADER_SIZE + i] = (uint8_t)(i * 31);
  memcpy(bytes + VXN_FRAME_MAX, bytes, VXN_FRAME_MAX);
  CHECK(parse(VXN_FROM_GUEST, 2 * VXN_FRAME_MAX, 7777) == NULL);
  CHECK_INT(seen.frames, 2);
  CHECK(memcmp(seen.payload, bytes + VXN_HEADER_SIZE, VXN_PAYLOAD_MAX) == 0);
}

static void record_vector(char **f) {
  size_t left = from_hex(f[2], bytes, sizeof bytes);
  const uint8_t *p = bytes;
  struct vxn_record r;
  int got;
  if (strcmp(f[1], "malformed") == 0) {
    while ((got = vxn_next_record(&p, &left, &r)) == 1) continue;
    if (got != -1) FAIL("%s: taken", f[0]);
    return;
  }
  char *rest = f[1];
  for (char *item; *f[1] != '\0' && (item = strsep(&rest, " ")) != NULL;) {
    char *value = strchr(item, '=') + 1;
    size_t len = from_hex(value, payload_bytes, sizeof payload_bytes);
    if (vxn_next_record(&p, &left, &r) != 1) FAIL("%s: record missing", f[0]);
    if (r.tag != strtoul(item, NULL, 16) || r.length != len || memcmp(r.value, payload_bytes, len) != 0)
      FAIL("%s: record 0x%04x differs", f[0], r.tag);
  }
  if (vxn_next_record(&p, &left, &r) != 0) FAIL("%s: more records", f[0]);
}

static void records(void) { CHECK(each_vector("records.txt", 3, record_vector) > 10); }

// ---- The agent's reading of descriptions

static size_t put_record(size_t at, uint16_t tag, const void *value, size_t len) {
  vxn_put16(bytes + at, tag);
  vxn_put16(bytes + at + 2, 0);
  vxn_put32(bytes + at + 4, (uint32_t)len);
  memcpy(bytes + at + 8, value, len);
  return at + 8 + len;
}

static int process_of(uint16_t tag, const void *value, size_t len, struct error *e) {
  struct process_desc d = {0};
  size_t n = put_record(0, VXN_T_ARG, "x", 1);
  n = put_record(n, tag, value, len);
  int rc = parse_process(&d, bytes, n, e);
  pool_free(&d.pool);
  return rc;
}

static int container_of(uint16_t tag, const void *value, size_t len, struct error *e) {
  struct container_desc d = {0};
  int rc = parse_container(&d, bytes, put_record(0, tag, value, len), e);
  pool_free(&d.pool);
  return rc;
}

static void descriptions(void) {
  struct process_desc d = {0};
  struct error e;
  size_t n = 0;
  for (int i = 0; i < 9; i++) {
    char arg[2] = {(char)('a' + i), 0};
    n = put_record(n, VXN_T_ARG, arg, 1);
  }
  n = put_record(n, VXN_T_TERMINAL, "\x18\0\x50\0", 4);
  CHECK(parse_process(&d, bytes, n, &e) == 0);
  CHECK_INT(d.n_argv, 9);
  CHECK_STR(d.argv[8], "i");
  CHECK(d.argv[9] == NULL);
  CHECK(d.envp[0] == NULL);
  CHECK_INT(d.rows, 24);
  CHECK_INT(d.cols, 80);
  CHECK_INT(d.umask, 022);
  pool_free(&d.pool);
}

// What the vectors of test/channel/description.test.ts mean to the agent.
static void meaning_vector(char **f) {
  bool hook = strcmp(f[0], "hook") == 0;
  if (!hook && strcmp(f[0], "seccomp") != 0) return;
  struct process_desc d = {0};
  struct error e;
  size_t n = put_record(0, VXN_T_ARG, "x", 1);
  n = put_record(n, VXN_T_INIT, "", 0);
  n += from_hex(f[2], bytes + n, sizeof bytes - n);
  if (parse_process(&d, bytes, n, &e) < 0) FAIL("%s: %s", f[0], e.text);
  if (hook) {
    CHECK_INT(d.n_hooks, 1);
    const struct hook_desc *h = &d.hooks[0];
    CHECK_INT(h->stage, HOOK_START_CONTAINER);
    CHECK_STR(h->path, "/sbin/ldconfig");
    CHECK(strcmp(h->argv[0], "ldconfig") == 0 && strcmp(h->argv[1], "-v") == 0 && h->argv[2] == NULL);
    CHECK(strcmp(h->envp[0], "A=b") == 0 && h->envp[1] == NULL);
    CHECK_INT(h->timeout, 10);
    CHECK_STR(h->input, "{\"pid\":1}");
  } else {
    CHECK_INT(d.seccomp_flags, 4);
    CHECK_INT(d.n_seccomp, 1);
    CHECK_INT(d.seccomp[0].code, 6);
    CHECK_INT(d.seccomp[0].k, 0x7fff0000);
  }
  pool_free(&d.pool);
}

static void meanings(void) { CHECK(each_vector("records.txt", 3, meaning_vector) > 10); }

static void bad_descriptions(void) {
  struct error e;
  struct process_desc none = {0};
  CHECK(parse_process(&none, bytes, 0, &e) < 0);
  pool_free(&none.pool);
  CHECK_HAS(e.text, "at least one argument");
  CHECK(process_of(VXN_T_ARG, "a\0b", 3, &e) < 0);
  CHECK_HAS(e.text, "NUL");
  CHECK(process_of(0x05ff, "", 0, &e) < 0);
  CHECK_HAS(e.text, "unknown record 0x05ff in PROCESS");
  CHECK(process_of(VXN_T_SECCOMP, "", 0, &e) < 0);
  CHECK(process_of(VXN_T_UID, "abc", 3, &e) < 0);
  CHECK(process_of(VXN_T_INIT, "x", 1, &e) < 0);
  CHECK(process_of(VXN_T_CAPS, bytes + 1000, 39, &e) < 0);
  CHECK(process_of(VXN_T_CWD, "tmp", 3, &e) < 0);
  CHECK(process_of(VXN_T_RLIMIT, "\x63\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 24, &e) < 0);
  CHECK(container_of(VXN_T_SYSCTL, "no-value", 8, &e) < 0);
  CHECK(container_of(VXN_T_SYSCTL, "\0x", 2, &e) < 0);
  CHECK(container_of(VXN_T_SYSCTL, "a\0b\0c", 5, &e) < 0);
  CHECK(container_of(VXN_T_SYSCTL, "", 0, &e) < 0);
  CHECK(container_of(VXN_T_MOUNT, "", 0, &e) < 0);
  CHECK(container_of(VXN_T_MOUNT, "\x01\x02\0\0\xff\0\0\0", 8, &e) < 0);
  CHECK(container_of(VXN_T_DEVICE, "", 0, &e) < 0);
}

static void plain_paths(void) {
  static const char *const good[] = {"0", "0/a", "12/a/b.c", "0/..a", "0/a..", "..."};
  static const char *const bad[] = {"", "/", "/0", "0/", "0//a", ".", "..", "0/..", "0/./a", "../0", "0/../1"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    if (!is_plain_path(good[i])) FAIL("refused: %s", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (is_plain_path(bad[i])) FAIL("taken: %s", bad[i]);
}

static void texts(void) {
  static const struct {
    const char *in, *out;
  } cases[] = {{"plain", "plain"},
               {"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"},
               {"a\xff\xc0\x80z", "a???z"},
               {"\xed\xa0\x80", "???"},
               {"cut\xe2\x82", "cut"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[32];
    snprintf(text, sizeof text, "%s", cases[i].in);
    text[make_utf8(text, strlen(text))] = '\0';
    CHECK_STR(text, cases[i].out);
  }
  char quoted[16];
  CHECK_STR(quote(quoted, sizeof quoted, "a\"b\\\n\x01"), "\"a\\\"b\\\\\\n...\"");
  CHECK_STR(quote(quoted, sizeof quoted, ""), "\"\"");
  CHECK_STR(errno_text(2), "no such file or directory");
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"frames are encoded and decoded", frames},
      {"the class of a type", classes},
      {"frames that break a rule", bad_frames},
      {"the largest frame", largest_frame},
      {"records", records},
      {"descriptions", descriptions},
      {"filters and hooks of the shared vectors", meanings},
      {"descriptions that break a rule", bad_descriptions},
      {"paths of the bind area", plain_paths},
      {"texts", texts},
  };
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}

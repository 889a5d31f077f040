// SPDX-License-Identifier: MIT
// A hostile guest's console against the marker parser. Input: one byte of chunk size, then the console. However it is cut
// into pieces, the same output and the same status have to come of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../monitor/domain/marker.c"

#define CHECK(what)                          \
  do {                                       \
    if (!(what)) {                           \
      fprintf(stderr, "broken: %s\n", #what); \
      abort();                               \
    }                                        \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
  uint8_t *data;
  size_t len;
  int status;
  char error[MARKER_TEXT_MAX + 1];
};

static struct result *now;

static void output(const uint8_t *data, size_t len) {
  CHECK(len > 0);
  memcpy(now->data + now->len, data, len);
  now->len += len;
}

static struct result console(const uint8_t *data, size_t size, size_t chunk) {
  static struct marker m;
  struct result r = {.data = malloc(size + 1)};
  CHECK(r.data != NULL);
  now = &r;
  marker_init(&m, output);
  for (size_t at = 0; at < size; at += chunk) {
    marker_feed(&m, data + at, size - at < chunk ? size - at : chunk);
    CHECK(r.len <= at + chunk);
    CHECK(marker_status(&m) >= -1 && marker_status(&m) <= 255);
    CHECK(!marker_done(&m) || marker_status(&m) >= 0);
  }
  marker_finish(&m);
  CHECK(r.len <= size);
  r.status = marker_status(&m);
  if (marker_error(&m) != NULL) strcpy(r.error, marker_error(&m));
  for (const char *c = r.error; *c != '\0'; c++) CHECK(*c >= ' ' && *c <= '~');
  return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct result whole = console(data + 1, size - 1, size), cut = console(data + 1, size - 1, data[0] + (size_t)1);
  CHECK(whole.len == cut.len && memcmp(whole.data, cut.data, whole.len) == 0);
  CHECK(whole.status == cut.status && strcmp(whole.error, cut.error) == 0);
  free(whole.data);
  free(cut.data);
  return 0;
}

// SPDX-License-Identifier: MIT
// The marker protocol, as a guest's console may bring it: whole, in pieces, broken and forged.
#include <stdlib.h>
#include <string.h>

#include "../monitor/domain/marker.c"
#include "harness.h"

#define BEGIN "[    0.1] Linux\r\n=== vxn Init ===\r\n===OUTPUT_START===\r\n"
#define CODE(n) "===OUTPUT_END===\r\n===EXIT_CODE=" n "===\r\n"
#define BYE "=== Shutting down gracefully ===\r\n"

static struct marker m;
static uint8_t got[1 << 20];
static size_t got_len;
static unsigned calls;

static void output(const uint8_t *data, size_t len) {
  CHECK(len > 0 && got_len + len <= sizeof got);
  memcpy(got + got_len, data, len);
  got_len += len;
  calls++;
}

static void begin(void) {
  got_len = calls = 0;
  marker_init(&m, output);
}

static void feed(const char *text, size_t len) { marker_feed(&m, (const uint8_t *)text, len); }

// In a block of its own size, so that the sanitizer sees a byte too many.
static void feed_exact(const char *text, size_t len) {
  char *copy = malloc(len + (len == 0));
  CHECK(copy != NULL);
  memcpy(copy, text, len);
  feed(copy, len);
  free(copy);
}

struct stream {
  const char *what, *console, *output, *error;
  int status;
  bool done;
};

static const struct stream streams[] = {
    {"a line", BEGIN "hello\r\n" CODE("0"), "hello\n", NULL, 0, false},
    {"its guest shutting down", BEGIN "hello\r\n" CODE("7") BYE, "hello\n", NULL, 7, true},
    {"no output", BEGIN CODE("3"), "", NULL, 3, false},
    {"the highest status", BEGIN CODE("255"), "", NULL, 255, false},
    {"output without a last line feed", BEGIN "hello" CODE("0"), "hello", NULL, 0, false},
    {"output that ends in equal signs", BEGIN "x===" CODE("1"), "x===", NULL, 1, false},
    {"carriage returns of the program", BEGIN "a\r\r\nb\rc\r\r\r\n\r" CODE("0"), "a\r\nb\rc\r\r\n\r", NULL, 0, false},
    {"nothing at all", "", "", NULL, -1, false},
    {"no marker", "Linux\r\nKernel panic\r\n", "", NULL, -1, false},
    {"only the begin", BEGIN "half\r\nof it", "half\nof it", NULL, -1, false},
    {"an end that is cut in its name", BEGIN "text\r\n===OUTPUT_EN", "text\n===OUTPUT_EN", NULL, -1, false},
    {"an end without a status", BEGIN "text\r\n===OUTPUT_END===\r\n", "text\n", NULL, -1, false},
    {"an end whose status is cut", BEGIN "text\r\n===OUTPUT_END===\r\n===EXIT_CODE=7", "text\n", NULL, -1, false},
    {"an end without its line feed", BEGIN "text\r\n===OUTPUT_END===\r\n===EXIT_CODE=7===", "text\n", NULL, 7, false},
    {"a begin within a line", "junk ===OUTPUT_START===\r\nx" CODE("0"), "x", NULL, 0, false},
    {"a begin with more behind it", "===OUTPUT_START=== \r\n===OUTPUT_START===x\r\n", "", NULL, -1, false},
    {"a second begin", BEGIN "===OUTPUT_START===\r\nx" CODE("0"), "===OUTPUT_START===\nx", NULL, 0, false},
    {"an end marker of the program", BEGIN "a\r\n===OUTPUT_END===\r\nb\r\n" CODE("0"), "a\n===OUTPUT_END===\nb\n", NULL, 0, false},
    {"a status of the program", BEGIN "===EXIT_CODE=9===\r\n" CODE("0"), "===EXIT_CODE=9===\n", NULL, 0, false},
    {"both of the program", BEGIN "a\r\n" CODE("9") "b\r\n" CODE("0") BYE,
     "a\n===OUTPUT_END===\n===EXIT_CODE=9===\nb\n", NULL, 0, true},
    {"both, twice", BEGIN CODE("9") CODE("8"), "===OUTPUT_END===\n===EXIT_CODE=9===\n", NULL, 8, false},
    {"an end in an end", BEGIN "===OUTPUT_END===\r\n===EXIT_CODE=" CODE("4"), "===OUTPUT_END===\n===EXIT_CODE=", NULL, 4, false},
    {"equal signs before the end", BEGIN "====" CODE("5"), "====", NULL, 5, false},
    {"words after the status", BEGIN "x\r\n" CODE("1") "umount: busy\r\n" BYE, "x\n", NULL, 1, false},
    {"a status beyond 255", BEGIN "x" CODE("256"), "x", "exit status that is none", 255, false},
    {"the largest number that is read", BEGIN "x" CODE("999999999"), "x", "exit status that is none", 255, false},
    {"a number that is too long", BEGIN "x===OUTPUT_END===\r\n===EXIT_CODE=9999999999===",
     "x===OUTPUT_END===\n===EXIT_CODE=9999999999===", NULL, -1, false},
    {"a negative status", BEGIN CODE("-1"), "===OUTPUT_END===\n===EXIT_CODE=-1===\n", NULL, -1, false},
    {"an empty status", BEGIN CODE(""), "===OUTPUT_END===\n===EXIT_CODE====\n", NULL, -1, false},
    {"a status without output", "===EXIT_CODE=12===\r\n", "", NULL, 12, false},
    {"a failing init", "x\r\n===ERROR===\r\nNo container rootfs\r\nContents:\r\n\x1b[31mbin\r\n", "",
     "No container rootfs Contents: [31mbin", -1, false},
    {"a failing init, cut", "===ERROR===\r\nNo comm", "", "No comm", -1, false},
    {"an init that failed and went on", "===ERROR===\r\nwhy\r\n===OUTPUT_START===\r\nx" CODE("0"), "x", NULL, 0, false},
    {"line feeds alone", "===OUTPUT_START===\nx\ny\n===OUTPUT_END===\n===EXIT_CODE=2===\n", "x\ny\n", NULL, 2, false},
};

static void expect(const struct stream *s, const char *how, size_t at) {
  marker_finish(&m);
  if (got_len != strlen(s->output) || memcmp(got, s->output, got_len) != 0)
    FAIL("%s, %s %zu: got \"%.*s\"", s->what, how, at, (int)got_len, (const char *)got);
  if (marker_status(&m) != s->status) FAIL("%s, %s %zu: status %d", s->what, how, at, marker_status(&m));
  if (marker_done(&m) != s->done) FAIL("%s, %s %zu: done is %d", s->what, how, at, marker_done(&m));
  const char *error = marker_error(&m);
  if ((error == NULL) != (s->error == NULL)) FAIL("%s: error \"%s\"", s->what, error == NULL ? "" : error);
  if (error != NULL) CHECK_HAS(error, s->error);
}

#define EACH(s) for (const struct stream *s = streams; s < streams + sizeof streams / sizeof *streams; s++)

static void whole(void) {
  EACH(s) {
    begin();
    feed_exact(s->console, strlen(s->console));
    expect(s, "whole", 0);
  }
}

static void split_everywhere(void) {
  EACH(s) {
    size_t len = strlen(s->console);
    for (size_t at = 0; at <= len; at++) {
      begin();
      feed_exact(s->console, at);
      feed_exact(s->console + at, len - at);
      expect(s, "split at", at);
    }
  }
}

static void byte_by_byte(void) {
  EACH(s) {
    begin();
    for (size_t i = 0; s->console[i] != '\0'; i++) feed_exact(s->console + i, 1);
    expect(s, "bytes", 1);
  }
}

static void output_is_passed_on_at_once(void) {
  begin();
  feed(BEGIN "one\r\n", sizeof BEGIN "one\r\n" - 1);
  CHECK_INT(got_len, 4);
  feed("two=", 4);
  CHECK_INT(got_len, 7);  // what may begin a marker waits
  feed("x", 1);
  CHECK_INT(got_len, 9);
  CHECK_INT(marker_status(&m), -1);
}

static void every_byte_value(void) {
  static uint8_t all[2048];
  static char console[3 * sizeof all];
  size_t n = 0;
  begin();
  for (size_t i = 0; i < sizeof all; i++) {
    all[i] = (uint8_t)(i * 7 + i / 256);
    if (all[i] == '\n') console[n++] = '\r';
    console[n++] = (char)all[i];
  }
  feed(BEGIN, sizeof BEGIN - 1);
  feed(console, n);
  feed(CODE("0"), sizeof CODE("0") - 1);
  CHECK_INT(marker_status(&m), 0);
  CHECK_INT(got_len, sizeof all);
  CHECK(memcmp(got, all, sizeof all) == 0);
}

static void a_line_without_an_end(void) {
  begin();
  for (int i = 0; i < 100000; i++) feed("=", 1);
  CHECK_INT(got_len, 0);
  feed("===OUTPUT_START===\r\nx", 21);
  CHECK_INT(got_len, 1);
}

static void reasons_without_an_end(void) {
  begin();
  feed("===ERROR===\n", 12);
  for (int i = 0; i < 1000; i++) feed("\1reason\n", 8);
  const char *error = marker_error(&m);
  CHECK(error != NULL && strlen(error) <= MARKER_TEXT_MAX);
  CHECK_HAS(error, "reason reason");
}

static void more_after_the_end_than_a_guest_says(void) {
  begin();
  feed(BEGIN "x" CODE("4"), sizeof BEGIN "x" CODE("4") - 1);
  CHECK_INT(marker_status(&m), 4);
  for (unsigned i = 0; i < MARKER_HELD_MAX; i++) feed("y", 1);
  CHECK_INT(marker_status(&m), -1);
  CHECK(got_len > MARKER_HELD_MAX);
  feed(CODE("5"), sizeof CODE("5") - 1);
  marker_finish(&m);
  CHECK_INT(marker_status(&m), 5);
  size_t whole_len = 1 + sizeof "===OUTPUT_END===\n===EXIT_CODE=4===\n" - 1 + MARKER_HELD_MAX;
  CHECK_INT(got_len, whole_len);
}

static void a_large_chunk_is_passed_on_in_pieces(void) {
  static char big[100000];
  begin();
  memset(big, 'z', sizeof big);
  feed(BEGIN, sizeof BEGIN - 1);
  feed(big, sizeof big);
  CHECK_INT(got_len, sizeof big);
  CHECK(calls <= sizeof big / MARKER_CHUNK + 1);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"marker: streams in one piece", whole},
      {"marker: streams split at every position", split_everywhere},
      {"marker: streams byte by byte", byte_by_byte},
      {"marker: output is passed on at once", output_is_passed_on_at_once},
      {"marker: every byte value comes through", every_byte_value},
      {"marker: a line without an end", a_line_without_an_end},
      {"marker: reasons without an end", reasons_without_an_end},
      {"marker: more after the end marker than a guest says", more_after_the_end_than_a_guest_says},
      {"marker: a large chunk", a_large_chunk_is_passed_on_in_pieces},
  };
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}

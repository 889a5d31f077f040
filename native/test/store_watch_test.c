// SPDX-License-Identifier: MIT
// A xenstore of the test's own, at the other end of a socket.
#include "store_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { WATCH = 4, EVENT = 15, ERROR = 16 };

static struct store_watch w;
static int store;

static void say(uint32_t type, const void *payload, uint32_t len) {
  uint32_t header[4] = {type, 0, 0, len};
  CHECK(write(store, header, sizeof header) == (ssize_t)sizeof header);
  if (len > 0) CHECK(write(store, payload, len) == (ssize_t)len);
}

static void pair(void) {
  int fds[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  w = (struct store_watch){.fd = fds[0]};
  store = fds[1];
}

static void no_wait(void) { CHECK(fcntl(w.fd, F_SETFL, O_NONBLOCK) == 0); }

static void next_is(const char *want) {
  char token[STORE_TOKEN_SIZE];
  CHECK_INT(store_watch_next(&w, token), 1);
  CHECK_STR(token, want);
}

static void nothing_now(void) {
  char token[STORE_TOKEN_SIZE];
  CHECK_INT(store_watch_next(&w, token), 0);
}

static void lost(void) {
  char token[STORE_TOKEN_SIZE];
  no_wait();
  CHECK_INT(store_watch_next(&w, token), -1);
}

static void test_request(void) {
  pair();
  say(WATCH, "OK", 3);
  CHECK_INT(store_watch_set(&w, "/a/path", "end"), 0);
  uint32_t header[4];
  char payload[12];
  CHECK(read(store, header, sizeof header) == (ssize_t)sizeof header);
  CHECK_INT(header[0], WATCH);
  CHECK_INT(header[3], sizeof payload);
  CHECK(read(store, payload, sizeof payload) == (ssize_t)sizeof payload);
  CHECK(memcmp(payload, "/a/path\0end", sizeof payload) == 0);
  nothing_now();
}

static void test_events(void) {
  pair();
  no_wait();
  nothing_now();
  say(EVENT, "/a\0one", 7);
  say(EVENT, "/b\0two", 7);
  next_is("one");
  next_is("two");
  nothing_now();
}

static void test_event_before_the_answer(void) {
  pair();
  say(EVENT, "/a\0early", 9);
  say(EVENT, "/a\0too", 7);
  say(WATCH, "OK", 3);
  say(EVENT, "/b\0late", 8);
  CHECK_INT(store_watch_set(&w, "/b", "late"), 0);
  next_is("early");
  next_is("too");
  next_is("late");
  nothing_now();
}

static void test_frames_in_pieces(void) {
  pair();
  no_wait();
  uint8_t frame[16 + 7] = {EVENT, [12] = 7};
  memcpy(frame + 16, "/a\0one", 7);
  for (size_t i = 0; i < sizeof frame; i++) {
    if (i > 0) nothing_now();
    CHECK(write(store, frame + i, 1) == 1);
  }
  next_is("one");
}

static void test_refusal(void) {
  pair();
  say(ERROR, "EINVAL", 7);
  CHECK_INT(store_watch_set(&w, "bad path", "end"), -1);
  CHECK_INT(errno, EINVAL);
}

static void test_unusable_arguments(void) {
  pair();
  char path[600];
  memset(path, 'a', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_INT(store_watch_set(&w, path, "end"), -1);
  CHECK_INT(store_watch_set(&w, "/a", "a token of 17 ch"), -1);
}

static void test_end_of_connection(void) {
  pair();
  close(store);
  lost();
}

static void test_frames_that_break_the_rules(void) {
  pair();
  say(EVENT, "/a", 2);
  lost();
  pair();
  say(EVENT, "/a\0one", 6);
  lost();
  pair();
  say(EVENT, "/a\0a token too long", 20);
  lost();
  pair();
  uint32_t header[4] = {EVENT, 0, 0, 4097};
  CHECK(write(store, header, sizeof header) == (ssize_t)sizeof header);
  lost();
}

static void test_many_events_before_the_answer(void) {
  pair();
  for (int i = 0; i < STORE_QUEUE + 1; i++) say(EVENT, "/a\0one", 7);
  say(WATCH, "OK", 3);
  CHECK_INT(store_watch_set(&w, "/b", "late"), -1);
  CHECK_INT(errno, ENOBUFS);
}

static void test_socket(void) {
  char dir[] = "/tmp/vxn-store-XXXXXX";
  CHECK(mkdtemp(dir) != NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", dir);
  setenv("XENSTORED_PATH", address.sun_path, 1);
  CHECK_INT(store_watch_open(&w), -1);
  int listening = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(listening, (struct sockaddr *)&address, sizeof address) == 0 && listen(listening, 1) == 0);
  CHECK_INT(store_watch_open(&w), 0);
  store = accept(listening, NULL, NULL);
  say(WATCH, "OK", 3);
  CHECK_INT(store_watch_set(&w, "@releaseDomain", "end"), 0);
  store_watch_close(&w);
  CHECK_INT(w.fd, -1);
  unlink(address.sun_path);
  rmdir(dir);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"a request on the wire", test_request},
      {"events, one after the other", test_events},
      {"an event before the answer waits", test_event_before_the_answer},
      {"a frame in pieces", test_frames_in_pieces},
      {"xenstore refuses", test_refusal},
      {"arguments that are too long", test_unusable_arguments},
      {"the connection ends", test_end_of_connection},
      {"frames that break the rules", test_frames_that_break_the_rules},
      {"more events before the answer than can wait", test_many_events_before_the_answer},
      {"xenstore's socket", test_socket},
  };
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}

// SPDX-License-Identifier: MIT
// createContainer and startContainer hooks in the agent. Needs root, no Xen.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "container.h"

enum { CREATE_CONTAINER = 1, START_CONTAINER = 2 };

static void put_hook_of(struct payload *p, uint32_t stage, uint32_t timeout, const char *path, const char *const *args,
                        const char *input) {
  struct payload h = {0};
  put_u32(&h, VXN_T_HOOK_STAGE, stage);
  put_str(&h, VXN_T_HOOK_PATH, path);
  for (; *args != NULL; args++) put_str(&h, VXN_T_HOOK_ARG, *args);
  put_str(&h, VXN_T_HOOK_ENV, "PATH=/bin");
  put_str(&h, VXN_T_HOOK_ENV, "MARK=two words");
  if (timeout > 0) put_u32(&h, VXN_T_HOOK_TIMEOUT, timeout);
  if (input != NULL) put_str(&h, VXN_T_HOOK_INPUT, input);
  put(p, VXN_T_HOOK, h.data, h.len);
  free(h.data);
}

static void put_hook(struct payload *p, uint32_t stage, uint32_t timeout, const char *script, const char *input) {
  put_hook_of(p, stage, timeout, "/bin/sh", (const char *const[]){"sh", "-c", script, "hook", NULL}, input);
}

// The first process of a usual container, before its hooks.
static struct payload first(const char *script) {
  struct payload p = process(2);
  ARGS(&p, "sh", "-c", script);
  put_usual(&p);
  return p;
}

static void in_order(void) {
  struct client *c = plain();
  struct payload p = first("cat /tmp/log; ls /proc/self/fd | wc -l");
  put_u32(&p, VXN_T_UID, 1000);
  put_hook(&p, START_CONTAINER, 0, "echo \"3 $(id -u) $0 $MARK $(cat)\" >>/tmp/log", "{\"pid\":1}");
  put_hook(&p, CREATE_CONTAINER, 5, "umask 0; echo \"1 $(id -u) $$ $(pwd) $(hostname) $(cat)\" >>/tmp/log", "{}");
  put_hook(&p, CREATE_CONTAINER, 0, "echo \"2 $(grep -c . /proc/mounts)\" | cut -c1 >>/tmp/log; chmod 666 /tmp/log", NULL);
  put_hook(&p, START_CONTAINER, 0, "echo \"4 $(grep NoNew /proc/self/status | cut -f2)\" >>/tmp/log; sleep 300 &", NULL);
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "1 0 2 / box {}\n2\n3 1000 hook two words {\"pid\":1}\n4 0\n4\n");
  CHECK_STR(output(c, 2, 1), "");
  client_end(c);
}

// Runs a container with one hook that fails, and gives the error.
static const char *failure(uint32_t stage, uint32_t timeout, const char *script) {
  static char text[VXN_TEXT_MAX + 1];
  struct client *c = plain();
  struct payload p = first("echo the program ran");
  put_hook(&p, stage, timeout, script, NULL);
  put_hook(&p, stage, 0, "echo not reached", NULL);
  launch(c, 2, &p);
  CHECK(c->procs[2].failed && !c->procs[2].started);
  CHECK_INT(c->procs[2].error, ECANCELED);
  CHECK_INT(c->procs[2].len[0], 0);
  snprintf(text, sizeof text, "%s", c->procs[2].text);
  client_end(c);
  return text;
}

static void failures(void) {
  CHECK_STR(failure(CREATE_CONTAINER, 0, "echo oops; echo why >&2; exit 3"),
            "error running createContainer hook #0: exit status 3, output: oops\nwhy");
  CHECK_STR(failure(START_CONTAINER, 0, "exit 1"), "error running startContainer hook #0: exit status 1");
  CHECK_STR(failure(START_CONTAINER, 0, "kill -9 $$"), "error running startContainer hook #0: killed by signal 9");
  CHECK_STR(failure(START_CONTAINER, 1, "echo begun; sleep 300 & sleep 300"),
            "error running startContainer hook #0: hook ran past specified timeout of 1.0s, output: begun");
  const char *text = failure(START_CONTAINER, 0, "head -c 100000 /dev/zero | tr '\\0' x; echo end; exit 5");
  CHECK_HAS(text, "xxxend");
  CHECK(strlen(text) < 600);
}

static void no_program(void) {
  struct client *c = plain();
  struct payload p = first("true");
  put_hook_of(&p, CREATE_CONTAINER, 0, "/no/hook", (const char *const[]){"x", NULL}, NULL);
  launch(c, 2, &p);
  CHECK_STR(c->procs[2].text,
            "error running createContainer hook #0: exit status 127, output: exec /no/hook: no such file or directory");
  client_end(c);
}

// Input that the hook does not read, and more of it than a pipe holds.
static void large_input(void) {
  struct client *c = plain();
  char *big = calloc(1, 300001);
  memset(big, 'x', 300000);
  struct payload p = first("cat /tmp/n");
  put_hook(&p, START_CONTAINER, 0, "true", big);
  put_hook(&p, START_CONTAINER, 0, "exec <&-; sleep 0.2", big);
  put_hook(&p, START_CONTAINER, 0, "wc -c >/tmp/n", big);
  free(big);
  client_describe(c, VXN_H_PROCESS, 2, &p, WHOLE);
  UNTIL(c, c->procs[2].exited || c->procs[2].failed);
  CHECK_STR(c->procs[2].text, "");
  CHECK_STR(output(c, 2, 0), "300000\n");
  client_end(c);
}

// With a read-only root and its own user a hook finds what the program will find.
static void before_the_program(void) {
  struct payload p = {0};
  struct client *c = client_start();
  put_root(&p);
  put_default_mounts(&p);
  put(&p, VXN_T_ROOT_READONLY, NULL, 0);
  put_mount(&p, "tmpfs", "/run", 0, "mode=1777");
  container(c, &p);
  p = first("cat /run/*; [ -e /made ] && echo made");
  put_u32(&p, VXN_T_UID, 1000);
  put_hook(&p, CREATE_CONTAINER, 0, "touch /made; touch /x 2>&1; readlink /proc/self/root >/run/a", NULL);
  put_hook(&p, START_CONTAINER, 0, "(touch /y) 2>/run/b; true", NULL);
  launch(c, 2, &p);
  finish(c, 2, 0);
  CHECK_HAS(output(c, 2, 0), "touch: /y: Read-only file system\nmade\n");
  client_end(c);
}

static void malformed(void) {
  struct client *c = plain();
  struct payload p = first("true"), h = {0};
  put_hook(&p, 3, 0, "true", NULL);
  launch(c, 2, &p);
  CHECK_STR(c->procs[2].text, "a hook of an unknown stage");
  static const char *const paths[] = {"bin/sh", NULL};
  for (size_t i = 0; i < 2; i++) {
    c->procs[2] = (struct proc){0};
    p = first("true");
    h = (struct payload){0};
    put_u32(&h, VXN_T_HOOK_STAGE, START_CONTAINER);
    if (paths[i] != NULL) put_str(&h, VXN_T_HOOK_PATH, paths[i]);
    put_str(&h, VXN_T_HOOK_ARG, "x");
    put(&p, VXN_T_HOOK, h.data, h.len);
    free(h.data);
    launch(c, 2, &p);
    CHECK_STR(c->procs[2].text, "a hook needs an absolute path and an argument");
  }
  c->procs[2] = (struct proc){0};
  start_shell(c, 2, "sleep 60");
  p = process(3);
  ARGS(&p, "true");
  put_hook(&p, START_CONTAINER, 0, "true", NULL);
  launch(c, 3, &p);
  CHECK_STR(c->procs[3].text, "hooks are for a container's first process");
  client_end(c);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"both kinds, each in its order, with state, environment and identity", in_order},
      {"hooks that fail, with the end of what they wrote", failures},
      {"a hook whose program is not there", no_program},
      {"input that is not read, and a lot of it", large_input},
      {"createContainer before the root is read-only, startContainer after", before_the_program},
      {"hooks that are none", malformed},
  };
  if (geteuid() != 0) {
    printf("the agent's tests need root\n");
    return 1;
  }
  int rc = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  client_abandon();
  clean_up();
  return rc;
}

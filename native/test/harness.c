// SPDX-License-Identifier: MIT
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf leave;

void test_fail(const char *file, int line, const char *fmt, ...) {
  va_list ap;
  printf("# %s:%d: ", file, line);
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  printf("\n");
  fflush(stdout);
  longjmp(leave, 1);
}

void check_str(const char *file, int line, const char *what, const char *got, const char *want) {
  if (strcmp(got, want) != 0) test_fail(file, line, "%s is \"%s\", expected \"%s\"", what, got, want);
}

void check_has(const char *file, int line, const char *what, const char *got, const char *part) {
  if (strstr(got, part) == NULL) test_fail(file, line, "%s is \"%s\", expected to have \"%s\"", what, got, part);
}

int run_tests(const struct test *tests, size_t n, int argc, char **argv) {
  volatile size_t ran = 0, failed = 0;
  for (volatile size_t i = 0; i < n; i++) {
    if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL) continue;
    ran = ran + 1;
    if (setjmp(leave) == 0) {
      tests[i].fn();
      printf("ok %zu - %s\n", ran, tests[i].name);
    } else {
      failed = failed + 1;
      printf("not ok %zu - %s\n", ran, tests[i].name);
    }
    fflush(stdout);
  }
  printf("1..%zu\n%zu passed, %zu failed\n", ran, ran - failed, failed);
  return failed > 0 || ran == 0;
}

size_t from_hex(const char *hex, uint8_t *out, size_t size) {
  size_t n = 0;
  for (; hex[0] != '\0'; hex += 2) {
    unsigned byte;
    if (n == size || hex[1] == '\0' || sscanf(hex, "%2x", &byte) != 1) FAIL("bad hexadecimal digits: %s", hex);
    out[n++] = (uint8_t)byte;
  }
  return n;
}

size_t each_vector(const char *name, size_t fields, void (*fn)(char **field)) {
  static char line[300000];
  char path[4096];
  const char *dir = getenv("VXN_VECTORS");
  snprintf(path, sizeof path, "%s/%s", dir == NULL ? "../test/vectors" : dir, name);
  FILE *f = fopen(path, "r");
  if (f == NULL) FAIL("%s cannot be opened", path);
  size_t n = 0;
  while (fgets(line, sizeof line, f) != NULL) {
    char *field[8] = {0}, *rest = line;
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '#' || line[0] == '\0') continue;
    size_t have = 0;
    while (have < 8 && (field[have] = strsep(&rest, "|")) != NULL) have++;
    if (have != fields) FAIL("%s: %s: %zu fields, expected %zu", name, field[0], have, fields);
    fn(field);
    n++;
  }
  fclose(f);
  return n;
}

const char *test_bin(void) {
  const char *dir = getenv("VXN_TEST_BIN");
  return dir == NULL ? "build/test" : dir;
}

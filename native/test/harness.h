// SPDX-License-Identifier: MIT
// A table of tests, TAP on stdout, exit status 1 when one failed. A failing check ends its test.
#ifndef VXN_TEST_HARNESS_H
#define VXN_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct test {
  const char *name;
  void (*fn)(void);
};

/// Runs all, or those whose names contain argv[1].
int run_tests(const struct test *tests, size_t n, int argc, char **argv);

__attribute__((format(printf, 3, 4))) _Noreturn void test_fail(const char *file, int line, const char *fmt, ...);

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond) \
  do {              \
    if (!(cond)) FAIL("not true: %s", #cond); \
  } while (0)
#define CHECK_INT(got, want)                                                             \
  do {                                                                                   \
    long long got_ = (long long)(got), want_ = (long long)(want);                        \
    if (got_ != want_) FAIL("%s is %lld, expected %lld", #got, got_, want_);             \
  } while (0)
#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, got, want)
#define CHECK_HAS(got, part) check_has(__FILE__, __LINE__, #got, got, part)
void check_str(const char *file, int line, const char *what, const char *got, const char *want);
void check_has(const char *file, int line, const char *what, const char *got, const char *part);

/// Hexadecimal digits to bytes; ends the test when they are none.
size_t from_hex(const char *hex, uint8_t *out, size_t size);

/// Calls fn with the fields of each line of a file of vectors. Returns how many lines there were.
size_t each_vector(const char *name, size_t fields, void (*fn)(char **field));

/// Where the built programs are.
const char *test_bin(void);

#endif

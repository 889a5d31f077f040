// SPDX-License-Identifier: MIT
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

int fail(struct error *e, int code, const char *fmt, ...) {
  va_list ap;
  e->code = code;
  va_start(ap, fmt);
  vsnprintf(e->text, sizeof e->text, fmt, ap);
  va_end(ap);
  return -1;
}

const char *errno_text(int code) {
  static char text[128];
  int saved = errno;
  snprintf(text, sizeof text, "%s", strerror(code));
  // Go keeps capitals only in abbreviations ("RFS specific error").
  if (text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) text[0] = (char)(text[0] | 0x20);
  errno = saved;
  return text;
}

char *quote(char *buf, size_t size, const char *s) {
  size_t n = 0;
  buf[n++] = '"';
  for (; *s != '\0'; s++) {
    unsigned char c = (unsigned char)*s;
    char piece[8];
    switch (c) {
      case '"':
      case '\\':
        snprintf(piece, sizeof piece, "\\%c", c);
        break;
      case '\n':
        snprintf(piece, sizeof piece, "\\n");
        break;
      case '\t':
        snprintf(piece, sizeof piece, "\\t");
        break;
      case '\r':
        snprintf(piece, sizeof piece, "\\r");
        break;
      default:
        snprintf(piece, sizeof piece, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
    }
    size_t len = strlen(piece);
    if (n + len + 5 > size) {
      memcpy(buf + n, "...", 3);
      n += 3;
      break;
    }
    memcpy(buf + n, piece, len);
    n += len;
  }
  buf[n++] = '"';
  buf[n] = '\0';
  return buf;
}

// Length of the UTF-8 character at s, 0 when there is none, -1 when the text ends inside it.
static int utf8_length(const unsigned char *s, size_t left) {
  static const struct {
    unsigned char mask, lead;
    int length;
    uint32_t least;
  } forms[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if ((s[0] & forms[i].mask) != forms[i].lead) continue;
    uint32_t c = s[0] & (unsigned char)~forms[i].mask;
    for (int k = 1; k < forms[i].length; k++) {
      if ((size_t)k == left) return -1;
      if ((s[k] & 0xc0) != 0x80) return 0;
      c = c << 6 | (s[k] & 0x3f);
    }
    return c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : forms[i].length;
  }
  return 0;
}

size_t make_utf8(char *s, size_t len) {
  for (size_t i = 0; i < len;) {
    int n = utf8_length((const unsigned char *)s + i, len - i);
    if (n < 0) return i;
    if (n == 0) {
      s[i] = '?';
      n = 1;
    }
    i += (size_t)n;
  }
  return len;
}

struct pool_block {
  struct pool_block *next;
  max_align_t data[];
};

void *pool_alloc(struct pool *p, size_t size) {
  struct pool_block *b = calloc(1, sizeof *b + size);
  if (b == NULL) return NULL;
  b->next = p->blocks;
  p->blocks = b;
  return b->data;
}

char *pool_string(struct pool *p, const uint8_t *data, size_t len) {
  char *s = pool_alloc(p, len + 1);
  if (s != NULL && len > 0) memcpy(s, data, len);
  return s;
}

void pool_free(struct pool *p) {
  while (p->blocks != NULL) {
    struct pool_block *b = p->blocks;
    p->blocks = b->next;
    free(b);
  }
}

void *pool_push(struct pool *p, void *array, size_t *n, size_t size) {
  void **items = array;
  // Full whenever the count is a power of two.
  if ((*n & (*n - 1)) == 0) {
    void *more = pool_alloc(p, (*n == 0 ? 1 : 2 * *n) * size);
    if (more == NULL) return NULL;
    if (*n > 0) memcpy(more, *items, *n * size);
    *items = more;
  }
  return (char *)*items + size * (*n)++;
}

int write_file(const char *path, const char *text) {
  autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t len = strlen(text);
  ssize_t n = write(fd, text, len);
  if (n < 0) return -1;
  if ((size_t)n != len) {
    errno = EIO;
    return -1;
  }
  return 0;
}

ssize_t read_file(const char *path, char *buf, size_t size) {
  autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t have = 0;
  while (have < size - 1) {
    ssize_t n = read(fd, buf + have, size - 1 - have);
    if (n < 0) return -1;
    if (n == 0) break;
    have += (size_t)n;
  }
  buf[have] = '\0';
  return (ssize_t)have;
}

uint64_t boot_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int open_resolve(int dirfd, const char *path, int flags, mode_t mode, uint64_t how) {
  struct open_how h = {.flags = (unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = how};
  for (int tries = 0;; tries++) {
    // EAGAIN: something was renamed or mounted elsewhere while the kernel checked a "..".
    long fd = syscall(SYS_openat2, dirfd, path, &h, sizeof h);
    if (fd >= 0 || errno != EAGAIN || tries == 100) return (int)fd;
  }
}

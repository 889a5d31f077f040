// SPDX-License-Identifier: MIT
// vxn-seccomp PROFILE FILTER: compiles a seccomp profile to the value of a SECCOMP record
// (docs/protocol.md). This is done once, in Dom0, so that the guest's agent needs no libseccomp and
// an exec costs nothing.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../common/version.h"
#include "compile.h"
#include "profile.h"
#include "refuse.h"

static struct bytes read_all(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) refuse("%s: %s", path, strerror(errno));
  static uint8_t data[VXN_DESCRIPTION_MAX];
  struct bytes all = {data, 0};
  for (;;) {
    ssize_t n = read(fd, data + all.len, VXN_DESCRIPTION_MAX - all.len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("%s: %s", path, strerror(errno));
    if (n == 0) {
      close(fd);
      return all;
    }
    all.len += (size_t)n;
    if (all.len == VXN_DESCRIPTION_MAX) refuse("the profile is larger than 4 MiB");
  }
}

static void write_all(const char *path, const void *data, size_t len) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  ssize_t n = fd < 0 ? -1 : write(fd, data, len);
  if (n < 0 || (size_t)n != len) refuse("%s: %s", path, n < 0 ? strerror(errno) : "no space left on device");
  close(fd);
}

int main(int argc, char **argv) {
  say_version(argc, argv, "vxn-seccomp version " VXN_VERSION);
  if (argc != 3) refuse("usage: vxn-seccomp PROFILE FILTER");
  static struct sock_filter filter[BPF_MAXINSNS];
  static uint8_t out[4 + 8 * BPF_MAXINSNS];
  struct bytes profile = read_all(argv[1]);
  struct vxn_record r;
  if (!take_record(&profile, VXN_T_PROFILE_FLAGS, &r)) refuse("a profile without flags");
  vxn_put32(out, record_u32(&r));
  size_t n = compile(profile, filter);
  for (size_t i = 0; i < n; i++) {
    vxn_put16(out + 4 + 8 * i, filter[i].code);
    out[4 + 8 * i + 2] = filter[i].jt;
    out[4 + 8 * i + 3] = filter[i].jf;
    vxn_put32(out + 4 + 8 * i + 4, filter[i].k);
  }
  write_all(argv[2], out, 4 + 8 * n);
  return 0;
}

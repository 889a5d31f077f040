// SPDX-License-Identifier: MIT
// Programs ask for a new system call and fall back on ENOSYS; the EPERM that most profiles answer
// by default makes them fail instead. So a call with a number above all that the profile knows gets
// ENOSYS before the profile is asked (as with runc).
#include "enosys.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#define X32_BIT 0x40000000u
#define ENOSYS_VERDICT (SECCOMP_RET_ERRNO | ENOSYS)

// SCMP_ARCH_X32 is libseccomp's invention: to the kernel it is x86_64 with a bit in the number.
static uint32_t kernel_arch(uint32_t arch) { return arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch; }

static struct sock_filter jump(uint32_t how, uint32_t value, uint8_t yes, uint8_t no) {
  return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | how | BPF_K), value, yes, no);
}

// The instructions for one architecture: at most nine; all jumps stay within them.
static size_t section(uint32_t arch, uint32_t last, struct sock_filter *out) {
  struct sock_filter body[8];
  size_t n = 0;
  body[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  size_t mode = n;
  if (kernel_arch(arch) == SCMP_ARCH_X86_64) n++;
  // s390 turns numbers that it does not know into 0.
  if (arch == SCMP_ARCH_S390 || arch == SCMP_ARCH_S390X) body[n++] = jump(BPF_JEQ, 0, 1, 0);
  body[n++] = jump(BPF_JGT, last, 0, 1);
  body[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ENOSYS_VERDICT);
  // The other mode's calls pass over the question, not over the end, which reloads what the next
  // section needs.
  uint8_t over = (uint8_t)(n - mode - 1);
  if (arch == SCMP_ARCH_X86_64) body[mode] = jump(BPF_JSET, X32_BIT, over, 0);
  if (arch == SCMP_ARCH_X32) body[mode] = jump(BPF_JSET, X32_BIT, 0, over);
  body[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  out[0] = jump(BPF_JEQ, kernel_arch(arch), 0, (uint8_t)n);
  for (size_t i = 0; i < n; i++) out[1 + i] = body[i];
  return 1 + n;
}

size_t enosys_stub(const uint32_t *archs, const uint32_t *last, size_t n, struct sock_filter *out) {
  size_t len = 0;
  out[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  for (size_t i = 0; i < n; i++)
    if (last[i] > 0) len += section(archs[i], last[i], out + len);
  return len == 1 ? 0 : len;
}

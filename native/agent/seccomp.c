// SPDX-License-Identifier: MIT
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_apply(const struct process_desc *p, struct error *e) {
  if (p->n_seccomp == 0) return 0;
  struct sock_fprog program = {.len = (unsigned short)p->n_seccomp, .filter = p->seccomp};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->seccomp_flags, &program) == 0) return 0;
  int code = errno;
  return fail(e, code, "applying the seccomp profile: %s%s", errno_text(code),
              code == EINVAL || code == ENOSYS ? "; has the guest's kernel CONFIG_SECCOMP_FILTER?" : "");
}

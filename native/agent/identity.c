// SPDX-License-Identifier: MIT
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "limits.h"
#include "text.h"

static int set_limits(const struct process_desc *p, struct error *e) {
  limits_for_process();
  for (size_t i = 0; i < p->n_rlimits; i++) {
    const struct rlimit_desc *l = &p->rlimits[i];
    struct rlimit64 r = {.rlim_cur = l->soft, .rlim_max = l->hard};
    if (prlimit64(0, (__rlimit_resource_t)l->resource, &r, NULL) < 0)
      return fail(e, errno, "error setting rlimit %u: %s", l->resource, errno_text(errno));
  }
  return 0;
}

// Drops from the bounding set each capability that was not asked for. *can is the set that may be
// given: the agent's own, which in a guest is all that its kernel knows. As with runc, asking for
// more is no error.
static int bound_caps(uint64_t bounding, uint64_t *can, struct error *e) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return fail(e, errno, "capget: %s", errno_text(errno));
  *can = data[0].permitted | (uint64_t)data[1].permitted << 32;
  for (unsigned cap = 0; cap < 64; cap++) {
    int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
    if (has < 0) break;
    if (has == 1 && (bounding >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
      return fail(e, errno, "dropping capability %u: %s", cap, errno_text(errno));
  }
  return 0;
}

// extra is held until execve only, which takes no notice of the permitted set before it
// (capabilities(7)).
static int set_caps(const struct caps_desc *want, uint64_t can, uint64_t extra, struct error *e) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (unsigned half = 0; half < 2; half++) {
    unsigned shift = 32 * half;
    data[half].permitted = (uint32_t)(((want->permitted | extra) & can) >> shift);
    data[half].effective = (uint32_t)(((want->effective | extra) & can) >> shift);
    data[half].inheritable = (uint32_t)((want->inheritable & can) >> shift);
  }
  if (syscall(SYS_capset, &header, data) < 0) return fail(e, errno, "capset: %s", errno_text(errno));
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned cap = 0; cap < 64; cap++) {
    if ((want->ambient & can & UINT64_C(1) << cap) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
      return fail(e, errno, "raising ambient capability %u: %s", cap, errno_text(errno));
  }
  return 0;
}

static int no_cwd(const char *cwd, struct error *e) {
  int code = errno;
  char text[600];
  return fail(e, code, "chdir to cwd (%s) set in config.json failed: %s", quote(text, sizeof text, cwd), errno_text(code));
}

int identity_take(const struct process_desc *p, struct error *e) {
  if (set_limits(p, e) < 0) return -1;
  // A directory may be open to root only, or to the user only.
  bool in_cwd = chdir(p->cwd) == 0;
  if (!in_cwd && errno != EACCES) return no_cwd(p->cwd, e);

  uint64_t can = 0;
  if (bound_caps(p->caps.bounding, &can, e) < 0) return -1;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(e, errno, "keeping capabilities: %s", errno_text(errno));
  if (setgroups(p->n_groups, p->groups) < 0) return fail(e, errno, "setgroups: %s", errno_text(errno));
  if (setresgid(p->gid, p->gid, p->gid) < 0) return fail(e, errno, "setgid: %s", errno_text(errno));
  if (setresuid(p->uid, p->uid, p->uid) < 0) return fail(e, errno, "setuid: %s", errno_text(errno));
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  if (!in_cwd && chdir(p->cwd) < 0) return no_cwd(p->cwd, e);
  // Without no_new_privs, setting a filter takes a privilege. It is set last all the same, so that
  // a profile need not allow the calls made here.
  uint64_t extra = p->n_seccomp > 0 && !p->no_new_privileges ? UINT64_C(1) << CAP_SYS_ADMIN : 0;
  if (set_caps(&p->caps, can, extra, e) < 0) return -1;
  if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return fail(e, errno, "no_new_privs: %s", errno_text(errno));
  umask((mode_t)p->umask & 0777);
  return 0;
}

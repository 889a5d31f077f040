// SPDX-License-Identifier: MIT
#include "compile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "enosys.h"
#include "refuse.h"

#define NAME_SIZE 128
#define ARGS 6
// Above so many rules libseccomp's search tree pays.
#define TREE_FROM 32
// Everything that libseccomp can do, whatever this machine's kernel can: the filter runs on the
// guest's.
#define API_LEVEL 4

struct archs {
  uint32_t token[ARCHS_MAX], last[ARCHS_MAX];
  size_t n;
};

static const char *reason(int rc) { return strerror(-rc); }

static void add_archs(scmp_filter_ctx ctx, struct bytes *rest, struct archs *archs) {
  struct vxn_record r;
  char name[NAME_SIZE];
  archs->token[archs->n++] = seccomp_arch_native();
  while (take_record(rest, VXN_T_PROFILE_ARCH, &r)) {
    uint32_t token = record_string(&r, name, sizeof name) ? seccomp_arch_resolve_name(name) : 0;
    if (token == 0) refuse("this libseccomp does not know the architecture %.64s", name);
    if (token == archs->token[0]) continue;
    int rc = seccomp_arch_add(ctx, token);
    if (rc == -EEXIST) continue;
    if (rc < 0) refuse("the architecture %s cannot be in the filter: %s", name, reason(rc));
    if (archs->n == ARCHS_MAX) refuse("too many architectures");
    archs->token[archs->n++] = token;
  }
}

static struct scmp_arg_cmp read_arg(const struct vxn_record *r) {
  if (r->length != 24) refuse("malformed record 0x%04x", r->tag);
  struct scmp_arg_cmp arg = {.arg = vxn_get32(r->value),
                             .op = (enum scmp_compare)vxn_get32(r->value + 4),
                             .datum_a = vxn_get64(r->value + 8),
                             .datum_b = vxn_get64(r->value + 16)};
  if (arg.arg >= ARGS || arg.op < SCMP_CMP_NE || arg.op > SCMP_CMP_MASKED_EQ) refuse("malformed record 0x%04x", r->tag);
  return arg;
}

// Two conditions on one argument are two rules, either of which is enough.
static bool same_argument_twice(const struct scmp_arg_cmp *args, size_t n) {
  unsigned seen = 0;
  for (size_t i = 0; i < n; i++) {
    if ((seen >> args[i].arg & 1) != 0) return true;
    seen |= 1u << args[i].arg;
  }
  return false;
}

static void add_call(scmp_filter_ctx ctx, uint32_t action, int number, const char *name, const struct scmp_arg_cmp *args,
                     unsigned n) {
  int rc = 0;
  if (same_argument_twice(args, n)) {
    for (unsigned i = 0; i < n && rc == 0; i++) rc = seccomp_rule_add_array(ctx, action, number, 1, &args[i]);
  } else {
    rc = seccomp_rule_add_array(ctx, action, number, n, args);
  }
  if (rc < 0) refuse("the rule for %s cannot be in the filter: %s", name, reason(rc));
}

static void remember_last(struct archs *archs, const char *name) {
  for (size_t i = 0; i < archs->n; i++) {
    int number = seccomp_syscall_resolve_name_arch(archs->token[i], name);
    if (number > 0 && (uint32_t)number > archs->last[i]) archs->last[i] = (uint32_t)number;
  }
}

static void add_rule(scmp_filter_ctx ctx, const struct vxn_record *rule, uint32_t otherwise, struct archs *archs) {
  struct bytes rest = {rule->value, rule->length};
  struct vxn_record r;
  struct scmp_arg_cmp args[64];
  unsigned n = 0;
  if (!take_record(&rest, VXN_T_PROFILE_ACTION, &r)) refuse("a rule without an action");
  uint32_t action = record_u32(&r);
  struct bytes names = rest;
  while (take_record(&rest, VXN_T_PROFILE_NAME, &r)) continue;
  while (take_record(&rest, VXN_T_PROFILE_ARG, &r)) {
    if (n == sizeof args / sizeof *args) refuse("a rule with too many conditions");
    args[n++] = read_arg(&r);
  }
  if (rest.len > 0) refuse("malformed profile");
  while (take_record(&names, VXN_T_PROFILE_NAME, &r)) {
    char name[NAME_SIZE];
    if (!record_string(&r, name, sizeof name)) continue;  // no system call has such a name
    remember_last(archs, name);
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || action == otherwise) continue;
    add_call(ctx, action, number, name, args, n);
  }
}

static size_t export_filter(scmp_filter_ctx ctx, struct sock_filter *out, size_t room) {
  int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0) refuse("memfd: %s", strerror(errno));
  int rc = seccomp_export_bpf(ctx, fd);
  if (rc < 0) refuse("cannot make the filter: %s", reason(rc));
  off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0 || (size_t)size > room * sizeof *out) refuse("the filter is larger than the kernel's limit of %d instructions", BPF_MAXINSNS);
  if (pread(fd, out, (size_t)size, 0) != size) refuse("memfd: %s", strerror(errno));
  close(fd);
  return (size_t)size / sizeof *out;
}

// A filter needs no stub that lets unknown calls through, leaves them to a tracer, or answers
// ENOSYS anyway.
static bool wants_stub(uint32_t otherwise) {
  uint32_t action = otherwise & SECCOMP_RET_ACTION_FULL;
  return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_TRACE &&
         otherwise != (SECCOMP_RET_ERRNO | ENOSYS);
}

size_t compile(struct bytes profile, struct sock_filter *out) {
  struct vxn_record r;
  struct archs archs = {0};
  if (!take_record(&profile, VXN_T_PROFILE_DEFAULT, &r)) refuse("a profile without a default action");
  uint32_t otherwise = record_u32(&r);
  seccomp_api_set(API_LEVEL);
  scmp_filter_ctx ctx = seccomp_init(otherwise);
  if (ctx == NULL) refuse("libseccomp does not take the default action 0x%x", otherwise);
  add_archs(ctx, &profile, &archs);
  size_t rules = 0;
  struct bytes count = profile;
  while (take_record(&count, VXN_T_PROFILE_RULE, &r)) rules++;
  if (rules > TREE_FROM) seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  while (take_record(&profile, VXN_T_PROFILE_RULE, &r)) add_rule(ctx, &r, otherwise, &archs);
  if (profile.len > 0) refuse("malformed profile");

  size_t stub = wants_stub(otherwise) ? enosys_stub(archs.token, archs.last, archs.n, out) : 0;
  size_t n = stub + export_filter(ctx, out + stub, BPF_MAXINSNS - stub);
  seccomp_release(ctx);
  return n;
}

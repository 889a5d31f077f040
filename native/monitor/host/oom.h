// SPDX-License-Identifier: MIT
#ifndef VXN_OOM_H
#define VXN_OOM_H

/// Sets this process's oom_score_adj (proc(5)). Lowering it may be forbidden; then it stays.
void oom_score_adj(const char *value);

#endif

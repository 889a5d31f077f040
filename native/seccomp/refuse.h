// SPDX-License-Identifier: MIT
#ifndef VXN_SECCOMP_REFUSE_H
#define VXN_SECCOMP_REFUSE_H

/// Ends the program with a line for the user.
__attribute__((format(printf, 1, 2))) _Noreturn void refuse(const char *fmt, ...);

#endif

// SPDX-License-Identifier: MIT
// The making of the domain: programs that build its disk and create it, named by the runtime.
#ifndef VXN_PREPARE_H
#define VXN_PREPARE_H

#include <stdbool.h>

/// Runs the steps of the file, one after the other, and removes it. The file is words that end in
/// NUL: for each step its name, the number of its arguments, the arguments. NAME.begin and NAME.end
/// are stamped. On failure false, and *failure is the text for the runtime: "failed NAME STATUS"
/// (128 and more: a signal), a newline, the end of the step's stderr.
bool prepare(const char *file, const char **failure);

#endif

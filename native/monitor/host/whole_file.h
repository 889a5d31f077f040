// SPDX-License-Identifier: MIT
#ifndef VXN_WHOLE_FILE_H
#define VXN_WHOLE_FILE_H

/// Writes dir/name with this content, whole or not at all: a reader never sees a part of it.
void whole_file(const char *dir, const char *name, const char *text);

#endif

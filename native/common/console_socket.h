// SPDX-License-Identifier: MIT
#ifndef VXN_CONSOLE_SOCKET_H
#define VXN_CONSOLE_SOCKET_H

/// Hands the terminal tty to the engine that listens at path, as an OCI runtime does: one message
/// with one descriptor and the terminal's name as data (an empty message would be lost); no answer
/// is awaited. 0, or -1 with errno: ENAMETOOLONG for a path that has not 1 to 107 bytes.
int vxn_send_terminal(const char *path, int tty, const char *name);

#endif

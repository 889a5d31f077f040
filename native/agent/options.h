// SPDX-License-Identifier: MIT
// The command line: how this run of the agent was meant.
#ifndef VXN_AGENT_OPTIONS_H
#define VXN_AGENT_OPTIONS_H

#include <stdbool.h>

struct options {
  bool pid1;              ///< the guest's first process; false with --once and in a test on a host
  const char *once;       ///< the recording, in a guest with another init; NULL otherwise
  const char *socket;     ///< --socket, in a test on a host; NULL otherwise
  const char *state_dir;  ///< where containers' mounts and bind areas are made
  const char *test_root;  ///< root of containers without ROOT_DISK, in tests only; may be NULL
};

/// Settled by options_read() before anything else runs; nobody changes it later.
extern struct options options;

/// Reads the command line. Ends the program when it makes no sense, or asks for help.
void options_read(int argc, char **argv);

#endif

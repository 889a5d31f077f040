// SPDX-License-Identifier: MIT
// A link joins the holder of a process to the domain in which the process runs. Its frames are
// those of docs/protocol.md, whichever way they go: by function call inside one program (local.h),
// or over the control socket of the domain's monitor (remote.h).
#ifndef VXN_LINK_H
#define VXN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "../../common/protocol.h"

/// Why the domain ends a link.
struct link_end {
  const char *why;        // a sentence for the operator; NULL: the process was killed by signal
  uint32_t error_number;  // the errno that goes with why, or 0
  int signal;
};

/// The functions by which a holder hears of the domain.
struct link_events {
  /// A frame for the process, or a request that the runtime has made for it. NULL, or the rule that
  /// the frame breaks; the sender then ends the link.
  vxn_fault (*frame)(const struct vxn_header *h, const uint8_t *payload);
  /// The process is over, or never will be.
  void (*closed)(const struct link_end *end);
};

/// The holder's end.
struct link {
  /// The process's id in the frames of this link.
  uint32_t process;
  /// True when a frame of the largest size can be sent now.
  bool (*has_room)(void);
  /// Sends a frame about the process. Small frames may be sent even when has_room() says no. False:
  /// not sent.
  bool (*send)(uint16_t type, uint16_t flags, const void *payload, uint32_t length);
  /// The holder has seen the process's end, with this exit status, or will not wait for it: the
  /// domain kills a process that still runs.
  void (*hang_up)(int status);
};

#endif

// SPDX-License-Identifier: MIT
// A process's stdio on its way between pipes (or a terminal) and the host, within the credit of
// both sides.
#ifndef VXN_AGENT_STREAMS_H
#define VXN_AGENT_STREAMS_H

#include "protocol.h"
#include "watch.h"

enum { STREAM_STDOUT = 0, STREAM_STDERR = 1, STREAMS = 2 };

/// One direction from a process to the host.
struct output {
  struct watch watch;
  uint32_t credit;  ///< bytes that the host will take
  bool open;
  bool readable;    ///< edge seen, EAGAIN not yet
  uint64_t remain;  ///< after the process's end: bytes still to be taken
};

/// stdin on its way to the process; the ring holds at most one window.
struct input {
  struct watch watch;
  uint8_t *ring;
  uint32_t head, have;
  uint32_t owed;   ///< taken from the host, CREDIT not yet given back
  uint32_t given;  ///< credit the host still has
  bool open, eof, writable;
};

struct streams {
  uint32_t id;          ///< the process's number, in frames
  bool terminal;        ///< one descriptor for stdin and stdout
  bool running;         ///< the program runs, or has run: nothing is sent to the host before
  bool exited;          ///< only the bytes that it left are sent
  uint16_t rows, cols;  ///< the terminal's size
  struct input in;
  struct output out[STREAMS];
};

/// Streams without descriptors yet. The host may send stdin already; it is queued.
void streams_init(struct streams *s, uint32_t id, bool terminal, uint16_t rows, uint16_t cols);
/// Takes over our ends of the pipes: stdin, stdout, stderr. 0, or -1 with errno.
int streams_open(struct streams *s, const int fds[3]);
/// Takes over the terminal's master.
void streams_open_terminal(struct streams *s, int fd);

/// The program runs.
void streams_started(struct streams *s);
/// The process has ended: from now on, only the bytes that it has written so far count.
void streams_exited(struct streams *s);
/// True when all output has been sent.
bool streams_done(const struct streams *s);
void streams_close(struct streams *s);

/// STDIN. Its fault: more than the credit.
vxn_fault streams_input(struct streams *s, const uint8_t *data, size_t len);
/// STDIN_EOF
void streams_input_eof(struct streams *s);
/// CREDIT for stdout (1) or stderr (2).
vxn_fault streams_credit(struct streams *s, uint32_t stream, uint32_t bytes);
/// RESIZE
void streams_resize(struct streams *s, uint16_t rows, uint16_t cols);

/// Moves at most a frame of each output. True when something happened.
bool streams_pump(struct streams *s);

#endif

// SPDX-License-Identifier: MIT
#include "marker.h"

#include <string.h>

static const char START[] = "===OUTPUT_START===";
static const char FAILURE[] = "===ERROR===";
static const char OUTPUT_END[] = "===OUTPUT_END===\n";
// The two lines belong together: one alone is the program's.
static const char END[] = "===OUTPUT_END===\n===EXIT_CODE=";
static const char STATUS[] = "===EXIT_CODE=";
static const char CLOSE[] = "===";
// The first line of the guest after its end marker, when it has nothing more to say.
static const char GOODBYE[] = "\n=== Shutting down gracefully ===\n";

#define LENGTH(literal) (sizeof(literal) - 1)
#define DIGITS_MAX 9u

enum match { MISMATCH, PARTIAL, WHOLE };

void marker_init(struct marker *m, void (*output)(const uint8_t *data, size_t len)) {
  memset(m, 0, sizeof *m);
  m->output = output;
  m->status = -1;
}

// ---- Output on its way

static void flush(struct marker *m) {
  if (m->chunk_len > 0) m->output(m->chunk, m->chunk_len);
  m->chunk_len = 0;
}

static void put(struct marker *m, uint8_t byte) {
  m->chunk[m->chunk_len++] = byte;
  if (m->chunk_len == MARKER_CHUNK) flush(m);
}

// The held bytes are the program's.
static void release(struct marker *m) {
  flush(m);
  if (m->held_len > 0) m->output(m->held, m->held_len);
  m->held_len = m->marker_len = 0;
}

static void hold(struct marker *m, uint8_t byte) {
  if (m->held_len == MARKER_HELD_MAX) {
    // No guest writes so much while it shuts down.
    release(m);
    m->state = MARKER_OUTPUT;
    m->status = -1;
    m->error[0] = '\0';
    put(m, byte);
    return;
  }
  m->held[m->held_len++] = byte;
  size_t goodbye = m->marker_len + LENGTH(GOODBYE);
  if (m->held_len == goodbye && memcmp(m->held + m->marker_len, GOODBYE, LENGTH(GOODBYE)) == 0) m->done = true;
}

// ---- Exit statuses

static void remember(struct marker *m, const char *text) {
  strncpy(m->error, text, MARKER_TEXT_MAX);
}

// Digits and "===", and nothing else.
static enum match match_status(const uint8_t *data, size_t len, unsigned *value) {
  size_t n = 0;
  *value = 0;
  for (; n < len && n < DIGITS_MAX && data[n] >= '0' && data[n] <= '9'; n++) *value = *value * 10 + (data[n] - (unsigned)'0');
  if (n == len) return PARTIAL;
  size_t rest = len - n;
  if (n == 0 || rest > LENGTH(CLOSE) || memcmp(data + n, CLOSE, rest) != 0) return MISMATCH;
  return rest == LENGTH(CLOSE) ? WHOLE : PARTIAL;
}

static void take_status(struct marker *m, unsigned value) {
  m->status = value > 255 ? 255 : (int)value;
  m->error[0] = '\0';
  if (value > 255) remember(m, "the guest reported an exit status that is none");
}

// ---- Between the markers

static enum match match_end(const uint8_t *data, size_t len, unsigned *value) {
  if (len <= LENGTH(END)) return memcmp(data, END, len) == 0 ? PARTIAL : MISMATCH;
  if (memcmp(data, END, LENGTH(END)) != 0) return MISMATCH;
  return match_status(data + LENGTH(END), len - LENGTH(END), value);
}

static void end_marker(struct marker *m, unsigned value) {
  // An end marker before this one was the program's output.
  release(m);
  m->done = false;
  take_status(m, value);
  memcpy(m->held, m->match, m->match_len);
  m->held_len = m->marker_len = m->match_len;
  m->match_len = 0;
  m->state = MARKER_AFTER;
}

static void not_matched(struct marker *m, uint8_t byte) {
  if (m->state == MARKER_AFTER)
    hold(m, byte);
  else
    put(m, byte);
}

static void search_end(struct marker *m, uint8_t byte) {
  unsigned value;
  if (m->match_len == 0 && byte != END[0]) {
    not_matched(m, byte);
    return;
  }
  m->match[m->match_len++] = byte;
  for (;;) {
    switch (match_end(m->match, m->match_len, &value)) {
      case WHOLE: end_marker(m, value); return;
      case PARTIAL: return;
      case MISMATCH: break;
    }
    uint8_t first = m->match[0];
    m->match_len--;
    memmove(m->match, m->match + 1, m->match_len);
    not_matched(m, first);
    if (m->match_len == 0) return;
  }
}

// ---- Before them

static void add_reason(struct marker *m) {
  size_t len = strlen(m->error);
  for (size_t i = 0; i < m->line_len && len < MARKER_TEXT_MAX; i++) {
    if (i == 0 && len > 0) m->error[len++] = ' ';
    if (len < MARKER_TEXT_MAX && m->line[i] >= ' ' && m->line[i] <= '~') m->error[len++] = m->line[i];
  }
  m->error[len] = '\0';
}

static bool line_is(const struct marker *m, const char *text) {
  return m->line_len == strlen(text) && memcmp(m->line, text, m->line_len) == 0;
}

static void line_ended(struct marker *m) {
  unsigned value;
  // The line before may have had no end.
  if (m->line_len >= LENGTH(START) && memcmp(m->line + m->line_len - LENGTH(START), START, LENGTH(START)) == 0) {
    m->state = MARKER_OUTPUT;
    m->failing = false;
    m->error[0] = '\0';
  } else if (line_is(m, FAILURE)) {
    m->failing = true;
    m->error[0] = '\0';
  } else if (m->line_len > LENGTH(STATUS) && memcmp(m->line, STATUS, LENGTH(STATUS)) == 0 &&
             match_status((const uint8_t *)m->line + LENGTH(STATUS), m->line_len - LENGTH(STATUS), &value) == WHOLE) {
    take_status(m, value);
  } else if (m->failing) {
    add_reason(m);
  }
  m->line_len = 0;
}

static void search_start(struct marker *m, uint8_t byte) {
  if (byte == '\n') {
    line_ended(m);
    return;
  }
  if (m->line_len == MARKER_LINE_MAX) {
    // Only its end is of interest.
    m->line_len = MARKER_LINE_MAX / 2;
    memmove(m->line, m->line + MARKER_LINE_MAX - m->line_len, m->line_len);
  }
  m->line[m->line_len++] = (char)byte;
}

// ---- All of it

static void take(struct marker *m, uint8_t byte) {
  if (m->state == MARKER_BEFORE)
    search_start(m, byte);
  else
    search_end(m, byte);
}

void marker_feed(struct marker *m, const uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) {
    // The guest's terminal put one carriage return before each line feed; all others are the
    // program's.
    if (m->cr && data[i] != '\n') take(m, '\r');
    m->cr = data[i] == '\r';
    if (!m->cr) take(m, data[i]);
  }
  flush(m);
}

void marker_finish(struct marker *m) {
  if (m->cr) take(m, '\r');
  m->cr = false;
  // A line may lack its end, and an end marker may be cut off.
  if (m->state == MARKER_BEFORE && m->line_len > 0) line_ended(m);
  bool cut = m->match_len >= LENGTH(OUTPUT_END);
  if (m->state == MARKER_OUTPUT && !cut)
    for (size_t i = 0; i < m->match_len; i++) put(m, m->match[i]);
  m->match_len = 0;
  flush(m);
}

int marker_status(const struct marker *m) { return m->status; }

bool marker_done(const struct marker *m) { return m->done && m->state == MARKER_AFTER; }

const char *marker_error(const struct marker *m) { return m->error[0] != '\0' ? m->error : NULL; }

// SPDX-License-Identifier: MIT
#include "rtnl.h"

#include <errno.h>
#include <stdio.h>

static struct nl requests = {.fd = -1};

int rtnl_open(struct error *e) {
  if (requests.fd < 0 && nl_open(&requests, 0) < 0) return fail(e, errno, "network: netlink: %s", errno_text(errno));
  return 0;
}

bool rtnl_is_open(void) { return requests.fd >= 0; }

int rtnl_ask(struct nl_message *m) { return nl_request(&requests, m, NULL, NULL); }

const char *rtnl_words(void) {
  static char words[NL_TEXT + 2];
  snprintf(words, sizeof words, "%s%s", requests.text[0] != '\0' ? ": " : "", requests.text);
  return words;
}

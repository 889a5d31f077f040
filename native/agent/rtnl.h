// SPDX-License-Identifier: MIT
// The rtnetlink socket that the guest's network is set up by.
#ifndef VXN_AGENT_RTNL_H
#define VXN_AGENT_RTNL_H

#include "error.h"
#include "netlink.h"

/// Opens the socket, if it is not open yet. 0, or -1 with *e.
int rtnl_open(struct error *e);

/// True after rtnl_open().
bool rtnl_is_open(void);

/// Sends a request and waits for its answer. 0, or -errno.
int rtnl_ask(struct nl_message *m);

/// The kernel's words about the last request that failed, after a colon and a space; often empty.
const char *rtnl_words(void);

#endif

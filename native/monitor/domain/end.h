// SPDX-License-Identifier: MIT
// The end of the domain: end.gate is open until it is gone, and the file gone says that it is.
#ifndef VXN_END_H
#define VXN_END_H

#include <stdint.h>

#include "plan.h"

/// Makes end.gate and holds it. plan has to stay. 0, or -1 with errno.
int end_open(const struct domain_plan *plan);

/// The domain that is to be destroyed. Without one there is nothing to destroy.
void end_owns(uint32_t domid);

/// Destroys the domain, in the background.
void end_domain(void);

#endif

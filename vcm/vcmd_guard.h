/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet filter in front of our sockets: datagrams to them that did not
 * come through IPsec, and those from them that would not leave by it, are
 * dropped (doc/vcm.md).  A table of its own; it stays when the daemon dies,
 * and the next start replaces it.
 */
#ifndef VCMD_GUARD_H
#define VCMD_GUARD_H

#include "vcm/vcmd_config.h"

/* 0, or a negative errno with err filled. */
int vcmd_guard_on(const struct vcmd_config *c, char *err, size_t errlen);
void vcmd_guard_off(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel must have for us, asked before anything is touched, so
 * that a start on the wrong machine ends with the names of what is missing
 * instead of with half a home agent (requirement U4).
 *
 * The kernel has no list of its options that could be trusted: /proc/config.gz
 * is often not there, and a module counts only when it can be loaded.  So each
 * question is a request that the kernel must refuse, put in such a way that
 * the reason it gives depends on whether it knows the thing: an XFRM state
 * with an SPI that its type forbids, a tunnel for a protocol that it cannot
 * carry, a route by an interface that does not exist, a dry run of an
 * nftables table.  A module that is needed gets loaded by that, as it would
 * be later; nothing else changes.
 */
#ifndef SYS_FEATURES_H
#define SYS_FEATURES_H

#include <stdbool.h>

/*
 * Call tell() for each thing that is missing: its name ("CONFIG_IPV6_MIP6",
 * "CAP_NET_ADMIN"), what it would serve for, and what to do.  Returns how
 * many there are.  When a capability is missing the kernel refuses to say
 * more, and only capabilities are told.
 */
typedef void features_fn(void *arg, const char *name, const char *what_for, const char *remedy);
int features_missing(bool home_agent, features_fn *tell, void *arg);

#endif

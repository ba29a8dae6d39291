/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent's bindings on disk: a file of lines, each with a checksum,
 * to which changes are appended; rewritten and renamed when most of it is
 * old.  A file cut off or damaged anywhere loses the damaged lines only.
 *
 *   P HOME CARE-OF SEQ FLAGS LIFETIME EXPIRES INVALID CRC     put
 *   D HOME CRC                                                deleted
 *
 * EXPIRES is wall-clock time in seconds, as it has to survive a reboot.
 */
#ifndef OS_STORE_H
#define OS_STORE_H

#include "mip6/env.h"

struct store;

/* Opens, locks and reads.  NULL: errno; EWOULDBLOCK: another process has it. */
struct store *store_open(const char *path);
void store_close(struct store *s);
void store_each(struct store *s, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg);
void store_put(struct store *s, const struct ha_binding_record *r);
void store_del(struct store *s, const struct in6_addr *home_address);
/* Hand collected lines to the kernel; 0 or a negative errno.  Called before a promise leaves. */
int store_flush(struct store *s);
size_t store_damaged(const struct store *s); /* lines that were skipped when reading */

#endif

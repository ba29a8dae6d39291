/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going to the background before anything is opened that must not be forked
 * (a database, an event loop), while who started us waits for the outcome.
 */
#ifndef COMMON_DETACH_H
#define COMMON_DETACH_H

#include <stdbool.h>

/*
 * Returns in the child, with a descriptor for detach_done() or -1 when it
 * could not be done.  The parent ends: with 0 when the child is ready, with 1
 * when it ends before.
 */
int detach_begin(void);
/* We are ready: from now on the standard descriptors lead nowhere.  -1 is fine. */
void detach_done(int fd);

#endif

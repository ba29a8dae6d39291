/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Restart Counter of RFC 5847 3.2: it grows when the daemon comes back
 * without its state, stays when it comes back with it, and is never smaller
 * than before.
 *
 * It is kept in STATE_FILE.restarts, so that it outlives the state file.  When
 * neither is there it begins with the seconds since 1970: whoever remembers a
 * number from before sees another one.
 */
#ifndef SYS_RESTARTS_H
#define SYS_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

/* lost: the state file was not there.  A file that cannot be written is logged. */
uint32_t restarts_count(const char *state_file, bool lost);

#endif

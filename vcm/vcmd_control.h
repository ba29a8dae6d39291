/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of vcmd.  The protocol is that of mip6/control.h; verbs:
 *
 *     status                       an object
 *     stats                        an object of counters, since the start
 *     contexts [node]              a list of nodes; with node one, and with whom it talked
 *     sessions [node] [session]    a list of sessions
 *     revoke node, unrevoke node   the node as it is then
 *     end, rekey: session, or a and b   the session as it was
 *     policy a, b                  which rule is for this pair, and what it says
 *     reload                       read the configuration again: nodes and pairs
 *     monitor                      the lines of the audit log
 *
 * A session's identifier is text, 16 hexadecimal digits.
 */
#ifndef VCMD_CONTROL_H
#define VCMD_CONTROL_H

#include "common/control.h"
#include "vcm/manager.h"

struct vcmd_config;
struct vcmd_store;

struct control_backend { /* may change while the socket is open */
	struct vcm_manager *manager; /* NULL: not ready yet */
	const struct vcmd_config *config;
	const struct vcmd_store *store; /* may be NULL, for tests */
	const char *version;
	monotime_t started;
	void *ctx; /* first argument of the functions */
	monotime_t (*now)(void *ctx);
	/* False with err filled: nothing has changed. */
	bool (*reload)(void *ctx, char *err, size_t errlen);
	/* An operator has done this. */
	void (*acted)(void *ctx, const char *what, const char *object);
	/* Add what the daemon counts to the answer to "stats"; may be NULL. */
	void (*extra_stats)(void *ctx, json_t *stats);
};

extern const struct control_verb vcmd_verbs[];

#endif

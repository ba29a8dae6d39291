/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: what mip6ctl talks to.  The protocol is described in
 * mip6/control.h.  Verbs are rows of a table in control_verbs.c.
 */
#ifndef MIP6D_CONTROL_H
#define MIP6D_CONTROL_H

#include <stddef.h>

#include "common/control.h"
#include "mip6/env.h"
#include "mip6/monotime.h"

struct cn;
struct event_base;
struct ha;
struct in6_addr;
struct ipsec_glue;
struct ipsec_sa_info;
struct json_t;
struct mip6d_config;
struct mn;
struct rr_shared;
struct vcm_gateway;

typedef void control_session_sa_fn(void *arg, const struct in6_addr *local,
	const struct in6_addr *peer, bool out, bool missing, const struct ipsec_sa_info *info);

/* What the verbs ask.  Owned by the caller; may change while the socket is open. */
struct control_backend {
	struct ha *ha; /* NULL: not a home agent, or not yet */
	struct mn *mn; /* NULL: not a mobile node, or not yet */
	struct cn *cn; /* NULL: it is turned off, or not yet */
	struct ipsec_glue *ipsec; /* NULL: no SAs of ours, or not yet */
	const struct vcm_gateway *gateway; /* NULL: no security gateway, or not yet */
	const struct mip6d_config *config;
	const char *version;
	monotime_t started;
	void *ctx; /* first argument of the functions */
	monotime_t (*now)(void *ctx);
	/*
	 * Share a Kbm with peer, for both parts of this node (RFC 4449); key NULL: not any more.
	 * 0 or a negative errno: -EEXIST when another pair has this Kcn, -ENOTSUP when nobody
	 * here could use it.
	 */
	int (*share)(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
		const struct rr_shared *key);
	/* Sessions with other mobile nodes: a list; NULL: there is no VPN.  sessions may be NULL. */
	struct json_t *(*sessions)(void *ctx);
	/* End that with this internal address; false: there is none. */
	bool (*session_end)(void *ctx, const struct in6_addr *peer);
	/*
	 * Of "ipsec" and "sas", about intranet and sessions: differences of policies, and SAs of
	 * sessions.  vpn_check may be NULL, and both do nothing where there is no VPN.
	 */
	int (*vpn_check)(
		void *ctx, bool mend, void (*fn)(void *arg, const char *text), void *arg);
	void (*session_sas)(void *ctx, control_session_sa_fn *fn, void *arg);
	/* Of "status": inside or outside, and why; NULL: there is no VPN.  vpn may be NULL. */
	struct json_t *(*vpn)(void *ctx);
	/* Add what the system side counts to the answer to "stats"; may be NULL. */
	void (*extra_stats)(void *ctx, struct json_t *stats);
};

/*
 * Open backend->config->control_socket with mode 0660 (0600 without a group)
 * and listen.  The socket of a dead daemon is replaced; when a living one
 * answers, or on any other fault, NULL, and err (errlen octets) says why and
 * what to do.
 */
struct control *control_start(
	struct event_base *base, const struct control_backend *backend, char *err, size_t errlen);
/* Tell the monitors.  c may be NULL.  The end of c is control_stop(). */
void control_event(struct control *c, const struct mip6_event *e);

/* What happened at a gateway; a, b and text may be NULL (vcm/gateway.h). */
struct control_gateway_event {
	const char *what;
	const struct in6_addr *a, *b;
	const char *text;
};
void control_gateway_tell(struct control *c, const struct control_gateway_event *e);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile router (RFC 3963 5).  To the home agent it is a mobile node whose
 * Binding Updates have the R flag and, in explicit mode, its prefixes.
 *
 * A home agent that does not serve the networks says so by a status of its
 * own (5.4) or, when it does not know of mobile routers at all, by an
 * acknowledgement without the R flag (5.3); from that one we de-register.
 * Another home agent is asked if one is known.  If none is, the node stops
 * sending Binding Updates, as 5.4 wants, until mip6d starts again or another
 * home agent turns up: there is one mode, the configured one.
 */
#include "mip6d/proto/mn_internal.h"

void mn_nemo_request(const struct mn *mn, struct mh_message *m, bool deregister)
{
	const struct mn_router_config *c = &mn->config.router;

	if (!c->n_networks)
		return;
	m->u.bu.flags |= BU_F_R;
	if (!c->explicit_mode || deregister) /* 5.8: SHOULD NOT have them */
		return;
	for (size_t i = 0; i < c->n_networks; i++) {
		struct mh_option *o = mh_option_add(m, MHOPT_NETWORK_PREFIX);

		if (!o)
			return;
		o->u.network_prefix.plen = c->networks[i].plen;
		o->u.network_prefix.prefix = c->networks[i].addr;
	}
}

bool mn_nemo_unserved(const struct mn *mn, const struct mh_message *m)
{
	return mn->config.router.n_networks && !(m->u.ba.flags & BA_F_R);
}

bool mn_nemo_final(const struct mn *mn, uint8_t status)
{
	return mn->config.router.n_networks && status >= BA_MR_NOT_PERMITTED &&
	       status <= BA_FORWARDING_FAILED;
}

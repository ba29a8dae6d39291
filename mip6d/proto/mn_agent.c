/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which home agent: the change from one to another while the node is away
 * (RFC 5142 6.1, RFC 6275 11.4.1), for whatever reason.
 *
 *   leave      the binding at the present one is deleted, and that is waited
 *              for: two home agents of one home link would see each other's
 *              defence of the home address as a duplicate (RFC 6275 10.3.1)
 *   change     the path of Binding Updates and the tunnel lead to the next
 *   register   there, like a first registration
 *
 * What the home address sends is held from the first to the last step.  The
 * home address stays: a home agent that does not serve it refuses (132).
 */
#include "mip6d/proto/mn_internal.h"

static void change(struct mn *mn)
{
	const struct in6_addr before = mn->config.home_agent;

	mn->agent.leaving = false;
	mn_path_forget_agent(mn);
	mn_reg_forget(mn);
	mn_home_forget(mn);
	mn_heartbeat_forget(mn);
	mn->config.home_agent = mn->agent.next;
	if (in6_is_any(&before))
		log_info("home agent: %s", in6_str(&mn->config.home_agent));
	else
		log_notice("home agent: %s instead of %s", in6_str(&mn->config.home_agent),
			in6_str(&before));
	mn_emit(mn, (struct mip6_event){.type = EV_HOME_AGENT,
			    .care_of = mn->path.care_of,
			    .peer = mn->config.home_agent,
			    .status = -1});
	mn_path_new_agent(mn);
}

void mn_change_home_agent(struct mn *mn, const struct in6_addr *home_agent, bool deregister)
{
	if (mn->stopping || (in6_equal(home_agent, &mn->config.home_agent) && !mn->agent.leaving))
		return;
	mn->agent.next = *home_agent;
	if (!deregister || !mn_binding_may_live(mn)) {
		change(mn);
		return;
	}
	if (mn->agent.leaving)
		return;
	mn->agent.leaving = true;
	/* At home the binding is being deleted anyway, and without a path it will be when there is one. */
	if (mn->path.location == MN_AWAY)
		mn_path_leave(mn);
}

bool mn_agent_left(struct mn *mn)
{
	if (!mn->agent.leaving || mn->stopping)
		return false;
	change(mn);
	return true;
}

bool mn_agent_failed(struct mn *mn)
{
	if (mn->stopping)
		return false;
	return mn_switch_next(mn) || mn_discovery_next(mn);
}

void mn_send_to_agent(struct mn *mn, const struct mh_message *m, const char *what)
{
	uint8_t buf[64];
	struct mip6_packet p = {
		.src = mn->config.home_address,
		.dst = mn->config.home_agent,
		.src_coa = mn->path.care_of,
		.flags = MIP6_PKT_HAO | (mn->config.require_ipsec ? MIP6_PKT_PROTECTED : 0u),
		.data = buf,
		.len = mh_build(m, buf, sizeof(buf)),
	};

	mn_check(mn, mn->env->send_mh(mn->env->ctx, &p), what);
}

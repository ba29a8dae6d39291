/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of events, as `mip6ctl monitor` and the logs show them. */
#include <stddef.h>

#include "mip6/env.h"

const char *mip6_event_name(enum mip6_event_type t)
{
	static const char *const names[] = {
		[EV_BINDING_NEW] = "binding-new",
		[EV_BINDING_MOVED] = "binding-moved",
		[EV_BINDING_REFRESHED] = "binding-refreshed",
		[EV_BINDING_GONE] = "binding-gone",
		[EV_BU_REFUSED] = "bu-refused",
		[EV_LINK_UP] = "link-up",
		[EV_PLACE] = "place",
		[EV_LINK_DOWN] = "link-down",
		[EV_ROUTER] = "router",
		[EV_CARE_OF_ADDRESS] = "care-of-address",
		[EV_ADDRESS_DUPLICATE] = "address-duplicate",
		[EV_MOVED] = "moved",
		[EV_BU_SENT] = "bu-sent",
		[EV_REGISTERED] = "registered",
		[EV_DEREGISTERED] = "deregistered",
		[EV_BA_REFUSED] = "ba-refused",
		[EV_BINDING_LOST] = "binding-lost",
		[EV_BAD_PACKET] = "bad-packet",
		[EV_CN_BINDING_NEW] = "correspondent-binding-new",
		[EV_CN_BINDING_MOVED] = "correspondent-binding-moved",
		[EV_CN_BINDING_REFRESHED] = "correspondent-binding-refreshed",
		[EV_CN_BINDING_GONE] = "correspondent-binding-gone",
		[EV_CN_REFUSED] = "correspondent-refused",
		[EV_RO_STARTED] = "route-optimization-started",
		[EV_RO_TESTED] = "return-routability-done",
		[EV_RO_BU_SENT] = "correspondent-bu-sent",
		[EV_RO_DIRECT] = "path-direct",
		[EV_RO_TUNNEL] = "path-tunnel",
		[EV_HOME_AGENT] = "home-agent",
		[EV_SWITCH_SENT] = "switch-sent",
		[EV_SWITCH_RECEIVED] = "switch-received",
		[EV_REVOCATION_SENT] = "revocation-sent",
		[EV_REVOCATION_ANSWERED] = "revocation-answered",
		[EV_REVOKED] = "revoked",
		[EV_PEER_LOST] = "peer-lost",
		[EV_PEER_BACK] = "peer-back",
		[EV_PEER_RESTARTED] = "peer-restarted",
		[EV_DISCOVERY_SENT] = "discovery-sent",
		[EV_HOME_AGENTS] = "home-agents",
		[EV_PREFIX_SOLICITED] = "prefix-solicited",
		[EV_SESSION] = "session",
		[EV_HOME_PREFIX] = "home-prefix",
	};
	size_t i = (size_t)t;

	return i < sizeof(names) / sizeof(names[0]) && names[i] ? names[i] : "unknown";
}

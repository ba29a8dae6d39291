/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bindings, events, counters as JSON.  The order of members is that of the calls and does not change. */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mip6d/config.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

static void put_int(json_t *o, const char *key, int64_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

/* Nothing when it is the unspecified address. */
static void put_addr(json_t *o, const char *key, const struct in6_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!in6_is_any(a) && inet_ntop(AF_INET6, a, text, sizeof(text)))
		json_object_set_new(o, key, json_string(text));
}

/* The name; the number when the interface is gone already; nothing for 0. */
static void put_interface(json_t *o, int ifindex)
{
	char name[IF_NAMESIZE];

	if (ifindex <= 0)
		return;
	if (!if_indextoname((unsigned)ifindex, name))
		snprintf(name, sizeof(name), "#%d", ifindex);
	json_object_set_new(o, "interface", json_string(name));
}

static json_t *ba_status(int code)
{
	return json_pack("{s:i, s:s}", "code", code, "text", ba_status_name((uint8_t)code));
}

/* Nothing when there are none. */
static void put_networks(json_t *o, const char *key, const struct ip6_prefix *p, size_t n)
{
	json_t *list = n ? json_array() : NULL;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_sprintf("%s/%u", in6_str(&p[i].addr), p[i].plen));
	if (list)
		json_object_set_new(o, key, list);
}

/* "AHK": the flags of RFC 6275 6.1.7 and its extensions, by their letters */
static void put_flags(json_t *o, uint16_t flags)
{
	static const char letters[] = "AHLKMRPFTB";
	char text[sizeof(letters)];
	size_t n = 0;

	for (size_t i = 0; letters[i]; i++)
		if (flags & (0x8000u >> i))
			text[n++] = letters[i];
	text[n] = '\0';
	json_object_set_new(o, "flags", json_string(text));
}

static const char *binding_state(enum ha_binding_state s)
{
	switch (s) {
	case HA_BINDING_DAD:
		return "dad";
	case HA_BINDING_ACTIVE:
		return "active";
	case HA_BINDING_INVALID:
		return "invalid";
	}
	return "unknown";
}

json_t *control_json_binding(const struct ha_binding_info *i)
{
	json_t *o = json_object();

	put_addr(o, "home_address", &i->home_address);
	put_addr(o, "care_of", &i->care_of);
	json_object_set_new(o, "state", json_string(binding_state(i->state)));
	put_int(o, "seq", i->seq);
	put_flags(o, i->flags);
	put_int(o, "lifetime_s", i->lifetime_s);
	put_int(o, "remaining_s", i->remaining_s);
	put_int(o, "age_s", i->age_s);
	put_int(o, "moves", i->moves);
	put_networks(o, "networks", i->networks, i->n_networks);
	if (i->identifier)
		json_object_set_new(o, "identifier", json_string(i->identifier));
	if (i->revoking)
		json_object_set_new(o, "revoking", json_true());
	if (i->switching)
		json_object_set_new(o, "switching", json_true());
	if (i->unreachable)
		json_object_set_new(o, "unreachable", json_true());
	return o;
}

/* Wall-clock time of an event: the core knows monotonic time only. */
void control_json_time(json_t *o, int64_t ago_us)
{
	char text[40];
	struct timespec ts;
	struct tm tm;
	int64_t us;
	time_t s;

	clock_gettime(CLOCK_REALTIME, &ts);
	us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - ago_us;
	s = (time_t)(us / 1000000);
	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	json_object_set_new(o, "time", json_sprintf("%s.%06dZ", text, (int)(us % 1000000)));
}

static bool about_registration(enum mip6_event_type t)
{
	switch (t) {
	case EV_BINDING_NEW:
	case EV_BINDING_MOVED:
	case EV_BINDING_REFRESHED:
	case EV_BINDING_GONE:
	case EV_BU_REFUSED:
	case EV_BU_SENT:
	case EV_REGISTERED:
	case EV_DEREGISTERED:
	case EV_BA_REFUSED:
	case EV_CN_BINDING_NEW:
	case EV_CN_BINDING_MOVED:
	case EV_CN_BINDING_REFRESHED:
	case EV_CN_BINDING_GONE:
	case EV_CN_REFUSED:
	case EV_RO_BU_SENT:
		return true;
	case EV_LINK_UP:
	case EV_PLACE:
	case EV_LINK_DOWN:
	case EV_ROUTER:
	case EV_CARE_OF_ADDRESS:
	case EV_ADDRESS_DUPLICATE:
	case EV_MOVED:
	case EV_BINDING_LOST:
	case EV_BAD_PACKET:
	case EV_RO_STARTED:
	case EV_RO_TESTED:
	case EV_RO_DIRECT:
	case EV_RO_TUNNEL:
	case EV_HOME_AGENT:
	case EV_SWITCH_SENT:
	case EV_SWITCH_RECEIVED:
	case EV_REVOCATION_SENT:
	case EV_REVOCATION_ANSWERED:
	case EV_REVOKED:
	case EV_PEER_LOST:
	case EV_PEER_BACK:
	case EV_PEER_RESTARTED:
	case EV_DISCOVERY_SENT:
	case EV_HOME_AGENTS:
	case EV_PREFIX_SOLICITED:
	case EV_HOME_PREFIX:
	case EV_SESSION:
		break;
	}
	return false;
}

json_t *control_json_event(const struct mip6_event *e, monotime_t now)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(mip6_event_name(e->type)));
	control_json_time(o, now.us > e->when.us ? now.us - e->when.us : 0);
	put_addr(o, "home_address", &e->home_address);
	put_addr(o, "care_of", &e->care_of);
	put_addr(o, "peer", &e->peer);
	put_interface(o, e->ifindex);
	if (e->status >= 0 && e->status <= 255)
		json_object_set_new(o, "status", ba_status(e->status));
	if (about_registration(e->type)) {
		put_int(o, "seq", e->seq);
		put_int(o, "lifetime_s", e->lifetime_s);
	}
	if (e->text)
		json_object_set_new(o, "text", json_string(e->text));
	return o;
}

json_t *control_json_link(const struct mn_link_info *i)
{
	static const char *const address[] = {
		[MN_ADDR_TENTATIVE] = "tentative",
		[MN_ADDR_USABLE_OPTIMISTIC] = "optimistic",
		[MN_ADDR_READY] = "ready",
		[MN_ADDR_DUPLICATE] = "duplicate",
		[MN_ADDR_REMOVED] = "removed",
	};
	json_t *o = json_object();

	put_interface(o, i->ifindex);
	put_int(o, "preference", i->preference);
	json_object_set_new(o, "up", json_boolean(i->up));
	json_object_set_new(o, "current", json_boolean(i->current));
	json_object_set_new(o, "home", json_boolean(i->home));
	json_object_set_new(o, "state", json_string(i->state));
	put_addr(o, "router", &i->router);
	put_addr(o, "care_of", &i->care_of);
	if (!in6_is_any(&i->care_of))
		json_object_set_new(o, "address_state", json_string(address[i->address_state]));
	return o;
}

json_t *control_json_correspondent(const struct mn_ro_info *i)
{
	json_t *o = json_object();

	put_addr(o, "peer", &i->peer);
	json_object_set_new(o, "state", json_string(mn_ro_state_name(i->state)));
	json_object_set_new(o, "path", json_string(i->direct ? "direct" : "tunnel"));
	put_addr(o, "care_of", &i->care_of);
	json_object_set_new(o, "key", json_string(i->shared ? "shared" : "tested"));
	if (i->manual_on || i->manual_off)
		json_object_set_new(o, "by_hand", json_string(i->manual_on ? "on" : "off"));
	if (i->home_token_age_s >= 0)
		put_int(o, "home_token_age_s", i->home_token_age_s);
	if (i->care_of_token_age_s >= 0)
		put_int(o, "care_of_token_age_s", i->care_of_token_age_s);
	put_int(o, "seq", i->seq);
	put_int(o, "lifetime_s", i->lifetime_s);
	put_int(o, "remaining_s", i->remaining_s);
	put_int(o, "updates", i->updates);
	if (i->next_ms >= 0)
		put_int(o, "next_ms", i->next_ms);
	if (i->last_status >= 0)
		json_object_set_new(o, "last_status", ba_status(i->last_status));
	return o;
}

json_t *control_json_cn_binding(const struct cn_binding_info *i)
{
	json_t *o = json_object();

	put_addr(o, "home_address", &i->home_address);
	put_addr(o, "care_of", &i->care_of);
	put_addr(o, "local", &i->local);
	json_object_set_new(o, "key", json_string(i->shared ? "shared" : "tested"));
	put_int(o, "seq", i->seq);
	put_int(o, "lifetime_s", i->lifetime_s);
	put_int(o, "remaining_s", i->remaining_s);
	put_int(o, "age_s", i->age_s);
	put_int(o, "moves", i->moves);
	return o;
}

static json_t *cn_status(const struct control_backend *b)
{
	json_t *o = json_object();

	put_int(o, "bindings", (json_int_t)cn_count(b->cn));
	put_int(o, "max_bindings", b->config->correspondent.max_bindings);
	return o;
}

static json_t *cn_counters(const struct cn_stats *s)
{
	json_t *o = json_object();

#define COUNT(name) put_int(o, #name, (json_int_t)s->name)
	COUNT(hoti_received);
	COUNT(hot_sent);
	COUNT(coti_received);
	COUNT(cot_sent);
	COUNT(tests_limited);
	COUNT(bu_received);
	COUNT(bu_accepted);
	COUNT(ba_sent);
	COUNT(moves);
	COUNT(deregistrations);
	COUNT(expirations);
	COUNT(evicted);
	COUNT(brr_sent);
	COUNT(be_sent);
	COUNT(be_limited);
	COUNT(malformed);
	COUNT(unknown_type);
	COUNT(bad_authenticator);
	COUNT(nonce_expired);
	COUNT(refused);
#undef COUNT
	return o;
}

static json_t *ha_status(const struct control_backend *b)
{
	const struct config_home_agent *c = &b->config->home_agent;
	json_t *o = json_object();

	put_addr(o, "address", &c->address);
	if (c->home_link[0])
		json_object_set_new(o, "home_link", json_string(c->home_link));
	put_int(o, "bindings", (json_int_t)ha_count(b->ha));
	put_int(o, "max_bindings", c->max_bindings);
	if (c->n_networks)
		put_int(o, "mobile_networks", (json_int_t)c->n_networks);
	return o;
}

static json_t *router_status(const struct mn_info *i)
{
	json_t *o = json_object();

	put_networks(o, "prefixes", i->mobile_router->networks, i->mobile_router->n_networks);
	json_object_set_new(
		o, "mode", json_string(i->mobile_router->explicit_mode ? "explicit" : "implicit"));
	json_object_set_new(o, "refused", json_boolean(i->router_refused));
	return o;
}

static json_t *mn_status(const struct control_backend *b)
{
	static const char *const location[] = {
		[MN_NOWHERE] = "nowhere", [MN_AT_HOME] = "home", [MN_AWAY] = "away"};
	struct mn_info i;
	json_t *o = json_object(), *vpn;

	mn_info(b->mn, &i);
	json_object_set_new(o, "location", json_string(location[i.location]));
	json_object_set_new(o, "registration", json_string(mn_registration_name(i.registration)));
	put_addr(o, "home_address", &i.home_address);
	put_addr(o, "home_agent", &i.home_agent);
	put_addr(o, "care_of", &i.care_of);
	put_interface(o, i.ifindex);
	put_addr(o, "router", &i.router);
	put_int(o, "seq", i.seq);
	put_int(o, "lifetime_s", i.lifetime_s);
	put_int(o, "remaining_s", i.remaining_s);
	if (i.refresh_in_ms >= 0)
		put_int(o, "refresh_in_ms", i.refresh_in_ms);
	if (i.retransmit_in_ms >= 0)
		put_int(o, "retransmit_in_ms", i.retransmit_in_ms);
	put_int(o, "moves", i.moves);
	put_int(o, "retransmissions", i.retransmissions);
	if (i.mobile_router)
		json_object_set_new(o, "mobile_router", router_status(&i));
	put_int(o, "correspondents", (json_int_t)mn_ro_count(b->mn));
	if (i.barred_for_s)
		put_int(o, "revoked_for_s", i.barred_for_s);
	if (i.leaving)
		json_object_set_new(o, "leaving", json_true());
	if (i.agent_lost)
		json_object_set_new(o, "unreachable", json_true());
	if (i.last_status >= 0)
		json_object_set_new(o, "last_status", ba_status(i.last_status));
	if (b->vpn && (vpn = b->vpn(b->ctx)))
		json_object_set_new(o, "vpn", vpn);
	return o;
}

json_t *control_json_status(const struct control_backend *b)
{
	json_t *o = json_object();

	json_object_set_new(o, "role", json_string(config_role_name(b->config->role)));
	json_object_set_new(o, "version", json_string(b->version));
	put_int(o, "pid", getpid());
	put_int(o, "uptime_s", mono_diff_s(b->now(b->ctx), b->started));
	if (b->ha)
		json_object_set_new(o, "home_agent", ha_status(b));
	if (b->mn)
		json_object_set_new(o, "mobile_node", mn_status(b));
	if (b->cn)
		json_object_set_new(o, "correspondent", cn_status(b));
	if (b->config->role != ROLE_CORRESPONDENT)
		json_object_set_new(o, "ipsec", control_json_ipsec(b));
	return o;
}

static json_t *ha_counters(const struct ha_stats *s)
{
	json_t *o = json_object(), *refused = json_array();

#define COUNT(name) put_int(o, #name, (json_int_t)s->name)
	COUNT(bu_received);
	COUNT(bu_accepted);
	COUNT(ba_sent);
	COUNT(registrations);
	COUNT(moves);
	COUNT(refreshes);
	COUNT(deregistrations);
	COUNT(expirations);
	COUNT(dad_failures);
	COUNT(malformed);
	COUNT(unknown_type);
	COUNT(no_hao);
	COUNT(unprotected);
	COUNT(revocations_sent);
	COUNT(revocations_answered);
	COUNT(revocations_unanswered);
	COUNT(switches_sent);
	COUNT(heartbeats_sent);
	COUNT(heartbeats_answered);
	COUNT(heartbeats_received);
	COUNT(peers_lost);
	COUNT(peers_restarted);
	COUNT(signals_ignored);
	COUNT(discovery_requests);
	COUNT(discovery_replies);
	COUNT(discovery_ignored);
	COUNT(prefix_solicitations);
	COUNT(prefix_advertisements);
#undef COUNT
	for (int i = 0; i < 256 - 128; i++)
		if (s->refused[i]) {
			json_t *r = ba_status(128 + i);

			put_int(r, "count", (json_int_t)s->refused[i]);
			json_array_append_new(refused, r);
		}
	json_object_set_new(o, "refused", refused);
	return o;
}

static json_t *mn_counters(const struct mn_stats *s)
{
	json_t *o = json_object();

#define COUNT(name) put_int(o, #name, (json_int_t)s->name)
	COUNT(ra_received);
	COUNT(rs_sent);
	COUNT(bu_sent);
	COUNT(bu_retransmitted);
	COUNT(ba_received);
	COUNT(ba_accepted);
	COUNT(ba_refused);
	COUNT(ba_ignored);
	COUNT(moves);
	COUNT(malformed);
	COUNT(unknown_type);
	COUNT(dad_failures);
	COUNT(unprotected);
	COUNT(revocation_received);
	COUNT(revoked);
	COUNT(switch_received);
	COUNT(heartbeats_sent);
	COUNT(heartbeats_answered);
	COUNT(heartbeats_ignored);
	COUNT(peer_lost);
	COUNT(hoti_sent);
	COUNT(hot_received);
	COUNT(coti_sent);
	COUNT(cot_received);
	COUNT(tests_ignored);
	COUNT(cbu_sent);
	COUNT(cba_received);
	COUNT(be_received);
	COUNT(brr_received);
	COUNT(ro_refused);
	COUNT(peer_restarted);
	COUNT(signals_ignored);
	COUNT(discovery_sent);
	COUNT(discovery_received);
	COUNT(discovery_ignored);
	COUNT(prefix_solicitations);
	COUNT(prefix_advertisements);
	COUNT(prefix_ignored);
#undef COUNT
	return o;
}

json_t *control_json_stats(const struct control_backend *b)
{
	json_t *o = json_object();

	if (b->ha)
		json_object_set_new(o, "home_agent", ha_counters(ha_stats(b->ha)));
	if (b->mn)
		json_object_set_new(o, "mobile_node", mn_counters(mn_stats(b->mn)));
	if (b->cn)
		json_object_set_new(o, "correspondent", cn_counters(cn_stats(b->cn)));
	if (b->ipsec)
		json_object_set_new(o, "ipsec", control_json_ipsec_stats(b));
	if (b->gateway)
		json_object_set_new(o, "gateway", control_json_gateway_stats(b));
	if (b->extra_stats)
		b->extra_stats(b->ctx, o);
	return o;
}

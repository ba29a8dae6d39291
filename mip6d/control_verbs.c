/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of the control socket.  A new verb is a row of the table at the
 * end and a function.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/config.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

#define PART 200 /* bindings in one line of an answer: 40 kB, well below a millisecond */

#define fail control_fail

static bool wants_home_agent(struct control_call *call)
{
	if (!call->backend->ha)
		fail(call, "this daemon is not a home agent, or not ready yet");
	return call->backend->ha;
}

static bool wants_mobile_node(struct control_call *call)
{
	if (!call->backend->mn)
		fail(call, "this daemon is not a mobile node, or not ready yet");
	return call->backend->mn;
}

/* ---- bindings ---- */

/*
 * A long list is sent in parts between which the cache changes.  So the home
 * addresses are noted at the beginning, and each binding is looked up when it
 * is its turn: one that has gone meanwhile is left out, none comes twice.
 */
struct listing {
	struct in6_addr *addr;
	size_t n, cap, at;
	bool failed;
};

static bool note(void *arg, const struct ha_binding_info *i)
{
	struct listing *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct in6_addr *more = reallocarray(l->addr, cap, sizeof(*more));

		if (!more) {
			l->failed = true;
			return false;
		}
		l->addr = more;
		l->cap = cap;
	}
	l->addr[l->n++] = i->home_address;
	return true;
}

static void listing_free(void *state)
{
	struct listing *l = state;

	free(l->addr);
	free(l);
}

static json_t *listing_next(void *state, const struct control_backend *b, bool *more)
{
	struct listing *l = state;
	json_t *part = json_array();
	struct ha_binding_info i;

	for (size_t k = 0; k < PART && l->at < l->n; k++, l->at++)
		if (b->ha && ha_find(b->ha, &l->addr[l->at], &i))
			json_array_append_new(part, control_json_binding(&i));
	*more = l->at < l->n;
	return part;
}

/* The argument home_address; false after a complaint.  *given is whether it is there. */
static bool get_home_address(
	struct control_call *call, json_t *args, struct in6_addr *a, bool *given)
{
	json_t *v = json_object_get(args, "home_address");

	*given = v;
	if (!v || (json_is_string(v) && inet_pton(AF_INET6, json_string_value(v), a) == 1))
		return true;
	fail(call, "home_address must be an IPv6 address in quotes");
	return false;
}

static json_t *verb_bindings(struct control_call *call, json_t *args)
{
	struct ha_binding_info i;
	struct listing *l;
	struct in6_addr a;
	bool given;

	if (!wants_home_agent(call) || !get_home_address(call, args, &a, &given))
		return NULL;
	if (given) {
		if (!ha_find(call->backend->ha, &a, &i))
			return fail(call, "there is no binding for %s", in6_str(&a));
		return json_pack("[o]", control_json_binding(&i));
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return fail(call, "out of memory");
	ha_foreach(call->backend->ha, note, l);
	if (l->failed) {
		listing_free(l);
		return fail(call, "out of memory");
	}
	call->parts = (struct control_parts){listing_next, listing_free, l};
	return NULL;
}

static json_t *verb_remove(struct control_call *call, json_t *args)
{
	struct ha_binding_info i;
	struct in6_addr a;
	json_t *answer;
	bool given;

	if (!wants_home_agent(call) || !get_home_address(call, args, &a, &given))
		return NULL;
	if (!given)
		return fail(call, "home_address is missing");
	if (!ha_find(call->backend->ha, &a, &i))
		return fail(call, "there is no binding for %s", in6_str(&a));
	answer = control_json_binding(&i); /* before what it points to is gone */
	if (ha_remove(call->backend->ha, &a))
		return answer;
	json_decref(answer);
	return fail(call, "there is no binding for %s", in6_str(&a));
}

/* ---- what home agents tell nodes ---- */

/* The numbers of RFC 5846 5.1 that a home agent has a use for. */
static bool get_trigger(struct control_call *call, json_t *args, uint8_t *trigger)
{
	static const struct {
		const char *name;
		uint8_t trigger;
	} names[] = {
		{"unspecified", BR_T_UNSPECIFIED},
		{"administrative", BR_T_ADMINISTRATIVE},
		{"user", BR_T_USER},
		{"access-network", BR_T_ACCESS_NETWORK},
		{"out-of-sync", BR_T_OUT_OF_SYNC},
	};
	json_t *v = json_object_get(args, "reason");

	*trigger = BR_T_ADMINISTRATIVE;
	if (!v)
		return true;
	for (size_t i = 0; json_is_string(v) && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, json_string_value(v)) == 0) {
			*trigger = names[i].trigger;
			return true;
		}
	fail(call, "reason must be \"administrative\", \"unspecified\", \"user\", "
		   "\"access-network\" or \"out-of-sync\"");
	return false;
}

static json_t *verb_revoke(struct control_call *call, json_t *args)
{
	struct ha_binding_info i;
	struct in6_addr a;
	uint8_t trigger;
	bool given;
	int err;

	if (!wants_home_agent(call) || !get_home_address(call, args, &a, &given) ||
		!get_trigger(call, args, &trigger))
		return NULL;
	if (!given)
		return fail(call, "home_address is missing");
	err = ha_revoke(call->backend->ha, &a, trigger);
	if (err == -EALREADY)
		return fail(call, "the binding of %s is being revoked already", in6_str(&a));
	if (err == -EBUSY)
		return fail(call, "too many revocations are in progress; try again soon");
	if (err || !ha_find(call->backend->ha, &a, &i))
		return fail(call, "there is no binding for %s", in6_str(&a));
	return control_json_binding(&i);
}

static bool get_home_agents(
	struct control_call *call, json_t *args, struct in6_addr *to, size_t *n)
{
	json_t *list = json_object_get(args, "home_agents"), *v;
	size_t i;

	*n = 0;
	if (list && (!json_is_array(list) || json_array_size(list) > HA_SWITCH_MAX_ADDRESSES)) {
		fail(call, "home_agents must be a list of at most %d addresses",
			HA_SWITCH_MAX_ADDRESSES);
		return false;
	}
	json_array_foreach(list, i, v) if (!json_is_string(v) ||
					   inet_pton(AF_INET6, json_string_value(v), &to[i]) != 1 ||
					   !in6_is_routable_unicast(&to[i]))
	{
		fail(call, "home_agents must be unicast IPv6 addresses in quotes");
		return false;
	}
	*n = json_array_size(list);
	return true;
}

/* Without home_address: all nodes, one after the other. */
static json_t *verb_switch(struct control_call *call, json_t *args)
{
	struct in6_addr a, agents[HA_SWITCH_MAX_ADDRESSES];
	bool given;
	size_t n;
	int err;

	if (!wants_home_agent(call) || !get_home_address(call, args, &a, &given) ||
		!get_home_agents(call, args, agents, &n))
		return NULL;
	err = given ? ha_switch_node(call->backend->ha, &a, agents, n)
		    : ha_switch_all(call->backend->ha, agents, n);
	if (err == -ENOENT)
		return fail(call, "there is no binding for %s", in6_str(&a));
	if (err)
		return fail(call, "out of memory");
	return json_pack("{s:I}", "nodes",
		given ? (json_int_t)1 : (json_int_t)ha_count(call->backend->ha));
}

/* ---- others ---- */

static json_t *verb_status(struct control_call *call, json_t *args)
{
	(void)args;
	return control_json_status(call->backend);
}

static json_t *verb_stats(struct control_call *call, json_t *args)
{
	(void)args;
	return control_json_stats(call->backend);
}

static bool add_link(void *arg, const struct mn_link_info *i)
{
	json_array_append_new(arg, control_json_link(i));
	return true;
}

static json_t *verb_links(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!wants_mobile_node(call))
		return NULL;
	all = json_array();
	mn_foreach_link(call->backend->mn, add_link, all);
	return all;
}

static json_t *verb_prefer(struct control_call *call, json_t *args)
{
	json_t *name = json_object_get(args, "interface"),
	       *preference = json_object_get(args, "preference");
	int64_t wanted = json_integer_value(preference);

	if (!wants_mobile_node(call))
		return NULL;
	if (!json_is_string(name))
		return fail(call, "interface must be the name of an interface in quotes");
	if (!json_is_integer(preference) || wanted < 0 || wanted > CONFIG_MAX_PREFERENCE)
		return fail(call, "preference must be a number from 0 to %d",
			CONFIG_MAX_PREFERENCE);
	if (!mn_prefer(call->backend->mn, (int)if_nametoindex(json_string_value(name)),
		    (int)wanted))
		return fail(call, "%.16s is none of the interfaces of this mobile node",
			json_string_value(name));
	return verb_links(call, args);
}

static json_t *verb_monitor(struct control_call *call, json_t *args)
{
	(void)args;
	call->monitor = true;
	return json_null();
}

static const char *const no_args[] = {NULL};
static const char *const ro_args[] = {"action", "peer", NULL};
static const char *const kbm_args[] = {
	"action", "local", "peer", "kcn", "home_nonce", "care_of_nonce", NULL};
static const char *const prefer_args[] = {"interface", "preference", NULL};
static const char *const address_args[] = {"home_address", NULL};

static const char *const revoke_args[] = {"home_address", "reason", NULL};
static const char *const switch_args[] = {"home_address", "home_agents", NULL};

static const char *const gateway_args[] = {"what", NULL};
static const char *const sessions_args[] = {"end", NULL};
static const char *const ipsec_args[] = {"action", NULL};
static const char *const prefixes_args[] = {"action", "prefix", "valid", "preferred", NULL};

const struct control_verb control_verbs[] = {
	{"status", no_args, verb_status},
	{"bindings", address_args, verb_bindings},
	{"links", no_args, verb_links},
	{"prefer", prefer_args, verb_prefer},
	{"stats", no_args, verb_stats},
	{"monitor", no_args, verb_monitor},
	{"remove", address_args, verb_remove},
	{"correspondents", no_args, control_verb_correspondents},
	{"correspondent-bindings", no_args, control_verb_correspondent_bindings},
	{"ro", ro_args, control_verb_ro},
	{"kbm", kbm_args, control_verb_kbm},
	{"sessions", sessions_args, control_verb_sessions},
	{"revoke", revoke_args, verb_revoke},
	{"switch", switch_args, verb_switch},
	{"home-agents", no_args, control_verb_home_agents},
	{"prefixes", prefixes_args, control_verb_prefixes},
	{"sas", address_args, control_verb_sas},
	{"ipsec", ipsec_args, control_verb_ipsec},
	{"gateway", gateway_args, control_verb_gateway},
	{NULL, NULL, NULL},
};

const struct control_verb *control_request(
	const char *line, size_t len, json_t **args, char *error, size_t cap)
{
	return control_read(control_verbs, line, len, args, error, cap);
}

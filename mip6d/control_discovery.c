/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs home-agents and prefixes: what discovery has told (RFC 6275 10.5, 10.6, 11.4). */
#include <stdio.h>

#include "mip6d/control_internal.h"
#include "mip6d/proto/mn.h"

static bool add_candidate(void *arg, const struct mn_candidate *c)
{
	json_array_append_new(arg,
		json_pack("{s:s, s:s}", "address", in6_str(&c->addr), "state",
			mn_candidate_state_name(c->state)));
	return true;
}

json_t *control_verb_home_agents(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->mn)
		return control_fail(call, "this daemon is not a mobile node");
	all = json_array();
	mn_foreach_candidate(call->backend->mn, add_candidate, all);
	return all;
}

/* Absent: for ever, or not known. */
static void put_lifetime(json_t *o, const char *key, uint32_t s)
{
	if (s != UINT32_MAX)
		json_object_set_new(o, key, json_integer(s));
}

static bool add_prefix(void *arg, const struct mn_home_prefix_info *i)
{
	char text[64];
	json_t *o;

	snprintf(text, sizeof(text), "%s/%u", in6_str(&i->prefix.addr), i->prefix.plen);
	o = json_pack("{s:s, s:s, s:b, s:b}", "prefix", text, "home_address",
		in6_str(&i->home_address), "in_use", i->in_use, "advertised", i->known);
	put_lifetime(o, "valid_s", i->valid_s);
	put_lifetime(o, "preferred_s", i->preferred_s);
	json_array_append_new(arg, o);
	return true;
}

json_t *control_verb_prefixes(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->mn)
		return control_fail(call, "this daemon is not a mobile node");
	all = json_array();
	mn_foreach_home_prefix(call->backend->mn, add_prefix, all);
	return all;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about home agents of a home link and its prefixes (RFC 6275 10.5, 10.6). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

/* Absent: for ever, or not known. */
static void put_lifetime(json_t *o, const char *key, uint32_t s)
{
	if (s != UINT32_MAX)
		json_object_set_new(o, key, json_integer(s));
}

/* ---- home agents ---- */

static bool add_candidate(void *arg, const struct mn_candidate *c)
{
	json_array_append_new(arg,
		json_pack("{s:s, s:s}", "address", in6_str(&c->addr), "state",
			mn_candidate_state_name(c->state)));
	return true;
}

/* An element for each address. */
static bool add_agent(void *arg, const struct ha_agent_info *i)
{
	for (size_t k = 0; k < i->n_addrs; k++) {
		json_t *o = json_pack("{s:s, s:b, s:I, s:b}", "address", in6_str(&i->addrs[k]), "own",
			i->own, "preference", (json_int_t)i->preference, "mobile_routers",
			i->mobile_routers);

		if (!i->own)
			json_object_set_new(
				o, "link_local", json_string(in6_str(&i->link_local)));
		put_lifetime(o, "lifetime_s", i->lifetime_s);
		json_array_append_new(arg, o);
	}
	return true;
}

json_t *control_verb_home_agents(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->ha && !call->backend->mn)
		return control_fail(
			call, "this daemon is neither home agent nor mobile node, or not ready yet");
	all = json_array();
	if (call->backend->ha)
		ha_foreach_agent(call->backend->ha, add_agent, all);
	else
		mn_foreach_candidate(call->backend->mn, add_candidate, all);
	return all;
}

/* ---- prefixes ---- */

static bool add_mn_prefix(void *arg, const struct mn_home_prefix_info *i)
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

static bool add_ha_prefix(void *arg, const struct ha_prefix *p)
{
	char text[64];
	json_t *o;

	snprintf(text, sizeof(text), "%s/%u", in6_str(&p->prefix.addr), p->prefix.plen);
	o = json_pack("{s:s}", "prefix", text);
	put_lifetime(o, "valid_s", p->valid_s);
	put_lifetime(o, "preferred_s", p->preferred_s);
	json_array_append_new(arg, o);
	return true;
}

static bool get_prefix(struct control_call *call, json_t *args, struct ip6_prefix *p)
{
	const char *text = json_string_value(json_object_get(args, "prefix"));

	if (text && ip6_prefix_parse(text, p))
		return true;
	control_fail(call, "prefix must be like \"2001:db8:1::/64\", with zeros behind its length");
	return false;
}

/* Seconds, or "infinite". */
static bool get_lifetime(struct control_call *call, json_t *args, const char *name, uint32_t *s)
{
	json_t *v = json_object_get(args, name);
	const char *text = json_string_value(v);

	*s = UINT32_MAX;
	if (text && strcmp(text, "infinite") == 0)
		return true;
	if (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= INT32_MAX) {
		*s = (uint32_t)json_integer_value(v);
		return true;
	}
	control_fail(call, "%s must be a number of seconds, or \"infinite\"", name);
	return false;
}

static bool change(struct control_call *call, json_t *args, bool set)
{
	struct ip6_prefix p;
	uint32_t valid_s = 0, preferred_s = 0;
	int err;

	if (!get_prefix(call, args, &p))
		return false;
	if (set && (!get_lifetime(call, args, "valid", &valid_s) ||
			   !get_lifetime(call, args, "preferred", &preferred_s)))
		return false;
	err = ha_set_prefix(call->backend->ha, &p, valid_s, preferred_s);
	if (err == -ENOENT)
		control_fail(call, "there is no home prefix %s/%u", in6_str(&p.addr), p.plen);
	else if (err == -ENOSPC)
		control_fail(call, "there are %d home prefixes already", HA_MAX_PREFIXES);
	else if (err)
		control_fail(call, "the preferred lifetime must not be longer than the valid one, "
				   "nor the prefix longer than 120 bits");
	return !err;
}

static json_t *ha_prefixes(struct control_call *call, json_t *args)
{
	json_t *action = json_object_get(args, "action"), *all;
	const char *word = action ? json_string_value(action) : "list";

	if (!word || (strcmp(word, "list") != 0 && strcmp(word, "set") != 0 &&
			     strcmp(word, "remove") != 0))
		return control_fail(call, "action must be \"list\", \"set\" or \"remove\"");
	if (strcmp(word, "list") != 0 && !change(call, args, strcmp(word, "set") == 0))
		return NULL;
	all = json_array();
	ha_foreach_prefix(call->backend->ha, add_ha_prefix, all);
	return all;
}

json_t *control_verb_prefixes(struct control_call *call, json_t *args)
{
	json_t *all;

	if (call->backend->ha)
		return ha_prefixes(call, args);
	if (!call->backend->mn)
		return control_fail(
			call, "this daemon is neither home agent nor mobile node, or not ready yet");
	if (json_object_get(args, "action"))
		return control_fail(call, "this daemon is not a home agent");
	all = json_array();
	mn_foreach_home_prefix(call->backend->mn, add_mn_prefix, all);
	return all;
}

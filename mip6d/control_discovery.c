/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about home agents of a home link and its prefixes (RFC 6275 10.5, 10.6). */
#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/ha.h"

static json_t *address_json(const struct in6_addr *a)
{
	return in6_is_any(a) ? json_null() : json_string(in6_str(a));
}

static json_t *lifetime_json(uint32_t s)
{
	return s == UINT32_MAX ? json_string("infinite") : json_integer((json_int_t)s);
}

/* ---- home agents ---- */

static bool add_agent(void *arg, const struct ha_agent_info *i)
{
	json_t *addresses = json_array();

	for (size_t k = 0; k < i->n_addrs; k++)
		json_array_append_new(addresses, address_json(&i->addrs[k]));
	json_array_append_new(arg,
		json_pack("{s:b, s:o, s:I, s:o, s:b, s:o}", "own", i->own, "link_local",
			address_json(&i->link_local), "preference", (json_int_t)i->preference,
			"lifetime", lifetime_json(i->lifetime_s), "mobile_routers",
			i->mobile_routers, "addresses", addresses));
	return true;
}

json_t *control_verb_home_agents(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->ha)
		return control_fail(call, "this daemon is not a home agent, or not ready yet");
	all = json_array();
	ha_foreach_agent(call->backend->ha, add_agent, all);
	return all;
}

/* ---- prefixes ---- */

static bool add_prefix(void *arg, const struct ha_prefix *p)
{
	json_array_append_new(arg,
		json_pack("{s:o, s:o, s:o}", "prefix",
			json_sprintf("%s/%u", in6_str(&p->prefix.addr), p->prefix.plen), "valid",
			lifetime_json(p->valid_s), "preferred", lifetime_json(p->preferred_s)));
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

json_t *control_verb_prefixes(struct control_call *call, json_t *args)
{
	json_t *action = json_object_get(args, "action"), *all;
	const char *word = action ? json_string_value(action) : "list";

	if (!call->backend->ha)
		return control_fail(call, "this daemon is not a home agent, or not ready yet");
	if (!word || (strcmp(word, "list") != 0 && strcmp(word, "set") != 0 &&
			     strcmp(word, "remove") != 0))
		return control_fail(call, "action must be \"list\", \"set\" or \"remove\"");
	if (strcmp(word, "list") != 0 && !change(call, args, strcmp(word, "set") == 0))
		return NULL;
	all = json_array();
	ha_foreach_prefix(call->backend->ha, add_prefix, all);
	return all;
}

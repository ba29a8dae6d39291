/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The group home_agent.  Bounds from RFC 6275: a home address belongs to a
 * home prefix (9.5.1, 10.3.1), the refresh interval is less than the lifetime
 * (6.2.4).
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/config_read.h"

static const struct config_key prefix_keys[] = {
	CONFIG_KEY("prefix", config_read_prefix, offsetof(struct config_prefix, prefix),
		CONFIG_EXAMPLE_PREFIX, .required = true),
	CONFIG_KEY("valid_lifetime", config_read_lifetime, offsetof(struct config_prefix, valid_s),
		"2592000", .min = 1, .max = INT32_MAX, .unit = "s"),
	CONFIG_KEY("preferred_lifetime", config_read_lifetime,
		offsetof(struct config_prefix, preferred_s), "604800", .min = 0, .max = INT32_MAX,
		.unit = "s"),
	{.name = NULL},
};

static void check_lifetimes(
	struct config_reader *r, const config_setting_t *s, struct config_prefix *p)
{
	const config_setting_t *preferred = config_good(s, "preferred_lifetime");

	if (!preferred && p->preferred_s > p->valid_s)
		p->preferred_s = p->valid_s; /* the default is not to contradict what is written */
	if (p->preferred_s > p->valid_s)
		config_complain(r, preferred,
			"is longer than valid_lifetime, which RFC 4861 4.6.2 forbids; write %u or "
			"less",
			p->valid_s);
}

static void read_one_prefix(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, struct config_prefix *p)
{
	*p = (struct config_prefix){.valid_s = CONFIG_INFINITE, .preferred_s = CONFIG_INFINITE};
	if (config_setting_type(s) == CONFIG_TYPE_GROUP) {
		config_read_group(r, prefix_keys, s, p);
		check_lifetimes(r, s, p);
	} else {
		struct config_key plain = *k;

		plain.example = CONFIG_EXAMPLE_PREFIX;
		config_read_prefix(r, &plain, s, &p->prefix);
	}
}

static bool overlap(const struct ip6_prefix *a, const struct ip6_prefix *b)
{
	uint8_t plen = a->plen < b->plen ? a->plen : b->plen;

	/* length 0 is one that could not be read */
	return a->plen && b->plen && in6_in_prefix(&a->addr, &b->addr, plen);
}

static bool read_prefixes(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_home_agent *ha = field;
	size_t before = r->faults;
	int n = config_list_length(r, k, s, CONFIG_MAX_PREFIXES, "prefixes");

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		struct config_prefix *p = &ha->prefixes[i];

		read_one_prefix(r, k, e, p);
		for (int j = 0; j < i; j++) {
			const struct ip6_prefix *q = &ha->prefixes[j].prefix;

			if (overlap(&p->prefix, q)) {
				config_complain(r, e,
					"%s/%u overlaps with %s/%u above; keep one of them",
					in6_str(&p->prefix.addr), p->prefix.plen, in6_str(&q->addr),
					q->plen);
				break;
			}
		}
	}
	ha->n_prefixes = (size_t)n;
	return r->faults == before;
}

/* With its place in the list, so that a fault can be shown there after sorting. */
struct listed {
	struct in6_addr addr;
	unsigned place;
};

static int listed_cmp(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int c = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return c ? c : (x->place > y->place) - (x->place < y->place);
}

static void sort_home_addresses(struct config_reader *r, const config_setting_t *s,
	struct config_home_agent *ha, struct listed *all, size_t n)
{
	qsort(all, n, sizeof(*all), listed_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && in6_equal(&all[i].addr, &all[i - 1].addr))
			config_complain(r, config_setting_get_elem(s, all[i].place),
				"%s is listed twice; remove one of the two", in6_str(&all[i].addr));
		ha->home_addresses[i] = all[i].addr;
	}
	ha->n_home_addresses = n;
}

static bool read_home_addresses(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_home_agent *ha = field;
	struct config_key plain = *k;
	size_t before = r->faults, n = 0;
	struct listed *all;
	int length = config_setting_length(s);

	if (!config_is_list(r, k, s))
		return false;
	all = calloc((size_t)length, sizeof(*all));
	ha->home_addresses = calloc((size_t)length, sizeof(*ha->home_addresses));
	if (!all || !ha->home_addresses) {
		free(all);
		config_complain(r, s,
			"out of memory; %d home addresses are too many for this machine", length);
		return false;
	}
	plain.example = CONFIG_EXAMPLE_HOME;
	for (int i = 0; i < length; i++) {
		all[n].place = (unsigned)i;
		n += config_read_address(
			r, &plain, config_setting_get_elem(s, (unsigned)i), &all[n].addr);
	}
	sort_home_addresses(r, s, ha, all, n);
	free(all);
	return r->faults == before;
}

static const struct config_key home_agent_keys[] = {
	CONFIG_KEY("address", config_read_address, offsetof(struct config_home_agent, address),
		CONFIG_EXAMPLE_HA, .required = true),
	CONFIG_KEY("home_link", config_read_ifname, offsetof(struct config_home_agent, home_link),
		"\"eth0\""),
	CONFIG_KEY("home_prefixes", read_prefixes, 0, "( " CONFIG_EXAMPLE_PREFIX " )",
		.required = true),
	CONFIG_KEY("home_addresses", read_home_addresses, 0, "( " CONFIG_EXAMPLE_HOME " )"),
	CONFIG_KEY("mobile_routers", config_read_mobile_routers, 0, CONFIG_EXAMPLE_ROUTER),
	CONFIG_KEY("max_lifetime", config_read_u32,
		offsetof(struct config_home_agent, max_lifetime_s), "86400",
		.min = MIP6_LIFETIME_UNIT, .max = CONFIG_MAX_LIFETIME,
		.multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("refresh_advice", config_read_u32,
		offsetof(struct config_home_agent, refresh_advice_s), "0", .min = 0,
		.max = CONFIG_MAX_LIFETIME, .multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("max_bindings", config_read_u32,
		offsetof(struct config_home_agent, max_bindings), "100000", .min = 1,
		.max = 10000000),
	CONFIG_KEY("optimistic", config_read_bool, offsetof(struct config_home_agent, optimistic),
		"true"),
	CONFIG_KEY("heartbeat", config_read_heartbeat,
		offsetof(struct config_home_agent, heartbeat), "{ interval = 60; missed = 3; }"),
	CONFIG_KEY("revocation", config_read_revocation,
		offsetof(struct config_home_agent, revocation),
		"{ retries = 1; timeout = 1000; max_timeout = 2000; }"),
	CONFIG_KEY("preference", config_read_u32, offsetof(struct config_home_agent, preference), "0",
		.min = 0, .max = UINT16_MAX),
	CONFIG_KEY("min_prefix_interval", config_read_u32,
		offsetof(struct config_home_agent, min_prefix_interval_s), "600", .min = 0,
		.max = 86400, .unit = "s"),
	CONFIG_KEY("max_prefix_interval", config_read_u32,
		offsetof(struct config_home_agent, max_prefix_interval_s), "86400", .min = 1,
		.max = 2592000, .unit = "s"),
	CONFIG_KEY("switch_rate", config_read_u32, offsetof(struct config_home_agent, switch_rate),
		"1", .min = 1, .max = 1000, .unit = "nodes a second"),
	CONFIG_KEY("identifiers", config_read_identifiers, 0, "( " CONFIG_EXAMPLE_IDENTIFIER " )"),
	CONFIG_KEY("tunnel", config_read_ifname, offsetof(struct config_home_agent, tunnel),
		"\"mip6ha0\""),
	CONFIG_KEY("ipsec", config_read_choice, offsetof(struct config_home_agent, ipsec), "\"none\", \"manual\" or \"strongswan\"",
		.required = true, .choices = config_ipsec_managers),
	{.name = NULL},
};

static const struct ip6_prefix *prefix_of(
	const struct config_home_agent *ha, const struct in6_addr *a)
{
	for (size_t i = 0; i < ha->n_prefixes; i++)
		if (in6_in_prefix(a, &ha->prefixes[i].prefix.addr, ha->prefixes[i].prefix.plen))
			return &ha->prefixes[i].prefix;
	return NULL;
}

static const config_setting_t *element_for(const config_setting_t *list, const struct in6_addr *a)
{
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *e = config_setting_get_elem(list, (unsigned)i);
		struct config_key k = {.example = CONFIG_EXAMPLE_HOME};
		struct config_reader silent = {0};
		struct in6_addr b;

		if (config_read_address(&silent, &k, e, &b) && in6_equal(a, &b))
			return e;
	}
	return list;
}

static void check_home_addresses(
	struct config_reader *r, const config_setting_t *group, const struct config_home_agent *ha)
{
	const config_setting_t *list = config_good(group, "home_addresses"), *max;

	if (!list || !config_good(group, "home_prefixes"))
		return;
	for (size_t i = 0; i < ha->n_home_addresses && r->faults < CONFIG_MAX_ERRORS; i++) {
		const struct in6_addr *a = &ha->home_addresses[i];
		const struct ip6_prefix *p = prefix_of(ha, a);

		if (!p)
			config_complain(r, element_for(list, a),
				"%s is in none of the home_prefixes; correct it, or add its prefix "
				"there",
				in6_str(a));
		else if (config_is_anycast(a, p))
			config_complain(r, element_for(list, a),
				"%s is the subnet-router anycast address of its prefix; write "
				"another",
				in6_str(a));
		else if (in6_equal(a, &ha->address))
			config_complain(r, element_for(list, a),
				"%s is the home agent's own address; write another", in6_str(a));
	}
	max = config_good(group, "max_bindings");
	if (ha->n_home_addresses > ha->max_bindings)
		config_complain(r, max ? max : list,
			"there are %zu home_addresses but only %u bindings are allowed; write "
			"max_bindings = %zu or more",
			ha->n_home_addresses, ha->max_bindings, ha->n_home_addresses);
}

static void check_home_agent(
	struct config_reader *r, const config_setting_t *group, const struct config_home_agent *ha)
{
	const config_setting_t *address = config_good(group, "address"),
			       *link = config_good(group, "home_link"),
			       *advice = config_good(group, "refresh_advice"),
			       *interval = config_good(group, "max_prefix_interval");

	if (address && config_good(group, "home_prefixes")) {
		const struct ip6_prefix *p = prefix_of(ha, &ha->address);

		if (!p && link)
			config_complain(r, address,
				"%s is in none of the home_prefixes, but stands on the home link; "
				"write an address of %s/%u",
				in6_str(&ha->address), in6_str(&ha->prefixes[0].prefix.addr),
				ha->prefixes[0].prefix.plen);
		else if (p && config_is_anycast(&ha->address, p))
			config_complain(r, address,
				"%s is the subnet-router anycast address of its prefix; write "
				"another",
				in6_str(&ha->address));
	}
	if (link && strcmp(ha->home_link, ha->tunnel) == 0)
		config_complain(r, link, "is also the name of the tunnel; write tunnel = \"%s\"",
			strcmp(ha->home_link, "mip6ha0") == 0 ? "mip6ha1" : "mip6ha0");
	if (advice && ha->refresh_advice_s >= ha->max_lifetime_s)
		config_complain(r, advice,
			"%u s is not less than max_lifetime, as RFC 6275 6.2.4 wants; write %u or "
			"less, or 0 for no advice",
			ha->refresh_advice_s, ha->max_lifetime_s - MIP6_LIFETIME_UNIT);
	if (ha->min_prefix_interval_s > ha->max_prefix_interval_s)
		config_complain(r, interval ? interval : group,
			"is shorter than min_prefix_interval; write max_prefix_interval = %u or "
			"more",
			ha->min_prefix_interval_s);
	check_home_addresses(r, group, ha);
	config_check_mobile_routers(r, group, ha);
}

bool config_read_home_agent(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, home_agent_keys, s, field);
	check_home_agent(r, s, field);
	return true;
}

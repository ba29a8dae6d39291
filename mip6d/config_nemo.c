/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile routers (RFC 3963): home_agent.mobile_routers, which is the Prefix
 * Table of 6.1.2, and mobile_node.mobile_router.  Networks never overlap, or
 * a packet would belong to two of them.
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/config.h"
#include "mip6d/config_read.h"

#define EXAMPLE_NETWORK "\"2001:db8:100::/56\""

static const char *const mode_names[] = {"implicit", "explicit", NULL};

/* ---- lists of prefixes ---- */

struct prefixes {
	size_t n;
	struct ip6_prefix list[CONFIG_MAX_NETWORKS];
};

static bool read_networks(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_key plain = {.example = EXAMPLE_NETWORK};
	struct prefixes *p = field;
	int n = config_list_length(r, k, s, CONFIG_MAX_NETWORKS, "prefixes");
	bool good = true;

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++)
		good &= config_read_prefix(
			r, &plain, config_setting_get_elem(s, (unsigned)i), &p->list[i]);
	p->n = (size_t)n;
	return good;
}

/* ---- home agent ---- */

struct mobile_router {
	struct in6_addr home_address;
	struct prefixes prefixes;
};

static const struct config_key table_keys[] = {
	CONFIG_KEY("home_address", config_read_address,
		offsetof(struct mobile_router, home_address), CONFIG_EXAMPLE_HOME,
		.required = true),
	CONFIG_KEY("prefixes", read_networks, offsetof(struct mobile_router, prefixes),
		"( " EXAMPLE_NETWORK " )", .required = true),
	{.name = NULL},
};

static bool add_rows(struct config_home_agent *ha, const struct mobile_router *m)
{
	size_t n = ha->n_networks + m->prefixes.n;
	struct prefix_row *rows = realloc(ha->networks, n * sizeof(*rows));

	if (!rows)
		return false;
	ha->networks = rows;
	for (size_t i = 0; i < m->prefixes.n; i++)
		rows[ha->n_networks++] = (struct prefix_row){
			.home_address = m->home_address, .prefix = m->prefixes.list[i]};
	return true;
}

/* The group of a home address, so that a fault can be shown there after sorting. */
static const config_setting_t *group_of(const config_setting_t *list, const struct in6_addr *home)
{
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *g = config_setting_get_elem(list, (unsigned)i), *e;
		struct config_key k = {.example = CONFIG_EXAMPLE_HOME};
		struct config_reader silent = {0};
		struct in6_addr a;

		e = config_good(g, "home_address");
		if (e && config_read_address(&silent, &k, e, &a) && in6_equal(&a, home))
			return g;
	}
	return list;
}

static void check_rows(
	struct config_reader *r, const config_setting_t *s, struct config_home_agent *ha)
{
	struct prefix_row *rows = ha->networks;
	size_t same = 0, i = prefix_rows_overlap(rows, ha->n_networks);

	if (i)
		config_complain(r, group_of(s, &rows[i].home_address),
			"%s/%u overlaps with %s/%u of %s; no packet can belong to two networks, "
			"keep one of them",
			in6_str(&rows[i].prefix.addr), rows[i].prefix.plen,
			in6_str(&rows[i - 1].prefix.addr), rows[i - 1].prefix.plen,
			in6_str(&rows[i - 1].home_address));
	qsort(rows, ha->n_networks, sizeof(*rows), prefix_row_cmp);
	for (i = 1; i < ha->n_networks; i++) {
		same = in6_equal(&rows[i].home_address, &rows[i - 1].home_address) ? same + 1 : 0;
		if (same == CONFIG_MAX_NETWORKS)
			config_complain(r, group_of(s, &rows[i].home_address),
				"%s has more than %d prefixes; join some of them",
				in6_str(&rows[i].home_address), CONFIG_MAX_NETWORKS);
	}
}

bool config_read_mobile_routers(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_home_agent *ha = field;
	size_t before = r->faults;

	if (!config_is_list(r, k, s))
		return false;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *g = config_setting_get_elem(s, (unsigned)i);
		struct mobile_router m = {.prefixes = {0}};

		if (config_setting_type(g) != CONFIG_TYPE_GROUP) {
			config_complain(r, g,
				"is no mobile router; write { home_address = " CONFIG_EXAMPLE_HOME
				"; prefixes = ( " EXAMPLE_NETWORK " ); }");
			continue;
		}
		config_read_group(r, table_keys, g, &m);
		if (!add_rows(ha, &m)) {
			config_complain(r, g, "out of memory; there are too many networks");
			return false;
		}
	}
	if (r->faults == before)
		check_rows(r, s, ha);
	return r->faults == before;
}

static bool may_register(const struct config_home_agent *ha, const struct in6_addr *home_address)
{
	bool in = false;

	for (size_t i = 0; i < ha->n_prefixes && !in; i++)
		in = in6_in_prefix(
			home_address, &ha->prefixes[i].prefix.addr, ha->prefixes[i].prefix.plen);
	for (size_t i = 0; i < ha->n_home_addresses && in; i++)
		if (in6_equal(&ha->home_addresses[i], home_address))
			return true;
	return in && !ha->n_home_addresses;
}

void config_check_mobile_routers(
	struct config_reader *r, const config_setting_t *group, const struct config_home_agent *ha)
{
	const config_setting_t *list = config_good(group, "mobile_routers");
	const config_setting_t *listed = config_setting_get_member(group, "home_addresses");
	bool known = config_good(group, "home_prefixes") &&
		     (!listed || config_good(group, "home_addresses"));

	for (size_t i = 0; list && i < ha->n_networks && r->faults < CONFIG_MAX_ERRORS; i++) {
		const struct prefix_row *p = &ha->networks[i];
		const config_setting_t *g = group_of(list, &p->home_address);

		if (in6_in_prefix(&ha->address, &p->prefix.addr, p->prefix.plen))
			config_complain(r, g,
				"%s/%u contains the home agent's own address; write a prefix of "
				"the mobile network alone",
				in6_str(&p->prefix.addr), p->prefix.plen);
		if (i && in6_equal(&p[-1].home_address, &p->home_address))
			continue;
		if (known && !may_register(ha, &p->home_address))
			config_complain(r, g,
				"%s may not register: it is in none of the home_prefixes, or not "
				"among the home_addresses; add it there",
				in6_str(&p->home_address));
	}
}

/* ---- mobile node ---- */

static bool read_ingress(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_mobile_router *m = field;
	struct config_key plain = {.example = "\"eth1\""};
	int n = config_list_length(r, k, s, CONFIG_MAX_INTERFACES, "interfaces");
	bool good = true;

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++)
		good &= config_read_ifname(
			r, &plain, config_setting_get_elem(s, (unsigned)i), m->ingress[i]);
	m->n_ingress = (size_t)n;
	return good;
}

static bool read_own_networks(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_mobile_router *m = field;
	struct prefixes p = {0};

	if (!read_networks(r, k, s, &p))
		return false;
	for (size_t i = 0; i < p.n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!ip6_prefix_contains(&p.list[i], &p.list[j]) &&
				!ip6_prefix_contains(&p.list[j], &p.list[i]))
				continue;
			config_complain(r, config_setting_get_elem(s, (unsigned)i),
				"%s/%u overlaps with %s/%u above; keep one of them",
				in6_str(&p.list[i].addr), p.list[i].plen, in6_str(&p.list[j].addr),
				p.list[j].plen);
			return false;
		}
		m->networks[i] = p.list[i];
	}
	m->n_networks = p.n;
	return true;
}

static const struct config_key router_keys[] = {
	CONFIG_KEY("prefixes", read_own_networks, 0, "( " EXAMPLE_NETWORK " )", .required = true),
	CONFIG_KEY("mode", config_read_choice_bool,
		offsetof(struct config_mobile_router, explicit_mode), "\"implicit\"",
		.choices = mode_names),
	CONFIG_KEY("ingress", read_ingress, 0, "( \"eth1\" )", .required = true),
	{.name = NULL},
};

bool config_read_mobile_router(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_mobile_node *mn = field;
	size_t before = r->faults;

	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, router_keys, s, &mn->router);
	return r->faults == before;
}

static bool is_used(const struct config_mobile_node *mn, const char *name)
{
	for (size_t i = 0; i < mn->n_interfaces; i++)
		if (strcmp(mn->interfaces[i].name, name) == 0)
			return true;
	return strcmp(mn->tunnel, name) == 0;
}

void config_check_mobile_router(
	struct config_reader *r, const config_setting_t *group, const struct config_mobile_node *mn)
{
	const config_setting_t *s = config_good(group, "mobile_router"),
			       *agent = config_good(group, "home_agent");

	for (size_t i = 0; s && i < mn->router.n_ingress; i++)
		if (is_used(mn, mn->router.ingress[i]))
			config_complain(r, config_setting_get_member(s, "ingress"),
				"\"%s\" leads out of the mobile network; write the interfaces that "
				"lead into it",
				mn->router.ingress[i]);
	for (size_t i = 0; s && agent && i < mn->router.n_networks; i++) {
		const struct ip6_prefix *p = &mn->router.networks[i];

		if (in6_in_prefix(&mn->home_agent, &p->addr, p->plen))
			config_complain(r, config_setting_get_member(s, "prefixes"),
				"%s/%u contains the home agent's address; write a prefix of the "
				"mobile network alone",
				in6_str(&p->addr), p->plen);
	}
}

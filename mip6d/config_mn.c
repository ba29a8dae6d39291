/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group mobile_node. */
#include <string.h>

#include "mip6d/config_read.h"

static const char *const uplink_names[] = {"optimistic", "cautious", NULL};
static const char *const movement_names[] = {"lazy", "eager", NULL};
static const char *const iid_names[] = {"eui64", "random", NULL};

static const struct config_key interface_keys[] = {
	CONFIG_KEY("name", config_read_ifname, offsetof(struct config_interface, name), "\"wlan0\"",
		.required = true),
	CONFIG_KEY("preference", config_read_int, offsetof(struct config_interface, preference),
		"10", .min = 0, .max = CONFIG_MAX_PREFERENCE),
	{.name = NULL},
};

static bool read_interfaces(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_mobile_node *mn = field;
	size_t before = r->faults;
	int n = config_list_length(r, k, s, CONFIG_MAX_INTERFACES, "interfaces");

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		struct config_interface *c = &mn->interfaces[i];
		struct config_key plain = {
			.example = "\"wlan0\" or { name = \"wlan0\"; preference = 10; }"};

		if (config_setting_type(e) == CONFIG_TYPE_GROUP)
			config_read_group(r, interface_keys, e, c);
		else
			config_read_ifname(r, &plain, e, c->name);
		for (int j = 0; j < i; j++)
			if (c->name[0] && strcmp(c->name, mn->interfaces[j].name) == 0) {
				config_complain(r, e,
					"\"%s\" is listed twice; remove one of the two", c->name);
				break;
			}
	}
	mn->n_interfaces = (size_t)n;
	return r->faults == before;
}

/* An address, or "auto": :: for Dynamic Home Agent Address Discovery. */
static bool read_agent(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_setting_get_string(s);

	if (!text || strcmp(text, "auto") != 0)
		return config_read_address(r, k, s, field);
	*(struct in6_addr *)field = in6addr_any;
	return true;
}

static const struct config_key mobile_node_keys[] = {
	CONFIG_KEY("home_address", config_read_home_address,
		offsetof(struct config_mobile_node, home_address), CONFIG_EXAMPLE_HOME,
		.required = true),
	CONFIG_KEY("home_prefix", config_read_prefix,
		offsetof(struct config_mobile_node, home_prefix), CONFIG_EXAMPLE_PREFIX),
	CONFIG_KEY("home_agent", read_agent, offsetof(struct config_mobile_node, home_agent),
		CONFIG_EXAMPLE_HA, .required = true),
	CONFIG_KEY("interfaces", read_interfaces, 0, "( { name = \"wlan0\"; } )", .required = true),
	CONFIG_KEY("lifetime", config_read_u32, offsetof(struct config_mobile_node, lifetime_s),
		"600", .min = MIP6_LIFETIME_UNIT, .max = CONFIG_MAX_LIFETIME,
		.multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("uplink", config_read_choice_bool, offsetof(struct config_mobile_node, cautious),
		"\"optimistic\"", .choices = uplink_names),
	CONFIG_KEY("optimistic_dad", config_read_bool,
		offsetof(struct config_mobile_node, optimistic_dad), "true"),
	CONFIG_KEY("movement", config_read_choice_bool, offsetof(struct config_mobile_node, eager),
		"\"lazy\"", .choices = movement_names),
	CONFIG_KEY("interface_id", config_read_choice_bool,
		offsetof(struct config_mobile_node, random_iid), "\"eui64\"", .choices = iid_names),
	CONFIG_KEY("hold", config_read_u32, offsetof(struct config_mobile_node, hold_ms), "5000",
		.min = 0, .max = 60000, .unit = "ms"),
	CONFIG_KEY("tunnel", config_read_ifname, offsetof(struct config_mobile_node, tunnel),
		"\"mip6mn0\""),
	CONFIG_KEY("heartbeat", config_read_heartbeat,
		offsetof(struct config_mobile_node, heartbeat), "{ interval = 60; missed = 3; }"),
	CONFIG_KEY("identifier", config_read_identifier,
		offsetof(struct config_mobile_node, identifier), CONFIG_EXAMPLE_IDENTIFIER),
	CONFIG_KEY("unprotected_signals", config_read_bool,
		offsetof(struct config_mobile_node, unprotected_signals), "false"),
	/* below 256 are the kernel's own tables (253 to 255) and those that people number by hand */
	CONFIG_KEY("table", config_read_u32, offsetof(struct config_mobile_node, table), "6275",
		.min = 256, .max = 2000000000),
	CONFIG_KEY("mobile_router", config_read_mobile_router, 0,
		"{ prefixes = ( \"2001:db8:100::/56\" ); ingress = ( \"eth1\" ); }"),
	CONFIG_KEY("route_optimization", config_read_ro_rules, 0,
		"( { to = \"::/0\"; when = \"always\"; } )"),
	CONFIG_KEY("max_correspondents", config_read_u32,
		offsetof(struct config_mobile_node, max_correspondents), "256", .min = 1,
		.max = 65536),
	CONFIG_KEY("correspondent_lifetime", config_read_u32,
		offsetof(struct config_mobile_node, correspondent_lifetime_s), "420",
		.min = MIP6_LIFETIME_UNIT, .max = CONFIG_MAX_LIFETIME,
		.multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("correspondent_idle", config_read_u32,
		offsetof(struct config_mobile_node, correspondent_idle_s), "60", .min = 1,
		.max = 86400, .unit = "s"),
	CONFIG_KEY("ipsec", config_read_choice, offsetof(struct config_mobile_node, ipsec), "\"none\", \"manual\" or \"strongswan\"",
		.required = true, .choices = config_ipsec_managers),
	{.name = NULL},
};

static void check_mobile_node(
	struct config_reader *r, const config_setting_t *group, const struct config_mobile_node *mn)
{
	const config_setting_t *home = config_good(group, "home_address"),
			       *agent = config_good(group, "home_agent"),
			       *interfaces = config_good(group, "interfaces");

	if (home && !in6_is_any(&mn->home_address) && config_good(group, "home_prefix")) {
		const struct ip6_prefix *p = &mn->home_prefix;

		if (!in6_in_prefix(&mn->home_address, &p->addr, p->plen))
			config_complain(r, home,
				"%s is not in the home_prefix; write an address of %s/%u",
				in6_str(&mn->home_address), in6_str(&p->addr), p->plen);
		else if (config_is_anycast(&mn->home_address, p))
			config_complain(r, home,
				"%s is the subnet-router anycast address of its prefix; write "
				"another",
				in6_str(&mn->home_address));
	}
	if (home && agent && !in6_is_any(&mn->home_agent) &&
		in6_equal(&mn->home_address, &mn->home_agent))
		config_complain(
			r, agent, "is also the home_address; write the home agent's own address");
	if (agent && in6_is_any(&mn->home_agent) && config_good(group, "home_prefix") &&
		mn->home_prefix.plen > 64)
		config_complain(r, agent,
			"home agents can be discovered where the home_prefix has 64 bits or less "
			"(RFC 2526); write the home agent's address");
	for (size_t i = 0; interfaces && i < mn->n_interfaces; i++)
		if (strcmp(mn->interfaces[i].name, mn->tunnel) == 0)
			config_complain(r, config_setting_get_elem(interfaces, (unsigned)i),
				"\"%s\" is also the name of the tunnel; write another name for the "
				"tunnel",
				mn->tunnel);
	config_check_mobile_router(r, group, mn);
}

bool config_read_mobile_node(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, mobile_node_keys, s, field);
	check_mobile_node(r, s, field);
	return true;
}

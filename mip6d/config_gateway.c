/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group gateway: a security gateway for nodes that are inside or outside (doc/vcm.md). */
#include <stdlib.h>
#include <string.h>

#include "mip6d/config_read.h"

#define MAX_NODES 100000
#define MAX_DENY 1024
#define FIRST_REQID \
	0x560000 /* with manual keys; out of the way of IKE daemons, which count from 1 */
#define LAST_REQID 0x7fffffff
#define EXAMPLE_IA "\"fd00:0:0:1::101\""
#define EXAMPLE_NODE \
	"{ internal_address = \"fd00:0:0:1::101\"; home_address = \"2001:db8:1::100\"; }"
#define EXAMPLE_DENY "( \"fd00:0:0:3::/64\", \"fd00::/32\" )"

/* ---- lists ---- */

static bool read_internal(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_gateway *g = field;

	return config_read_internal(r, k, s, g->internal, &g->n_internal);
}

static bool read_interfaces(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_gateway *g = field;
	int n = config_list_length(r, k, s, CONFIG_MAX_INTERFACES, "interfaces");

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (!config_read_ifname(
			    r, k, config_setting_get_elem(s, (unsigned)i), g->interfaces[i]))
			return false;
	g->n_interfaces = (size_t)n;
	return true;
}

static const struct config_key node_keys[] = {
	CONFIG_KEY("internal_address", config_read_address,
		offsetof(struct config_gateway_node, internal_address), EXAMPLE_IA),
	CONFIG_KEY("home_address", config_read_address,
		offsetof(struct config_gateway_node, home_address), CONFIG_EXAMPLE_HOME,
		.required = true),
	CONFIG_KEY("reqid", config_read_u32, offsetof(struct config_gateway_node, reqid), "100",
		.min = 1, .max = LAST_REQID),
	{.name = NULL},
};

static void read_node(
	struct config_reader *r, const config_setting_t *s, struct config_gateway_node *n)
{
	if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
		config_complain(r, s, "is no node; write  " EXAMPLE_NODE);
		return;
	}
	config_read_group(r, node_keys, s, n);
	if (in6_is_any(&n->internal_address)) /* embodiment 2: they are one */
		n->internal_address = n->home_address;
}

static bool read_nodes(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_gateway *g = field;
	size_t before = r->faults;
	int n = config_list_length(r, k, s, MAX_NODES, "nodes");

	if (n < 0)
		return false;
	free(g->nodes);
	g->nodes = calloc((size_t)n, sizeof(*g->nodes));
	if (!g->nodes) {
		config_complain(r, s, "does not fit the memory of this machine");
		return false;
	}
	g->n_nodes = (size_t)n;
	for (int i = 0; i < n; i++)
		read_node(r, config_setting_get_elem(s, (unsigned)i), &g->nodes[i]);
	return r->faults == before;
}

static bool read_deny_pair(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, struct ip6_prefix pair[2])
{
	int type = config_setting_type(s);

	if ((type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) ||
		config_setting_length(s) != 2) {
		config_complain(r, s, "is no pair of prefixes; write  " EXAMPLE_DENY);
		return false;
	}
	for (unsigned i = 0; i < 2; i++)
		if (!config_read_prefix(r, k, config_setting_get_elem(s, i), &pair[i]))
			return false;
	return true;
}

static bool read_deny(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_gateway *g = field;
	int n = config_list_length(r, k, s, MAX_DENY, "pairs");

	if (n < 0)
		return false;
	free(g->deny);
	g->deny = calloc((size_t)n, sizeof(*g->deny));
	if (!g->deny) {
		config_complain(r, s, "does not fit the memory of this machine");
		return false;
	}
	g->n_deny = (size_t)n;
	for (int i = 0; i < n; i++)
		if (!read_deny_pair(r, k, config_setting_get_elem(s, (unsigned)i), g->deny[i].ends))
			return false;
	return true;
}

/* ---- the group ---- */

static const struct config_key threshold_keys[] = {
	CONFIG_KEY("packets", config_read_u32, offsetof(struct config_gateway, threshold_packets),
		"1", .min = 1, .max = 1000),
	CONFIG_KEY("seconds", config_read_u32, offsetof(struct config_gateway, threshold_s), "10",
		.min = 1, .max = 3600, .unit = "s"),
	{.name = NULL},
};

static bool read_threshold(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, threshold_keys, s, field);
}

static const struct config_key gateway_keys[] = {
	CONFIG_KEY("address", config_read_address, offsetof(struct config_gateway, address),
		"\"2001:db8:5::1\"", .required = true),
	CONFIG_KEY("internal", read_internal, 0, CONFIG_EXAMPLE_INTERNAL, .required = true),
	CONFIG_KEY("internal_interfaces", read_interfaces, 0, "( \"eth1\" )", .required = true),
	CONFIG_KEY("manager", config_read_address, offsetof(struct config_gateway, manager),
		"\"fd00:0:0:2::9\"", .required = true),
	CONFIG_KEY("source", config_read_address, offsetof(struct config_gateway, source),
		"\"fd00:0:0:2::1\""),
	CONFIG_KEY("ipsec", config_read_ipsec_manager, offsetof(struct config_gateway, ipsec),
		"\"manual\"", .choices = config_ipsec_some),
	CONFIG_KEY("reqid", config_read_u32, offsetof(struct config_gateway, reqid), "100",
		.min = 1, .max = LAST_REQID - 2 * MAX_NODES),
	CONFIG_KEY("nodes", read_nodes, 0, "( " EXAMPLE_NODE " )", .required = true),
	CONFIG_KEY("deny", read_deny, 0, "( " EXAMPLE_DENY " )"),
	CONFIG_KEY("threshold", read_threshold, 0, "{ packets = 1; seconds = 10; }"),
	CONFIG_KEY("hold", config_read_u32, offsetof(struct config_gateway, hold_s), "60", .min = 1,
		.max = 3600, .unit = "s"),
	CONFIG_KEY("settle", config_read_u32, offsetof(struct config_gateway, settle_ms), "0",
		.max = 60000, .unit = "ms"),
	{.name = NULL},
};

static int by_internal(const void *a, const void *b)
{
	return memcmp(&((const struct config_gateway_node *)a)->internal_address,
		&((const struct config_gateway_node *)b)->internal_address,
		sizeof(struct in6_addr));
}

bool config_in_prefixes(const struct in6_addr *a, const struct ip6_prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in6_in_prefix(a, &p[i].addr, p[i].plen))
			return true;
	return false;
}

static void check_nodes(
	struct config_reader *r, const config_setting_t *s, struct config_gateway *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct config_gateway_node *n = &g->nodes[i];

		if (!config_in_prefixes(&n->internal_address, g->internal, g->n_internal))
			config_complain(r, config_setting_get_elem(s, (unsigned)i),
				"%s is in no prefix of \"internal\"; write an internal_address "
				"that is",
				in6_str(&n->internal_address));
		if (!n->reqid)
			n->reqid = g->reqid + 2 * (uint32_t)i;
	}
	qsort(g->nodes, g->n_nodes, sizeof(*g->nodes), by_internal);
	for (size_t i = 1; i < g->n_nodes; i++)
		if (by_internal(&g->nodes[i - 1], &g->nodes[i]) == 0)
			config_complain(r, s, "has %s twice; remove one of the two",
				in6_str(&g->nodes[i].internal_address));
}

static void check(struct config_reader *r, const config_setting_t *s, struct config_gateway *g)
{
	const config_setting_t *address = config_good(s, "address"),
			       *nodes = config_good(s, "nodes");

	if (g->ipsec == IPSEC_STRONGSWAN && !config_setting_get_member(s, "reqid"))
		config_complain(r, s,
			"has ipsec = \"strongswan\" and no reqid; add  reqid = 100;  and give the "
			"children of swanctl.conf that number and those behind it");
	if (!g->reqid)
		g->reqid = FIRST_REQID;
	if (!config_good(s, "internal"))
		return;
	if (config_good(s, "manager") &&
		!config_in_prefixes(&g->manager, g->internal, g->n_internal))
		config_complain(r, config_good(s, "manager"),
			"%s is in no prefix of \"internal\"; the manager is inside",
			in6_str(&g->manager));
	if (address && config_in_prefixes(&g->address, g->internal, g->n_internal) && nodes &&
		!in6_equal(&g->nodes[0].internal_address, &g->nodes[0].home_address))
		config_complain(r, address,
			"%s is in a prefix of \"internal\"; write the gateway's external address",
			in6_str(&g->address));
	if (nodes)
		check_nodes(r, nodes, g);
}

bool config_read_gateway(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_gateway *g = field;
	size_t before = r->faults;

	(void)k;
	if (!config_is_group(r, s))
		return false;
	g->enabled = true;
	config_read_group(r, gateway_keys, s, g);
	check(r, s, g);
	return r->faults == before;
}

void config_check_gateway(
	struct config_reader *r, const config_setting_t *root, const struct mip6d_config *cfg)
{
	const config_setting_t *s = config_good(root, "gateway");

	if (!s || !config_good(root, "role"))
		return;
	if (cfg->role == ROLE_MOBILE_NODE)
		config_complain(r, s,
			"has no meaning with role = \"mobile-node\"; remove the group, or change "
			"the role");
	if (cfg->role == ROLE_HOME_AGENT &&
		!in6_equal(&cfg->gateway.address, &cfg->home_agent.address))
		config_complain(r, config_setting_get_member(s, "address"),
			"is not home_agent.address; on a home agent they are one");
}

void config_release_gateway(struct mip6d_config *cfg)
{
	free(cfg->gateway.nodes);
	free(cfg->gateway.deny);
}

/* ---- as text ---- */

static void print_interfaces(FILE *to, const struct config_gateway *g)
{
	fputs("\tinternal_interfaces = (", to);
	for (size_t i = 0; i < g->n_interfaces; i++)
		fprintf(to, "%s \"%s\"", i ? "," : "", g->interfaces[i]);
	fputs(" );\n", to);
}

static void print_nodes(FILE *to, const struct config_gateway *g)
{
	fputs("\tnodes = (\n", to);
	for (size_t i = 0; i < g->n_nodes; i++)
		fprintf(to,
			"\t\t{ internal_address = \"%s\"; home_address = \"%s\"; reqid = %u; }%s\n",
			in6_str(&g->nodes[i].internal_address), in6_str(&g->nodes[i].home_address),
			g->nodes[i].reqid, i + 1 < g->n_nodes ? "," : "");
	fputs("\t);\n", to);
	if (!g->n_deny)
		return;
	fputs("\tdeny = (\n", to);
	for (size_t i = 0; i < g->n_deny; i++) {
		const struct ip6_prefix *p = g->deny[i].ends;

		fprintf(to, "\t\t( \"%s/%u\", \"%s/%u\" )%s\n", in6_str(&p[0].addr), p[0].plen,
			in6_str(&p[1].addr), p[1].plen, i + 1 < g->n_deny ? "," : "");
	}
	fputs("\t);\n", to);
}

void config_print_gateway(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_gateway *g = &cfg->gateway;

	if (!g->enabled)
		return;
	fprintf(to, "gateway = {\n\taddress = \"%s\";\n", in6_str(&g->address));
	config_print_internal(g->internal, g->n_internal, to);
	print_interfaces(to, g);
	fprintf(to, "\tmanager = \"%s\";\n", in6_str(&g->manager));
	if (!in6_is_any(&g->source))
		fprintf(to, "\tsource = \"%s\";\n", in6_str(&g->source));
	fprintf(to, "\tipsec = \"%s\";\n\treqid = %u;\n", config_ipsec_managers[g->ipsec],
		g->reqid);
	print_nodes(to, g);
	fprintf(to,
		"\tthreshold = { packets = %u; seconds = %u; };\n\thold = %u;\n\tsettle = "
		"%u;\n};\n",
		g->threshold_packets, g->threshold_s, g->hold_s, g->settle_ms);
}

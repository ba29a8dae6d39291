/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group vpn: a mobile node with an intranet, inside and outside (doc/vcm.md). */
#include "mip6d/config_read.h"

#define LAST_REQID 0x7ffffffe

bool config_read_internal(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, struct ip6_prefix *to, size_t *n)
{
	int length = config_list_length(r, k, s, CONFIG_MAX_PREFIXES, "prefixes");

	if (length < 0)
		return false;
	for (int i = 0; i < length; i++)
		if (!config_read_prefix(r, k, config_setting_get_elem(s, (unsigned)i), &to[i]))
			return false;
	*n = (size_t)length;
	return true;
}

void config_print_internal(const struct ip6_prefix *p, size_t n, FILE *to)
{
	fputs("\tinternal = (", to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s \"%s/%u\"", i ? "," : "", in6_str(&p[i].addr), p[i].plen);
	fputs(" );\n", to);
}

static bool read_internal(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_vpn *v = field;

	return config_read_internal(r, k, s, v->internal, &v->n_internal);
}

static const char *const manager_names[] = {"own", "gateway", NULL};

#define KEY(name_, read_, field_, example_, ...) \
	CONFIG_KEY(name_, read_, offsetof(struct config_vpn, field_), example_, ##__VA_ARGS__)

static const struct config_key vpn_keys[] = {
	KEY("internal_address", config_read_address, internal_address, "\"fd00:0:0:1::101\""),
	KEY("gateway", config_read_address, gateway, "\"2001:db8:5::1\""),
	CONFIG_KEY("internal", read_internal, 0, CONFIG_EXAMPLE_INTERNAL, .required = true),
	KEY("manager", config_read_address, manager, "\"fd00:0:0:2::9\"", .required = true),
	KEY("manager_ipsec", config_read_choice_bool, manager_by_gateway, "\"own\"",
		.choices = manager_names),
	KEY("authenticate", config_read_bool, authenticate, "true"),
	KEY("ipsec", config_read_ipsec_manager, ipsec, "\"manual\"",
		.choices = config_ipsec_some),
	KEY("reqid", config_read_u32, reqid, "100", .min = 1, .max = LAST_REQID),
	KEY("probe", config_read_u32, probe_s, "5", .min = 1, .max = 3600, .unit = "s"),
	KEY("idle", config_read_u32, idle_s, "120", .min = 1, .max = 86400, .unit = "s"),
	{.name = NULL},
};

static void check_addresses(
	struct config_reader *r, const config_setting_t *s, const struct config_vpn *v)
{
	const config_setting_t *internal = config_good(s, "internal_address"),
			       *gateway = config_good(s, "gateway"),
			       *manager = config_good(s, "manager");

	if (!config_setting_get_member(s, "internal_address") !=
		!config_setting_get_member(s, "gateway"))
		config_complain(r, s,
			"has one of internal_address and gateway; add the other one, or remove "
			"both: then the home agent is the gateway");
	if (!config_good(s, "internal"))
		return;
	if (internal && !config_in_prefixes(&v->internal_address, v->internal, v->n_internal))
		config_complain(r, internal,
			"%s is in no prefix of \"internal\"; write one that is",
			in6_str(&v->internal_address));
	if (manager && !config_in_prefixes(&v->manager, v->internal, v->n_internal))
		config_complain(r, manager,
			"%s is in no prefix of \"internal\"; the manager is inside",
			in6_str(&v->manager));
	if (gateway && config_in_prefixes(&v->gateway, v->internal, v->n_internal))
		config_complain(r, gateway,
			"%s is in a prefix of \"internal\"; write the gateway's external address",
			in6_str(&v->gateway));
}

bool config_read_vpn(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_vpn *v = field;
	size_t before = r->faults;

	(void)k;
	if (!config_is_group(r, s))
		return false;
	v->enabled = true;
	config_read_group(r, vpn_keys, s, v);
	check_addresses(r, s, v);
	if (v->ipsec == IPSEC_STRONGSWAN && !config_setting_get_member(s, "reqid"))
		config_complain(r, s,
			"has ipsec = \"strongswan\" and no reqid; add  reqid = 100;  and give the "
			"child of swanctl.conf with the gateway that number");
	return r->faults == before;
}

static bool has_keys(const config_setting_t *root)
{
	const config_setting_t *group = config_setting_get_member(root, "ipsec");

	return group && config_setting_type(group) == CONFIG_TYPE_GROUP &&
	       (config_setting_get_member(group, "keys_file") ||
		       config_setting_get_member(group, "keys_command"));
}

/*
 * Before a node is inside it sends nothing to the manager but by the gateway's
 * SA, which is not for packets of IKE, and to be inside it needs the manager's.
 */
static void check_manager(
	struct config_reader *r, const config_setting_t *root, const config_setting_t *s,
	const struct mip6d_config *cfg)
{
	bool strongswan = cfg->vpn.ipsec == IPSEC_STRONGSWAN ||
			  cfg->mobile_node.ipsec == IPSEC_STRONGSWAN;

	if (strongswan && !cfg->vpn.manager_by_gateway && !has_keys(root))
		config_complain(r, s,
			"strongSwan cannot make the SAs with the manager; add  ipsec = { keys_file "
			"= \"/etc/mip6d/ipsec.keys\"; };  with lines of use manager, or write  "
			"manager_ipsec = \"gateway\";  for a manager on the gateway");
}

void config_check_vpn(
	struct config_reader *r, const config_setting_t *root, const struct mip6d_config *cfg)
{
	const config_setting_t *s = config_good(root, "vpn");
	const struct config_vpn *v = &cfg->vpn;

	if (!s || !config_good(root, "role"))
		return;
	if (cfg->role != ROLE_MOBILE_NODE) {
		config_complain(r, s,
			"has no meaning without role = \"mobile-node\"; remove the group, or "
			"change the role");
		return;
	}
	if (!config_good(root, "mobile_node"))
		return;
	if (in6_is_any(&v->internal_address) &&
		!config_in_prefixes(&cfg->mobile_node.home_address, v->internal, v->n_internal))
		config_complain(r, s,
			"has no internal_address, and home_address is in no prefix of "
			"\"internal\"; add internal_address and gateway, or the home prefix");
	if (in6_is_any(&v->gateway) &&
		(cfg->mobile_node.ipsec == IPSEC_NONE || !cfg->ipsec.payload))
		config_complain(r, s,
			"has no gateway, so the home agent is the gateway and must protect "
			"payload; write  ipsec = \"manual\";  in mobile_node and  payload = true;  "
			"in ipsec, or add internal_address and gateway");
	check_manager(r, root, s, cfg);
}

void config_print_vpn(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_vpn *v = &cfg->vpn;

	if (!v->enabled)
		return;
	fputs("vpn = {\n", to);
	if (!in6_is_any(&v->internal_address))
		fprintf(to, "\tinternal_address = \"%s\";\n", in6_str(&v->internal_address));
	if (!in6_is_any(&v->gateway))
		fprintf(to, "\tgateway = \"%s\";\n", in6_str(&v->gateway));
	config_print_internal(v->internal, v->n_internal, to);
	fprintf(to, "\tmanager = \"%s\";\n\tmanager_ipsec = \"%s\";\n", in6_str(&v->manager),
		manager_names[v->manager_by_gateway]);
	fprintf(to, "\tauthenticate = %s;\n\tipsec = \"%s\";\n", v->authenticate ? "true" : "false",
		config_ipsec_managers[v->ipsec]);
	if (v->reqid)
		fprintf(to, "\treqid = %u;\n", v->reqid);
	fprintf(to, "\tprobe = %u;\n\tidle = %u;\n};\n", v->probe_s, v->idle_s);
}

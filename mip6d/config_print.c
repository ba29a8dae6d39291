/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration as text: every setting, in one fixed order, defaults
 * included.  No value needs an escape: the reader lets only such names
 * through, but for paths.
 */
#include "mip6d/config.h"

#include "mip6d/config_read.h"

static const char *boolean(bool b)
{
	return b ? "true" : "false";
}

static void print_lifetime(FILE *to, const char *key, uint32_t s)
{
	if (s == CONFIG_INFINITE)
		fprintf(to, " %s = \"infinite\";", key);
	else
		fprintf(to, " %s = %u;", key, s);
}

/* Rows of one home address stand together. */
static void print_mobile_routers(const struct config_home_agent *ha, FILE *to)
{
	if (!ha->n_networks)
		return;
	fputs("\tmobile_routers = (", to);
	for (size_t i = 0; i < ha->n_networks; i++) {
		const struct prefix_row *p = &ha->networks[i];
		bool next = i && in6_equal(&p[-1].home_address, &p->home_address);

		if (!next)
			fprintf(to, "%s\n\t\t{ home_address = \"%s\"; prefixes = (",
				i ? " ); }," : "", in6_str(&p->home_address));
		fprintf(to, "%s \"%s/%u\"", next ? "," : "", in6_str(&p->prefix.addr),
			p->prefix.plen);
	}
	fputs(" ); }\n\t);\n", to);
}

static void print_mobile_router(const struct config_mobile_router *m, FILE *to)
{
	if (!m->n_networks)
		return;
	fputs("\tmobile_router = {\n\t\tprefixes = (", to);
	for (size_t i = 0; i < m->n_networks; i++)
		fprintf(to, "%s \"%s/%u\"", i ? "," : "", in6_str(&m->networks[i].addr),
			m->networks[i].plen);
	fprintf(to, " );\n\t\tmode = \"%s\";\n\t\tingress = (",
		m->explicit_mode ? "explicit" : "implicit");
	for (size_t i = 0; i < m->n_ingress; i++)
		fprintf(to, "%s \"%s\"", i ? "," : "", m->ingress[i]);
	fputs(" );\n\t};\n", to);
}

static void print_heartbeat(FILE *to, const struct config_heartbeat *h)
{
	if (h->interval_s)
		fprintf(to, "\theartbeat = { interval = %u; missed = %u; };\n", h->interval_s,
			h->missed);
}

/* How bindings end, and who may have one. */
static void print_signals(FILE *to, const struct config_home_agent *ha)
{
	print_heartbeat(to, &ha->heartbeat);
	fprintf(to, "\trevocation = { retries = %u; timeout = %u; max_timeout = %u; };\n",
		ha->revocation.retries, ha->revocation.timeout_ms, ha->revocation.max_timeout_ms);
	fprintf(to, "\tpreference = %u;\n\tmin_prefix_interval = %u;\n\tmax_prefix_interval = %u;\n",
		ha->preference, ha->min_prefix_interval_s, ha->max_prefix_interval_s);
	fprintf(to, "\tswitch_rate = %u;\n", ha->switch_rate);
	if (!ha->n_identifiers)
		return;
	fputs("\tidentifiers = (\n", to);
	for (size_t i = 0; i < ha->n_identifiers; i++)
		fprintf(to, "\t\t\"%s\"%s\n", ha->identifiers[i],
			i + 1 < ha->n_identifiers ? "," : "");
	fputs("\t);\n", to);
}

static void print_home_agent(const struct config_home_agent *ha, FILE *to)
{
	fprintf(to, "home_agent = {\n\taddress = \"%s\";\n", in6_str(&ha->address));
	if (ha->home_link[0])
		fprintf(to, "\thome_link = \"%s\";\n", ha->home_link);
	fputs("\thome_prefixes = (\n", to);
	for (size_t i = 0; i < ha->n_prefixes; i++) {
		const struct config_prefix *p = &ha->prefixes[i];

		fprintf(to, "\t\t{ prefix = \"%s/%u\";", in6_str(&p->prefix.addr), p->prefix.plen);
		print_lifetime(to, "valid_lifetime", p->valid_s);
		print_lifetime(to, "preferred_lifetime", p->preferred_s);
		fprintf(to, " }%s\n", i + 1 < ha->n_prefixes ? "," : "");
	}
	fputs("\t);\n", to);
	if (ha->n_home_addresses) {
		fputs("\thome_addresses = (\n", to);
		for (size_t i = 0; i < ha->n_home_addresses; i++)
			fprintf(to, "\t\t\"%s\"%s\n", in6_str(&ha->home_addresses[i]),
				i + 1 < ha->n_home_addresses ? "," : "");
		fputs("\t);\n", to);
	}
	print_mobile_routers(ha, to);
	fprintf(to, "\tmax_lifetime = %u;\n\trefresh_advice = %u;\n\tmax_bindings = %u;\n",
		ha->max_lifetime_s, ha->refresh_advice_s, ha->max_bindings);
	print_signals(to, ha);
	fprintf(to, "\toptimistic = %s;\n\ttunnel = \"%s\";\n\tipsec = \"%s\";\n};\n",
		boolean(ha->optimistic), ha->tunnel, config_ipsec_managers[ha->ipsec]);
}

static void print_ro(const struct config_mobile_node *mn, FILE *to)
{
	fputs("\troute_optimization = (", to);
	for (size_t i = 0; i < mn->n_ro_rules; i++) {
		const struct config_ro_rule *rule = &mn->ro_rules[i];

		fprintf(to, "%s\n\t\t{ to = \"%s/%u\"; when = \"%s\";", i ? "," : "",
			in6_str(&rule->to.addr), rule->to.plen, config_ro_when_name(rule->when));
		if (rule->when == CONFIG_RO_AFTER)
			fprintf(to, " packets = %u;", rule->packets);
		if (rule->when == CONFIG_RO_AFTER && rule->per_s)
			fprintf(to, " rate = %u;", rule->per_s);
		fputs(" }", to);
	}
	fputs(mn->n_ro_rules ? "\n\t);\n" : ");\n", to);
	fprintf(to, "\tmax_correspondents = %u;\n\tcorrespondent_lifetime = %u;\n",
		mn->max_correspondents, mn->correspondent_lifetime_s);
	fprintf(to, "\tcorrespondent_idle = %u;\n", mn->correspondent_idle_s);
}

static void print_correspondent(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_correspondent *c = &cfg->correspondent;

	fprintf(to, "correspondent = {\n\tenabled = %s;\n\tmax_bindings = %u;\n",
		boolean(c->enabled), c->max_bindings);
	fprintf(to, "\tmax_lifetime = %u;\n\tmax_shared_lifetime = %u;\n\trefresh = %s;\n};\n",
		c->max_lifetime_s, c->max_shared_lifetime_s, boolean(c->refresh));
	if (cfg->shared_keys_file[0])
		config_print_text(to, "shared_keys", cfg->shared_keys_file);
}

/* What only a home agent can answer. */
static void print_registration(const struct config_mobile_node *mn, FILE *to)
{
	fprintf(to, "\tlifetime = %u;\n", mn->lifetime_s);
	fprintf(to, "\tuplink = \"%s\";\n", mn->cautious ? "cautious" : "optimistic");
	print_mobile_router(&mn->router, to);
	print_heartbeat(to, &mn->heartbeat);
	if (mn->identifier[0])
		fprintf(to, "\tidentifier = \"%s\";\n", mn->identifier);
	fprintf(to, "\tunprotected_signals = %s;\n", boolean(mn->unprotected_signals));
	print_ro(mn, to);
}

static void print_mobile_node(const struct config_mobile_node *mn, FILE *to)
{
	fprintf(to, "mobile_node = {\n\thome_address = \"%s\";\n",
		in6_is_any(&mn->home_address) ? "auto" : in6_str(&mn->home_address));
	if (!mn->foreign_tunnel)
		fprintf(to, "\thome_prefix = \"%s/%u\";\n", in6_str(&mn->home_prefix.addr),
			mn->home_prefix.plen);
	fprintf(to, "\thome_agent = \"%s\";\n\tinterfaces = (\n", in6_is_any(&mn->home_agent) ? "auto" : in6_str(&mn->home_agent));
	for (size_t i = 0; i < mn->n_interfaces; i++)
		fprintf(to, "\t\t{ name = \"%s\"; preference = %d; }%s\n", mn->interfaces[i].name,
			mn->interfaces[i].preference, i + 1 < mn->n_interfaces ? "," : "");
	fputs("\t);\n", to);
	if (!mn->foreign_tunnel)
		print_registration(mn, to);
	fprintf(to, "\toptimistic_dad = %s;\n", boolean(mn->optimistic_dad));
	fprintf(to, "\tmovement = \"%s\";\n", mn->eager ? "eager" : "lazy");
	fprintf(to, "\tinterface_id = \"%s\";\n", mn->random_iid ? "random" : "eui64");
	fprintf(to, "\thold = %u;\n\ttunnel = \"%s\";\n\ttable = %u;\n\tipsec = \"%s\";\n};\n",
		mn->hold_ms, mn->tunnel, mn->table,
		config_ipsec_managers[mn->ipsec]);
}

void config_print(const struct mip6d_config *cfg, FILE *to)
{
	fprintf(to, "role = \"%s\";\nlog_level = \"%s\";\ncontrol = {\n",
		config_role_name(cfg->role), config_log_levels[cfg->log_level]);
	config_print_text(to, "\tsocket", cfg->control_socket);
	if (cfg->control_group[0])
		fprintf(to, "\tgroup = \"%s\";\n", cfg->control_group);
	fputs("};\n", to);
	config_print_text(to, "state_file", cfg->state_file);
	print_correspondent(cfg, to);
	config_print_moves(cfg, to);
	if (cfg->role == ROLE_HOME_AGENT)
		print_home_agent(&cfg->home_agent, to);
	else if (cfg->role == ROLE_MOBILE_NODE)
		print_mobile_node(&cfg->mobile_node, to);
	config_print_ipsec(cfg, to);
	config_print_gateway(cfg, to);
	config_print_vpn(cfg, to);
}

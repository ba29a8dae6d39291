/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as text: every setting, in one fixed order, defaults included. */
#include "vcm/vcmd_config_internal.h"
static void print_lists(const struct vcmd_config *c, FILE *to)
{
	fputs("gateways = (", to);
	for (size_t i = 0; i < c->n_gateways; i++)
		fprintf(to, "%s \"%s\"", i ? "," : "", in6_str(&c->gateways[i]));
	fputs(" );\n", to);
	if (!c->n_nodes)
		return;
	fputs("nodes = (", to);
	for (size_t i = 0; i < c->n_nodes; i++) {
		fprintf(to, "%s\n\t\"%s", i ? "," : "", in6_str(&c->nodes[i].addr));
		if (c->nodes[i].plen < 128)
			fprintf(to, "/%u", c->nodes[i].plen);
		putc('"', to);
	}
	fputs("\n);\n", to);
}

static void print_store(const struct vcmd_config *c, FILE *to)
{
	fputs("store = {\n", to);
	config_print_text(to, "\tpath", c->store);
	if (c->key_file[0]) {
		config_print_text(to, "\tkey_file", c->key_file);
		fprintf(to, "\tmake_key = %s;\n", c->make_key ? "true" : "false");
	} else {
		config_print_text(to, "\tcredential", c->credential);
	}
	fprintf(to, "\tsize = %u;\n};\n", c->store_mib);
}

void vcmd_config_print(const struct vcmd_config *c, FILE *to)
{
	fprintf(to, "log_level = \"%s\";\ncontrol = {\n", config_log_levels[c->log_level]);
	config_print_text(to, "\tsocket", c->control_socket);
	if (c->control_group[0])
		config_print_text(to, "\tgroup", c->control_group);
	fprintf(to, "};\naddress = \"%s\";\nport = %u;\nprobe_port = %u;\n", in6_str(&c->address),
		c->port, c->probe_port);
	fprintf(to, "ipsec = {\n\tmanager = \"%s\";\n", vcmd_ipsec_name(c->ipsec));
	if (c->ipsec == VCMD_IPSEC_MANUAL) {
		config_print_text(to, "\tkeys_file", c->keys_file);
		fprintf(to, "\tallow_weak = %s;\n", c->allow_weak ? "true" : "false");
	}
	fputs("};\n", to);
	print_lists(c, to);
	vcmd_config_print_pairs(c, to);
	print_store(c, to);
	if (c->audit_file[0]) {
		fputs("audit = {\n", to);
		config_print_text(to, "\tfile", c->audit_file);
		fputs("};\n", to);
	}
	fprintf(to, "retry = { first = %u; most = %u; };\n", c->retry_s, c->retry_most_s);
	fprintf(to, "limits = { contexts = %u; sessions = %u; };\n", c->max_contexts,
		c->max_sessions);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group correspondent, and the rules of route optimization of a mobile node. */
#include <string.h>

#include "mip6d/config_read.h"

#define EXAMPLE_RULE "{ to = \"2001:db8:c::/48\"; when = \"always\"; }"

static const char *const when_names[] = {"never", "always", "after", NULL};

const char *config_ro_when_name(enum config_ro_when w)
{
	return when_names[w];
}

static const struct config_key correspondent_keys[] = {
	CONFIG_KEY("enabled", config_read_bool, offsetof(struct config_correspondent, enabled),
		"true"),
	CONFIG_KEY("max_bindings", config_read_u32,
		offsetof(struct config_correspondent, max_bindings), "10000", .min = 1,
		.max = 10000000),
	CONFIG_KEY("max_lifetime", config_read_u32,
		offsetof(struct config_correspondent, max_lifetime_s), "420",
		.min = MIP6_LIFETIME_UNIT, .max = MIP6_MAX_RR_BINDING_LIFETIME / 1000,
		.multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("max_shared_lifetime", config_read_u32,
		offsetof(struct config_correspondent, max_shared_lifetime_s), "86400",
		.min = MIP6_LIFETIME_UNIT, .max = CONFIG_MAX_LIFETIME,
		.multiple = MIP6_LIFETIME_UNIT, .unit = "s"),
	CONFIG_KEY("refresh", config_read_bool, offsetof(struct config_correspondent, refresh),
		"true"),
	{.name = NULL},
};

bool config_read_correspondent(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, correspondent_keys, s, field);
}

/* ---- whom a mobile node talks to directly ---- */

/* Any prefix: here ::/0 is a good answer. */
static bool read_to(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	struct ip6_prefix p;

	if (!text)
		return false;
	if (!ip6_prefix_parse(text, &p)) {
		config_complain(r, s,
			"\"%.60s\" is not an IPv6 prefix without bits beyond its length; write "
			"one like %s, or \"::/0\" for everybody",
			text, k->example);
		return false;
	}
	*(struct ip6_prefix *)field = p;
	return true;
}

static const struct config_key rule_keys[] = {
	CONFIG_KEY("to", read_to, offsetof(struct config_ro_rule, to), "\"2001:db8:c::/48\"",
		.required = true),
	CONFIG_KEY("when", config_read_choice, offsetof(struct config_ro_rule, when), "\"always\"",
		.required = true, .choices = when_names),
	CONFIG_KEY("packets", config_read_u32, offsetof(struct config_ro_rule, packets), "10",
		.min = 1, .max = 1000000),
	CONFIG_KEY("rate", config_read_u32, offsetof(struct config_ro_rule, per_s), "5", .min = 1,
		.max = 1000000, .unit = "packets a second"),
	{.name = NULL},
};

static void check_rule(
	struct config_reader *r, const config_setting_t *s, const struct config_ro_rule *rule)
{
	const config_setting_t *packets = config_good(s, "packets"),
			       *rate = config_good(s, "rate");

	if (!config_good(s, "when"))
		return;
	if (rule->when == CONFIG_RO_AFTER && !config_setting_get_member(s, "packets"))
		config_complain(r, s,
			"says \"after\" without saying after what; add  packets = 10;");
	if (rule->when != CONFIG_RO_AFTER && (packets || rate))
		config_complain(r, packets ? packets : rate,
			"has a meaning with when = \"after\" alone; remove it");
}

bool config_read_ro_rules(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_mobile_node *mn = field;
	size_t before = r->faults;
	int n = config_setting_length(s);

	if (config_setting_type(s) == CONFIG_TYPE_LIST && n == 0) { /* with nobody */
		mn->n_ro_rules = 0;
		return true;
	}
	if (!config_is_list(r, k, s))
		return false;
	if (n > CONFIG_MAX_RO_RULES) {
		config_complain(r, s, "has %d rules; write %d at most", n, CONFIG_MAX_RO_RULES);
		return false;
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);

		mn->ro_rules[i] = (struct config_ro_rule){.when = CONFIG_RO_NEVER};
		if (config_setting_type(e) != CONFIG_TYPE_GROUP) {
			config_complain(r, e, "is no rule; write  " EXAMPLE_RULE);
			continue;
		}
		config_read_group(r, rule_keys, e, &mn->ro_rules[i]);
		check_rule(r, e, &mn->ro_rules[i]);
	}
	mn->n_ro_rules = (size_t)n;
	return r->faults == before;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for pairs of nodes, vcmd.conf(5).  The first that fits counts. */
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "vcm/vcmd_config_internal.h"

/* An OFFER is repeated for 30 s as it was, with the lifetime that was left then. */
#define MIN_LINGER_S 35
#define DEFAULT_ALGORITHM "aes-gcm-128"

static const char *const action_names[] = {"deny", "allow", NULL};
static const char *const variant_names[] = {"symmetric", "asymmetric", NULL};
static const char *const keys_names[] = {"direction", "shared", NULL};

#define KEY(name, read, field, example, ...) \
	CONFIG_KEY(name, read, offsetof(struct vcmd_rule, field), example, ##__VA_ARGS__)

static bool read_side(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);

	if (!text)
		return false;
	if (strcmp(text, "any") != 0)
		return vcmd_config_members(r, s, field);
	*(struct ip6_prefix *)field = (struct ip6_prefix){.plen = 0};
	return true;
}

static bool read_algorithm(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	const struct ipsec_algorithm *a = text ? ipsec_algorithm_find(text) : NULL;
	char all[400] = "";
	size_t n = 0;

	if (a && !a->weak) {
		*(const char **)field = a->name;
		return true;
	}
	for (size_t i = 0; ipsec_algorithm_at(i); i++)
		if (!ipsec_algorithm_at(i)->weak && n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s\"%s\"", n ? ", " : "",
				ipsec_algorithm_at(i)->name);
	if (text)
		config_complain(r, s, "\"%.40s\" is %s; write one of %s", text,
			a ? "too weak" : "not known", all);
	return false;
}

static const struct config_key rule_keys[] = {
	KEY("between", read_side, a, "\"fd00:0:0:1::/64\", or \"any\"", .required = true),
	KEY("and", read_side, b, "\"fd00:0:0:1::/64\", or \"any\"", .required = true),
	KEY("action", config_read_choice_bool, policy.allowed, "\"allow\" or \"deny\"",
		.required = true, .choices = action_names),
	KEY("variant", config_read_choice, policy.variant, "\"symmetric\"",
		.choices = variant_names),
	KEY("algorithm", read_algorithm, policy.algorithm, "\"" DEFAULT_ALGORITHM "\""),
	KEY("keys", config_read_choice_bool, policy.shared_key, "\"direction\"",
		.choices = keys_names),
	KEY("kcn", config_read_bool, policy.kcn, "true"),
	KEY("lifetime", config_read_u32, policy.lifetime_s, "3600", .min = 60, .max = 604800,
		.unit = "s"),
	KEY("linger", config_read_u32, policy.linger_s, "60", .min = MIN_LINGER_S, .max = 600, .unit = "s"),
	{.name = NULL},
};

static struct vcmd_rule default_rule(void)
{
	return (struct vcmd_rule){
		.policy = {.allowed = true,
			.variant = VCM_SYMMETRIC,
			.algorithm = ipsec_algorithm_find(DEFAULT_ALGORITHM)->name,
			.kcn = true,
			.lifetime_s = 3600,
			.linger_s = 60},
	};
}

/* Settings that only matter to pairs that are allowed. */
static void check_deny(struct config_reader *r, const config_setting_t *s)
{
	static const char *const others[] = {
		"variant", "algorithm", "keys", "kcn", "lifetime", "linger", NULL};

	for (const char *const *o = others; *o; o++)
		if (config_setting_get_member(s, *o))
			config_complain(r, config_setting_get_member(s, *o),
				"has no meaning with action = \"deny\"; remove it");
}

static void check_allow(
	struct config_reader *r, const config_setting_t *s, const struct vcm_policy *p)
{
	const config_setting_t *keys = config_setting_get_member(s, "keys");

	if (p->shared_key && p->variant == VCM_ASYMMETRIC)
		config_complain(r, keys,
			"the asymmetric variant derives a key for each direction; write  keys = "
			"\"direction\";");
	else if (p->shared_key && ipsec_algorithm_find(p->algorithm)->aead)
		config_complain(r, keys,
			"%s is a counter mode: with one key for both directions two packets would "
			"have the same nonce, which gives both away (RFC 4106 10); "
			"write  keys = \"direction\";  or an algorithm in CBC mode",
			p->algorithm);
	if (p->linger_s > p->lifetime_s)
		config_complain(r, s, "linger is more than lifetime; write  linger = %u;  or less",
			p->lifetime_s);
}

static void read_rule(struct config_reader *r, const config_setting_t *s, struct vcmd_rule *rule)
{
	size_t before = r->faults;

	*rule = default_rule();
	if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
		config_complain(r, s, "is not a rule; write  { between = \"any\"; and = \"any\"; "
				      "action = \"allow\"; }");
		return;
	}
	config_read_group(r, rule_keys, s, rule);
	if (r->faults != before)
		return;
	if (rule->policy.allowed)
		check_allow(r, s, &rule->policy);
	else
		check_deny(r, s);
	rule->policy.key_len = ipsec_algorithm_key_len(ipsec_algorithm_find(rule->policy.algorithm));
}

static bool covers(const struct vcmd_rule *x, const struct vcmd_rule *y)
{
	return (ip6_prefix_contains(&x->a, &y->a) && ip6_prefix_contains(&x->b, &y->b)) ||
	       (ip6_prefix_contains(&x->a, &y->b) && ip6_prefix_contains(&x->b, &y->a));
}

/* A rule that can never count is a wish that is silently not granted. */
static void check_order(
	struct config_reader *r, const config_setting_t *s, const struct vcmd_config *c)
{
	for (size_t i = 1; i < c->n_rules; i++)
		for (size_t k = 0; k < i; k++)
			if (covers(&c->rules[k], &c->rules[i])) {
				config_complain(r, config_setting_get_elem(s, (unsigned)i),
					"never counts, as rule %zu fits all its pairs; put it before "
					"that one, or remove it",
					k + 1);
				break;
			}
}

bool vcmd_config_read_pairs(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;
	int n = config_list_length(r, k, s, VCMD_MAX_RULES, "rules");

	if (n < 0)
		return false;
	c->rules = calloc((size_t)n, sizeof(*c->rules));
	if (!c->rules) {
		config_complain(r, s, "out of memory; write fewer rules");
		return false;
	}
	c->n_rules = (size_t)n;
	for (int i = 0; i < n; i++)
		read_rule(r, config_setting_get_elem(s, (unsigned)i), &c->rules[i]);
	if (r->faults == before)
		check_order(r, s, c);
	return r->faults == before;
}

bool vcmd_config_default_pairs(struct vcmd_config *c)
{
	c->rules = calloc(1, sizeof(*c->rules));
	if (!c->rules)
		return false;
	c->n_rules = 1;
	c->rules[0] = default_rule();
	c->rules[0].policy.key_len =
		ipsec_algorithm_key_len(ipsec_algorithm_find(DEFAULT_ALGORITHM));
	return true;
}

/* ---- print ---- */

static void print_side(FILE *to, const char *key, const struct ip6_prefix *p)
{
	if (p->plen == 0)
		fprintf(to, " %s = \"any\";", key);
	else if (p->plen == 128)
		fprintf(to, " %s = \"%s\";", key, in6_str(&p->addr));
	else
		fprintf(to, " %s = \"%s/%u\";", key, in6_str(&p->addr), p->plen);
}

static void print_rule(const struct vcmd_rule *r, FILE *to)
{
	const struct vcm_policy *p = &r->policy;

	fputs("\t{", to);
	print_side(to, "between", &r->a);
	print_side(to, "and", &r->b);
	fprintf(to, " action = \"%s\";", action_names[p->allowed]);
	if (p->allowed)
		fprintf(to,
			"\n\t\tvariant = \"%s\"; algorithm = \"%s\"; keys = \"%s\"; kcn = %s;"
			"\n\t\tlifetime = %u; linger = %u;",
			variant_names[p->variant], p->algorithm, keys_names[p->shared_key],
			p->kcn ? "true" : "false", p->lifetime_s, p->linger_s);
	fputs(" }", to);
}

void vcmd_config_print_pairs(const struct vcmd_config *c, FILE *to)
{
	fputs("pairs = (\n", to);
	for (size_t i = 0; i < c->n_rules; i++) {
		print_rule(&c->rules[i], to);
		fputs(i + 1 < c->n_rules ? ",\n" : "\n", to);
	}
	fputs(");\n", to);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of settings as tables: one row a key, with its type and bounds.
 * Used by config.c only.
 */
#ifndef MIP6D_CONFIG_READ_H
#define MIP6D_CONFIG_READ_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mip6/wire.h"
#include "mip6d/config_source.h"

/* Lifetimes are counted in units of 4 seconds in 16 bits (RFC 6275 6.1.7). */
#define CONFIG_MAX_LIFETIME (65535 * MIP6_LIFETIME_UNIT)

#define CONFIG_EXAMPLE_HA "\"2001:db8:1::1000\""
#define CONFIG_EXAMPLE_HOME "\"2001:db8:1::100\""
#define CONFIG_EXAMPLE_ROUTER \
	"( { home_address = \"2001:db8:1::100\"; prefixes = ( \"2001:db8:100::/56\" ); } )"
#define CONFIG_EXAMPLE_IDENTIFIER "\"anna@example.org\""
#define CONFIG_EXAMPLE_PREFIX "\"2001:db8:1::/64\""

struct config_reader {
	const struct config_source *source;
	struct config_errors *errors;
	size_t faults;
};

struct config_key;
/* Judge s and store it at field; false after a complaint. */
typedef bool config_read_fn(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, void *field);

struct config_key {
	const char *name; /* NULL ends a table */
	config_read_fn *read;
	size_t offset; /* of the field in the struct the table is for */
	const char *example; /* of a value; shown when it is required and missing, or malformed */
	bool required;
	/* for numbers */
	uint32_t min, max, multiple;
	const char *unit;
	/* for words: value i is choices[i]; NULL ends */
	const char *const *choices;
	size_t cap; /* of the field, for text */
};

/* A row: CONFIG_KEY("name", read function, offset, "example", .required = true, ...) */
#define CONFIG_KEY(name_, read_, offset_, example_, ...)                              \
	{                                                                             \
		.name = name_, .read = read_, .offset = offset_, .example = example_, \
		##__VA_ARGS__                                                         \
	}

/* Complain about s, at its line and with its name. */
void config_complain(struct config_reader *r, const config_setting_t *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Read all keys of a group; complains of unknown and missing ones. */
void config_read_group(struct config_reader *r, const struct config_key *table,
	const config_setting_t *group, void *to);
/* The member of a group if it is there and was read without a complaint. */
const config_setting_t *config_good(const config_setting_t *group, const char *name);

config_read_fn config_read_bool; /* bool */
config_read_fn config_read_u32; /* uint32_t within min, max; a multiple of multiple */
config_read_fn config_read_int; /* int within min, max */
config_read_fn config_read_lifetime; /* as u32, or "infinite" */
config_read_fn config_read_choice; /* int or an enum */
config_read_fn config_read_choice_bool; /* bool: second of two choices */
config_read_fn config_read_address; /* struct in6_addr: unicast and routable */
config_read_fn config_read_prefix; /* struct ip6_prefix */
config_read_fn config_read_ifname; /* char[IFNAMSIZ] */
config_read_fn config_read_path; /* char[cap]: absolute */
config_read_fn config_read_group_name; /* char[cap] */
config_read_fn config_read_ipsec; /* config_ipsec.c: struct config_ipsec */
extern const char *const config_ipsec_managers[];
struct mip6d_config;
/* Across groups: what the role asks for and what the group ipsec has. */
void config_check_ipsec(struct config_reader *r, const config_setting_t *root, struct mip6d_config *cfg);
/* Manual keys, from where the configuration says that they are. */
bool config_load_ipsec_keys(struct mip6d_config *cfg, struct config_errors *errors);
void config_print_ipsec(const struct mip6d_config *cfg, FILE *to);
void config_print_moves(const struct mip6d_config *cfg, FILE *to);
void config_release_ipsec(struct mip6d_config *cfg);
config_read_fn config_read_heartbeat; /* struct config_heartbeat */
config_read_fn config_read_revocation; /* struct config_revocation */
config_read_fn config_read_identifier; /* char[CONFIG_IDENTIFIER_LEN] */
config_read_fn config_read_identifiers; /* field is the struct config_home_agent */

/* config_moves.c: struct in6_addr, "auto" is :: */
config_read_fn config_read_home_address;
struct mip6d_config;
void config_check_moves(
	struct config_reader *r, const config_setting_t *root, struct mip6d_config *cfg);

/* The two groups that belong to roles: config_ha.c, config_mn.c; field is their struct. */
config_read_fn config_read_home_agent;
config_read_fn config_read_mobile_node;
/* config_cn.c: field is struct config_correspondent; struct config_mobile_node */
config_read_fn config_read_correspondent;
config_read_fn config_read_ro_rules;
/* config_keys.c: field is the struct mip6d_config */
config_read_fn config_read_shared_keys;
void config_release_keys(struct config_shared_key *keys, size_t n); /* wiped */

/* config_nemo.c: prefixes of mobile routers; field is the struct of the group, home_agent or mobile_node. */
config_read_fn config_read_mobile_routers;
config_read_fn config_read_mobile_router;
struct config_home_agent;
struct config_mobile_node;
void config_check_mobile_routers(struct config_reader *r, const config_setting_t *group,
	const struct config_home_agent *ha);
void config_check_mobile_router(struct config_reader *r, const config_setting_t *group,
	const struct config_mobile_node *mn);

/* The text of s, or NULL after a complaint. */
const char *config_text(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s);
/* Is s a group?  Complains when not. */
bool config_is_group(struct config_reader *r, const config_setting_t *s);
/* Is s a list or an array with something in it?  Complains when not. */
bool config_is_list(struct config_reader *r, const struct config_key *k, const config_setting_t *s);
/* An address that is no host's: the subnet-router anycast address (RFC 4291 2.6.1). */
bool config_is_anycast(const struct in6_addr *a, const struct ip6_prefix *p);

#endif

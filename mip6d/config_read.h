/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of the groups of mip6d.conf share.  Used by config*.c only. */
#ifndef MIP6D_CONFIG_READ_H
#define MIP6D_CONFIG_READ_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config_read.h"
#include "mip6/wire.h"
#include "mip6d/config.h"

/* Lifetimes are counted in units of 4 seconds in 16 bits (RFC 6275 6.1.7). */
#define CONFIG_MAX_LIFETIME (65535 * MIP6_LIFETIME_UNIT)

#define CONFIG_EXAMPLE_HA "\"2001:db8:1::1000\""
#define CONFIG_EXAMPLE_HOME "\"2001:db8:1::100\""
#define CONFIG_EXAMPLE_ROUTER \
	"( { home_address = \"2001:db8:1::100\"; prefixes = ( \"2001:db8:100::/56\" ); } )"
#define CONFIG_EXAMPLE_IDENTIFIER "\"anna@example.org\""
#define CONFIG_EXAMPLE_PREFIX "\"2001:db8:1::/64\""
#define CONFIG_EXAMPLE_INTERNAL "( \"fd00::/32\" )"

config_read_fn config_read_ipsec; /* config_ipsec.c: struct config_ipsec */
extern const char *const config_ipsec_managers[];
/* Where there must be IPsec: enum ipsec_manager, one of config_ipsec_some. */
config_read_fn config_read_ipsec_manager;
extern const char *const config_ipsec_some[];
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

/* config_gateway.c: struct config_gateway */
config_read_fn config_read_gateway;
void config_check_gateway(
	struct config_reader *r, const config_setting_t *root, const struct mip6d_config *cfg);
void config_print_gateway(const struct mip6d_config *cfg, FILE *to);
void config_release_gateway(struct mip6d_config *cfg);
/* config_vpn.c: struct config_vpn */
config_read_fn config_read_vpn;
void config_check_vpn(
	struct config_reader *r, const config_setting_t *root, const struct mip6d_config *cfg);
void config_print_vpn(const struct mip6d_config *cfg, FILE *to);
/* The intranet, in the groups vpn and gateway: CONFIG_MAX_PREFIXES at most. */
bool config_read_internal(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, struct ip6_prefix *to, size_t *n);
void config_print_internal(const struct ip6_prefix *p, size_t n, FILE *to);

/* config_moves.c: struct in6_addr, "auto" is :: */
config_read_fn config_read_home_address;
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
void config_check_mobile_routers(struct config_reader *r, const config_setting_t *group,
	const struct config_home_agent *ha);
void config_check_mobile_router(struct config_reader *r, const config_setting_t *group,
	const struct config_mobile_node *mn);

#endif

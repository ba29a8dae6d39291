/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the settings of a file to what the protocol core wants. */
#include <string.h>

#include "mip6d/config.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

_Static_assert(CONFIG_MAX_PREFIXES == HA_MAX_PREFIXES, "as many prefixes as the core holds");
_Static_assert(CONFIG_MAX_NETWORKS == MIP6_MAX_NETWORKS, "as many networks as the core holds");
_Static_assert(CONFIG_MAX_INTERFACES == MN_MAX_INTERFACES, "as many interfaces as the core holds");
_Static_assert(CONFIG_MAX_RO_RULES == MN_RO_MAX_RULES, "as many rules as the core holds");

void config_to_ha(const struct mip6d_config *cfg, struct ha_config *ha)
{
	const struct config_home_agent *from = &cfg->home_agent;

	*ha = (struct ha_config){
		.address = from->address,
		.n_prefixes = from->n_prefixes,
		.n_allowed = from->n_home_addresses,
		.allowed = from->home_addresses,
		.n_networks = from->n_networks,
		.networks = from->networks,
		.max_lifetime_s = from->max_lifetime_s,
		.refresh_advice_s = from->refresh_advice_s,
		.max_bindings = from->max_bindings,
		.optimistic = from->optimistic,
		.heartbeat = {from->heartbeat.interval_s, from->heartbeat.missed},
		.revocation = {.retries = from->revocation.retries,
			.timeout_ms = from->revocation.timeout_ms,
			.max_timeout_ms = from->revocation.max_timeout_ms},
		.preference = (uint16_t)from->preference,
		.min_prefix_interval_s = from->min_prefix_interval_s,
		.max_prefix_interval_s = from->max_prefix_interval_s,
		.switch_rate = from->switch_rate,
		.require_ipsec = cfg->ipsec.manager != IPSEC_NONE,
		.n_identifiers = from->n_identifiers,
		.identifiers = from->identifiers,
	};
	for (size_t i = 0; i < from->n_prefixes; i++)
		ha->prefixes[i] = (struct ha_prefix){
			.prefix = from->prefixes[i].prefix,
			.valid_s = from->prefixes[i].valid_s,
			.preferred_s = from->prefixes[i].preferred_s,
		};
}

void config_to_mn(const struct mip6d_config *cfg, struct mn_config *mn)
{
	const struct config_mobile_node *from = &cfg->mobile_node;

	*mn = (struct mn_config){
		.home_address = from->home_address,
		.home_prefix = from->home_prefix,
		.home_agent = from->home_agent,
		.discover = in6_is_any(&from->home_agent) && !from->foreign_tunnel,
		.foreign_tunnel = from->foreign_tunnel,
		.lifetime_s = from->lifetime_s,
		.uplink = from->cautious ? MN_UPLINK_CAUTIOUS : MN_UPLINK_OPTIMISTIC,
		.optimistic_dad = from->optimistic_dad,
		.eager = from->eager,
		.random_iid = from->random_iid,
		.hold_ms = from->hold_ms,
		.heartbeat = {from->heartbeat.interval_s, from->heartbeat.missed},
		.identifier = from->identifier[0] ? from->identifier : NULL,
		.unprotected_signals = from->unprotected_signals,
		.require_ipsec = cfg->ipsec.manager != IPSEC_NONE && !from->foreign_tunnel,
		.path_stays = cfg->ipsec.manager == IPSEC_STRONGSWAN && !from->foreign_tunnel,
		.clear_waits = cfg->ipsec.manager != IPSEC_NONE && cfg->ipsec.payload,
		.n_interfaces = from->n_interfaces,
	};
	if (from->foreign_tunnel)
		mn->home_prefix = (struct ip6_prefix){.plen = 128}; /* no link is home */
	mn->router.explicit_mode = from->router.explicit_mode;
	mn->router.n_networks = from->router.n_networks;
	for (size_t i = 0; i < from->router.n_networks; i++)
		mn->router.networks[i] = from->router.networks[i];
	for (size_t i = 0; i < from->n_interfaces; i++)
		mn->interfaces[i].preference = from->interfaces[i].preference;
	if (cfg->vpn.enabled && !in6_is_any(&cfg->vpn.internal_address)) {
		mn->n_internal = cfg->vpn.n_internal;
		memcpy(mn->internal, cfg->vpn.internal, sizeof(mn->internal));
	}
}

void config_to_mn_ro(const struct mip6d_config *cfg, struct mn_ro_config *ro)
{
	static const enum mn_ro_when when[] = {[CONFIG_RO_NEVER] = MN_RO_NEVER,
		[CONFIG_RO_ALWAYS] = MN_RO_ALWAYS,
		[CONFIG_RO_AFTER] = MN_RO_AFTER};
	const struct config_mobile_node *from = &cfg->mobile_node;

	*ro = (struct mn_ro_config){
		.n_rules = from->foreign_tunnel ? 0 : from->n_ro_rules,
		.max_correspondents = from->max_correspondents,
		.lifetime_s = from->correspondent_lifetime_s,
		.idle_s = from->correspondent_idle_s,
	};
	for (size_t i = 0; i < ro->n_rules; i++)
		ro->rules[i] = (struct mn_ro_rule){
			.prefix = from->ro_rules[i].to,
			.when = when[from->ro_rules[i].when],
			.packets = from->ro_rules[i].packets,
			.per_s = from->ro_rules[i].per_s,
		};
}

void config_to_cn(const struct mip6d_config *cfg, struct cn_config *cn)
{
	*cn = (struct cn_config){
		.max_bindings = cfg->correspondent.max_bindings,
		.max_lifetime_s = cfg->correspondent.max_lifetime_s,
		.max_shared_lifetime_s = cfg->correspondent.max_shared_lifetime_s,
		.refresh = cfg->correspondent.refresh,
	};
}

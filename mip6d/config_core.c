/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the settings of a file to what the protocol core wants. */
#include <string.h>

#include "mip6d/config.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

_Static_assert(CONFIG_MAX_PREFIXES == HA_MAX_PREFIXES, "as many prefixes as the core holds");
_Static_assert(CONFIG_MAX_INTERFACES == MN_MAX_INTERFACES, "as many interfaces as the core holds");

void config_to_ha(const struct mip6d_config *cfg, struct ha_config *ha)
{
	const struct config_home_agent *from = &cfg->home_agent;

	*ha = (struct ha_config){
		.address = from->address,
		.n_prefixes = from->n_prefixes,
		.n_allowed = from->n_home_addresses,
		.allowed = from->home_addresses,
		.max_lifetime_s = from->max_lifetime_s,
		.refresh_advice_s = from->refresh_advice_s,
		.max_bindings = from->max_bindings,
		.optimistic = from->optimistic,
		.heartbeat = {from->heartbeat.interval_s, from->heartbeat.missed},
		.revocation = {.retries = from->revocation.retries,
			.timeout_ms = from->revocation.timeout_ms,
			.max_timeout_ms = from->revocation.max_timeout_ms},
		.switch_rate = from->switch_rate,
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
		.lifetime_s = from->lifetime_s,
		.uplink = from->cautious ? MN_UPLINK_CAUTIOUS : MN_UPLINK_OPTIMISTIC,
		.optimistic_dad = from->optimistic_dad,
		.eager = from->eager,
		.random_iid = from->random_iid,
		.hold_ms = from->hold_ms,
		.heartbeat = {from->heartbeat.interval_s, from->heartbeat.missed},
		.identifier = from->identifier[0] ? from->identifier : NULL,
		.n_interfaces = from->n_interfaces,
	};
	for (size_t i = 0; i < from->n_interfaces; i++)
		mn->interfaces[i].preference = from->interfaces[i].preference;
}

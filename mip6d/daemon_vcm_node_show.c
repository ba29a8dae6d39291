/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions as JSON, for mip6ctl. */
#include <jansson.h>
#include <stdio.h>

#include "lib/addr.h"
#include "mip6d/daemon_vcm_node.h"
#include "vcm/node.h"

static void put_packets(json_t *o, const char *key, int64_t packets)
{
	if (packets >= 0)
		json_object_set_new(o, key, json_integer(packets));
}

static bool add_session(void *arg, const struct vcm_node_info *i)
{
	char peer[INET6_ADDRSTRLEN];
	json_t *o;

	snprintf(peer, sizeof(peer), "%s", in6_str(&i->peer_internal));
	o = json_pack("{s:s, s:s, s:o, s:I, s:s, s:b, s:s, s:s, s:b, s:b, s:I, s:I}", "peer", peer,
		"home_address", in6_str(&i->peer_home), "session",
		json_sprintf("%016llx", (unsigned long long)i->session), "generation",
		(json_int_t)i->generation, "state", vcm_node_state_name(i->state), "path",
		(int)i->path, "by", i->state == VCM_NODE_DIRECT ? "direct" : "gateway", "algorithm",
		i->algorithm, "asymmetric", (int)i->asymmetric, "shared_key", (int)i->shared_key,
		"age_s", (json_int_t)i->age_s, "remaining_s", (json_int_t)i->remaining_s);
	if (i->state != VCM_NODE_INVITED) {
		json_object_set_new(o, "spi_in", json_integer(i->spi_in));
		json_object_set_new(o, "spi_out", json_integer(i->spi_out));
	}
	put_packets(o, "packets_in", i->packets_in);
	put_packets(o, "packets_out", i->packets_out);
	json_array_append_new(arg, o);
	return true;
}

json_t *daemon_vcm_node_list(struct vcm_node *node)
{
	json_t *all = json_array();

	vcm_node_foreach(node, add_session, all);
	return all;
}

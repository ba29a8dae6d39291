/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile routers (RFC 3963 6): which prefixes are forwarded with a binding.
 *
 * Both modes ask the Prefix Table (6.1.2).  In implicit mode its rows for the
 * home address are the networks; in explicit mode each Mobile Network Prefix
 * option must lie within one of them, so that nobody gets what belongs to
 * another.  Options that repeat a prefix, or a part of one, add nothing.
 *
 * A mobile router whose care-of address lies in a network of the table is
 * refused (174): its packets would be tunnelled twice by this home agent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/ha_internal.h"

/* ---- the Prefix Table ---- */

int ha_nemo_init(struct ha *ha)
{
	size_t n = ha->config.n_networks;

	if (!n)
		return 0;
	ha->by_prefix = calloc(n, sizeof(*ha->by_prefix));
	if (!ha->by_prefix)
		return -ENOMEM;
	memcpy(ha->by_prefix, ha->config.networks, n * sizeof(*ha->by_prefix));
	return prefix_rows_overlap(ha->by_prefix, n) ? -EINVAL : 0;
}

/* The last row that does not begin behind a: the only one that a can be in. */
bool ha_nemo_inside(const struct ha *ha, const struct in6_addr *a)
{
	size_t low = 0, high = ha->config.n_networks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(&ha->by_prefix[mid].prefix.addr, a, sizeof(*a)) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && in6_in_prefix(a, &ha->by_prefix[low - 1].prefix.addr,
			      ha->by_prefix[low - 1].prefix.plen);
}

/* The rows of a home address; *n may be 0. */
static const struct prefix_row *rows(
	const struct ha *ha, const struct in6_addr *home_address, size_t *n)
{
	const struct prefix_row *table = ha->config.networks;
	size_t low = 0, high = ha->config.n_networks, i;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(&table[mid].home_address, home_address, sizeof(*home_address)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (i = low; i < ha->config.n_networks; i++)
		if (!in6_equal(&table[i].home_address, home_address))
			break;
	*n = i - low;
	return table + low;
}

static bool authorized(
	const struct ha *ha, const struct in6_addr *home_address, const struct ip6_prefix *p)
{
	size_t n;
	const struct prefix_row *row = rows(ha, home_address, &n);

	for (size_t i = 0; i < n; i++)
		if (ip6_prefix_contains(&row[i].prefix, p))
			return true;
	return false;
}

/* ---- a Binding Update ---- */

/* Prefixes of a request never overlap; false: there are too many. */
static bool add_network(struct ha_request *r, const struct ip6_prefix *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_networks; i++)
		if (ip6_prefix_contains(&r->networks[i], p))
			return true;
	for (size_t i = 0; i < r->n_networks; i++)
		if (!ip6_prefix_contains(p, &r->networks[i]))
			r->networks[kept++] = r->networks[i];
	r->n_networks = kept;
	if (r->n_networks == MIP6_MAX_NETWORKS)
		return false;
	r->networks[r->n_networks++] = *p;
	return true;
}

static uint8_t take_option(const struct ha *ha, struct ha_request *r, const struct mh_option *o)
{
	uint8_t plen = o->u.network_prefix.plen;
	struct ip6_prefix p = {.plen = plen};

	if (plen == 0 || plen > 128)
		return BA_INVALID_PREFIX;
	p.addr = in6_mask(&o->u.network_prefix.prefix, plen);
	if (!in6_is_routable_unicast(&p.addr))
		return BA_INVALID_PREFIX;
	if (!authorized(ha, &r->answer.home_address, &p))
		return BA_PREFIX_NOT_AUTHORIZED;
	return add_network(r, &p) ? BA_ACCEPTED : BA_INVALID_PREFIX;
}

static uint8_t explicit_mode(const struct ha *ha, struct ha_request *r, const struct mh_message *m)
{
	uint8_t status = BA_ACCEPTED;

	for (size_t i = 0; i < m->n_options && status == BA_ACCEPTED; i++)
		if (m->options[i].type == MHOPT_NETWORK_PREFIX)
			status = take_option(ha, r, &m->options[i]);
	return status;
}

static uint8_t implicit_mode(const struct ha *ha, struct ha_request *r)
{
	size_t n;
	const struct prefix_row *row = rows(ha, &r->answer.home_address, &n);

	if (!n)
		return BA_FORWARDING_FAILED;
	for (size_t i = 0; i < n; i++)
		if (!add_network(r, &row[i].prefix))
			return BA_FORWARDING_FAILED;
	return BA_ACCEPTED;
}

uint8_t ha_nemo_judge(const struct ha *ha, struct ha_request *r, const struct mh_message *m)
{
	const struct ha_binding *b = ha_binding_find(ha, &r->answer.home_address);

	if (b && b->state == BINDING_ACTIVE && (b->flags ^ r->flags) & BU_F_R)
		return BA_TYPE_CHANGE;
	r->n_networks = 0;
	if (!(r->flags & BU_F_R))
		return BA_ACCEPTED;
	if (!ha->config.n_networks || !ha->ops->forward_networks)
		return BA_MR_NOT_PERMITTED;
	r->explicit_networks = mh_option(m, MHOPT_NETWORK_PREFIX);
	return r->explicit_networks ? explicit_mode(ha, r, m) : implicit_mode(ha, r);
}

uint8_t ha_nemo_failed_status(const struct ha_request *r)
{
	return r->explicit_networks ? BA_INVALID_PREFIX : BA_FORWARDING_FAILED;
}

int ha_nemo_restore(
	const struct ha *ha, struct ha_request *r, const struct ha_binding_record *record)
{
	if (!(record->flags & BU_F_R))
		return 0;
	for (size_t i = 0; i < record->n_networks; i++)
		if (authorized(ha, &record->home_address, &record->networks[i]))
			add_network(r, &record->networks[i]);
	return r->n_networks && ha->ops->forward_networks ? 0 : -EACCES;
}

/* ---- forwarding ---- */

void ha_nemo_forget(struct ha_binding *b)
{
	free(b->networks);
	b->networks = NULL;
	b->n_networks = 0;
	b->networks_forwarded = false;
}

static bool same_networks(const struct ha_binding *b, const struct ha_request *r)
{
	if (b->n_networks != r->n_networks)
		return false;
	for (size_t i = 0; i < r->n_networks; i++)
		if (ip6_prefix_cmp(&b->networks[i], &r->networks[i]))
			return false;
	return true;
}

int ha_nemo_forward(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	size_t size = r->n_networks * sizeof(*r->networks);
	int err = 0;

	if ((b->networks_forwarded || !r->n_networks) && same_networks(b, r))
		return 0;
	ha_nemo_forget(b);
	if (size) {
		b->networks = malloc(size);
		if (!b->networks)
			err = -ENOMEM;
		else
			memcpy(b->networks, r->networks, size);
	}
	if (!err)
		err = ha->ops->forward_networks(
			ha->ops_ctx, &b->node.addr, r->networks, r->n_networks);
	else
		ha->ops->forward_networks(ha->ops_ctx, &b->node.addr, NULL, 0);
	if (err) {
		ha_nemo_forget(b);
		return err;
	}
	b->n_networks = r->n_networks;
	b->networks_forwarded = size;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization in the daemon: the correspondent part of every role, the
 * direct path in the kernel, and what arrives for either.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/mn_kernel.h"
#include "mip6d/sys/ro_kernel.h"
#include "mip6d/sys/store.h"

/* ---- what the kernel tells ---- */

static void unverified(void *ctx, const struct in6_addr *local, const struct in6_addr *home,
	const struct in6_addr *care_of)
{
	struct daemon *d = ctx;

	if (d->cn)
		cn_unverified_home_address(d->cn, local, home, care_of);
}

static void icmp_error(void *ctx, const struct icmp6_error *e)
{
	struct daemon *d = ctx;

	if (d->mn)
		mn_icmp_error(d->mn, e);
	if (d->cn)
		cn_icmp_error(d->cn, e);
}

static void traffic(void *ctx, const struct in6_addr *peer)
{
	struct daemon *d = ctx;

	if (d->mn)
		mn_traffic(d->mn, peer);
}

static const struct ro_kernel_events events = {
	.unverified = unverified, .icmp_error = icmp_error, .traffic = traffic};

/* ---- what is kept on disk ---- */

static void sequence_put(
	void *ctx, const struct in6_addr *local, const struct in6_addr *home, uint16_t seq)
{
	store_sequence_put(((struct daemon *)ctx)->store, STORE_SEEN, local, home, seq);
}

/*
 * Is this an address of this host?  Only addresses of interfaces can be bound
 * to, and a Binding Update that gets this far is an authentic one.
 */
static bool is_ours(void *ctx, const struct in6_addr *addr)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = *addr};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	(void)ctx;
	if (fd >= 0)
		close(fd);
	return ours;
}

/* RFC 4449: either side of a pair may be the mobile one, so both parts get the key. */
int daemon_share(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct rr_shared *key)
{
	struct daemon *d = ctx;
	bool mobile = d->mn && in6_equal(local, &d->cfg->mobile_node.home_address);
	int rc = -ENOTSUP;

	if (d->cn)
		rc = cn_shared_set(d->cn, local, peer, key,
			store_sequence_get(d->store, STORE_SEEN, local, peer));
	if (mobile && (!rc || rc == -ENOTSUP))
		rc = mn_shared_set(d->mn, peer, key,
			store_sequence_get(d->store, STORE_SENT, local, peer));
	if (rc && key && d->cn) /* both parts or none */
		(void)cn_shared_set(d->cn, local, peer, NULL, -1);
	return rc;
}

/* ---- start ---- */

static bool open_kernel(struct daemon *d)
{
	struct ro_watch_rule rules[MN_RO_MAX_RULES];
	struct ro_kernel_config k = {.rules = rules, .by_sa = d->glue && d->cfg->ipsec.payload};
	struct mn_ro_config config;
	char err[512];

	if (d->cfg->role == ROLE_MOBILE_NODE) {
		static const enum ro_watch_when when[] = {[MN_RO_NEVER] = RO_WATCH_NEVER,
			[MN_RO_ALWAYS] = RO_WATCH_ALWAYS,
			[MN_RO_AFTER] = RO_WATCH_AFTER};

		config_to_mn_ro(d->cfg, &config);
		k.home_address = d->cfg->mobile_node.home_address;
		k.n_rules = config.n_rules;
		for (size_t i = 0; i < config.n_rules; i++)
			rules[i] = (struct ro_watch_rule){.peers = config.rules[i].prefix,
				.when = when[config.rules[i].when],
				.packets = config.rules[i].packets,
				.per_s = config.rules[i].per_s};
	}
	d->ro_kernel = ro_kernel_open(&k, d->loop, d->settings, &events, d, err, sizeof(err));
	if (!d->ro_kernel)
		log_error("%s", err);
	return d->ro_kernel;
}

static bool start_correspondent(struct daemon *d)
{
	const struct cn_store_ops store = {.sequence_put = sequence_put, .ctx = d};
	struct cn_config config;

	memset(&config, 0, sizeof(config));
	config_to_cn(d->cfg, &config);
	config.is_ours = is_ours;
	config.is_ours_ctx = d;
	d->cn = cn_new(&config, &d->env, &ro_kernel_ops, d->ro_kernel, &store);
	if (!d->cn)
		log_error("out of memory");
	return d->cn;
}

static bool start_mobile_node(struct daemon *d)
{
	struct mn_ro_config config;

	memset(&config, 0, sizeof(config));
	config_to_mn_ro(d->cfg, &config);
	mn_kernel_watches(d->mn_kernel, d->ro_kernel);
	if (mn_ro_enable(d->mn, &config, &ro_kernel_ops, d->ro_kernel, d->cn) == 0)
		return true;
	log_error("out of memory");
	return false;
}

static bool share_keys(struct daemon *d)
{
	for (size_t i = 0; i < d->cfg->n_shared_keys; i++) {
		const struct config_shared_key *k = &d->cfg->shared_keys[i];
		int rc = daemon_share(d, &k->local, &k->peer, &k->key);

		if (rc) {
			log_error("shared_keys: the key of %s: %s", in6_str(&k->peer),
				strerror(-rc));
			return false;
		}
	}
	return true;
}

bool daemon_ro_start(struct daemon *d)
{
	if (!d->cfg->correspondent.enabled && d->cfg->role != ROLE_MOBILE_NODE)
		return true;
	if (!open_kernel(d))
		return false;
	if (d->cfg->correspondent.enabled && !start_correspondent(d))
		return false;
	if (d->mn && !start_mobile_node(d))
		return false;
	if (d->ha_kernel)
		ha_kernel_watches(d->ha_kernel, d->ro_kernel);
	return share_keys(d);
}

/* To be called when the mobile node is gone already: it uses all of this. */
void daemon_ro_stop(struct daemon *d)
{
	if (d->cn)
		cn_withdraw(d->cn);
	cn_free(d->cn);
	d->cn = NULL;
	if (d->ro_kernel)
		ro_kernel_close(d->ro_kernel, true);
	d->ro_kernel = NULL;
}

/* ---- what arrives ---- */

/* RFC 3963 6.2: without the H flag it is refused by the home agent (status 140). */
static bool of_mobile_router(const struct mip6_packet *p)
{
	return p->len > 9 && p->data[2] == MH_BU && p->data[8] & BU_F_R >> 8;
}

/* The home agent answers for those that it serves (RFC 6275 9.5.1, status 139). */
static bool for_home_agent(struct daemon *d, const struct mip6_packet *p)
{
	struct ha_binding_info i;

	return d->ha && (!cn_wants(p) || of_mobile_router(p) ||
				(p->data[2] == MH_BU && ha_find(d->ha, &p->src, &i)));
}

void daemon_mh_received(struct daemon *d, const struct mip6_packet *p)
{
	if (for_home_agent(d, p))
		ha_receive_mh(d->ha, p);
	else if (d->cn && (cn_wants(p) || !(d->ha || d->mn)))
		cn_receive_mh(d->cn, p);
	else if (d->mn)
		mn_receive_mh(d->mn, p);
	else if (d->ha)
		ha_receive_mh(d->ha, p);
}

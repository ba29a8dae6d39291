/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon as security gateway: what the packet filter and the Binding Cache
 * see is brought to vcm/gateway.h, and what that wants to the kernel, the state
 * file, and the VCM.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "ipsec-glue/manual.h"
#include "ipsec-glue/pair.h"
#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/sys/store.h"
#include "mip6d/sys/vcm_socket.h"
#include "mip6d/sys/vpn_gateway.h"
#include "vcm/gateway.h"

struct daemon_gateway {
	struct daemon *d;
	struct vpn_gateway *kernel;
	struct vcm_gateway *core;
	int fd;
	bool local; /* the manager is on this host */
	struct in6_addr source;
};

/* ---- what the core wants ---- */

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	return vcm_socket_send(((struct daemon_gateway *)ctx)->fd, to, VCM_PORT, data, len);
}

static int activate(
	void *ctx, const struct in6_addr *internal, const struct in6_addr *home, bool on)
{
	struct daemon_gateway *g = ctx;
	int err = vpn_gateway_activate(g->kernel, internal, on);

	(void)home;
	if (err)
		log_error("gateway: %s cannot be made %s: %s (%s); it is tried again",
			in6_str(internal), on ? "outside" : "inside", strerror(-err),
			vpn_gateway_why(g->kernel));
	return err;
}

static void pair_known(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, uint32_t ttl_s)
{
	vpn_gateway_known(((struct daemon_gateway *)ctx)->kernel, a, b, ttl_s);
}

static void store(
	void *ctx, const struct in6_addr *internal, const struct in6_addr *home, bool outside)
{
	const struct daemon_gateway *g = ctx;

	store_sequence_put(g->d->store, STORE_PLACE, internal, home, outside);
}

static void event(void *ctx, const char *what, const struct in6_addr *a, const struct in6_addr *b,
	const char *text)
{
	const struct daemon_gateway *g = ctx;
	const struct control_gateway_event e = {what, a, b, text};

	control_gateway_tell(g->d->control, &e);
	log_info("gateway: %s%s%s%s%s%s%s", what, a ? " " : "", a ? in6_str(a) : "", b ? " " : "",
		b ? in6_str(b) : "", text ? " " : "", text ? text : "");
}

static bool denies(const struct config_deny *d, const struct in6_addr *a, const struct in6_addr *b)
{
	return in6_in_prefix(a, &d->ends[0].addr, d->ends[0].plen) &&
	       in6_in_prefix(b, &d->ends[1].addr, d->ends[1].plen);
}

static bool allowed(void *ctx, const struct in6_addr *a, const struct in6_addr *b)
{
	const struct config_gateway *c = &((struct daemon_gateway *)ctx)->d->cfg->gateway;

	for (size_t i = 0; i < c->n_deny; i++)
		if (denies(&c->deny[i], a, b) || denies(&c->deny[i], b, a))
			return false;
	return true;
}

static const struct vcm_gateway_ops core_ops = {.now = sys_now,
	.random = sys_random,
	.send = send_datagram,
	.activate = activate,
	.pair_known = pair_known,
	.store = store,
	.event = event};

/* ---- what is seen; on a home agent its Binding Cache says who is where ---- */

static void outside(void *ctx, const struct in6_addr *internal)
{
	struct daemon_gateway *g = ctx;

	if (!g->d->ha)
		vcm_gateway_outside(g->core, internal, VCM_BY_TRAFFIC);
}

static void inside(void *ctx, const struct in6_addr *internal)
{
	struct daemon_gateway *g = ctx;

	if (!g->d->ha)
		vcm_gateway_inside(g->core, internal, VCM_BY_TRAFFIC);
}

static void traffic(void *ctx, const struct in6_addr *from, const struct in6_addr *to)
{
	vcm_gateway_traffic(((struct daemon_gateway *)ctx)->core, from, to);
}

static const struct vpn_gateway_events kernel_events = {
	.outside = outside, .inside = inside, .traffic = traffic};

/*
 * A binding that only came to its end says nothing: the node may be outside
 * still and send by its home agent.  One that was taken back does.
 */
void daemon_gateway_event(struct daemon *d, const struct mip6_event *e)
{
	struct vcm_gateway *core = d->gateway ? d->gateway->core : NULL;
	bool gone = e->type == EV_BINDING_GONE || e->type == EV_CN_BINDING_GONE;

	if (!core)
		return;
	if (e->type == EV_BINDING_NEW || e->type == EV_CN_BINDING_NEW)
		vcm_gateway_binding(core, &e->home_address, true);
	else if (gone && (d->ha || (e->text && strcmp(e->text, "de-registered") == 0)))
		vcm_gateway_binding(core, &e->home_address, false);
}

/* ---- the socket ---- */

static void datagram(void *arg, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	vcm_gateway_receive(((struct daemon_gateway *)arg)->core, from, data, len);
}

static void read_datagrams(void *arg)
{
	vcm_socket_read(((struct daemon_gateway *)arg)->fd, VCM_PORT, datagram, arg);
}

static bool is_ours(const struct in6_addr *addr)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = *addr};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return ours;
}

static bool is_internal_interface(const struct config_gateway *c, const char *name)
{
	for (size_t i = 0; i < c->n_interfaces; i++)
		if (strcmp(c->interfaces[i], name) == 0)
			return true;
	return false;
}

/* One of ours, inside, that is not the manager's. */
static bool other_address(const struct config_gateway *c, struct in6_addr *source)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		struct sockaddr_in6 a;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET6 ||
			!is_internal_interface(c, i->ifa_name))
			continue;
		memcpy(&a, i->ifa_addr, sizeof(a));
		found = config_in_prefixes(&a.sin6_addr, c->internal, c->n_internal) &&
			!in6_equal(&a.sin6_addr, &c->manager);
		if (found)
			*source = a.sin6_addr;
	}
	freeifaddrs(all);
	return found;
}

/* What the routing chooses. */
static bool routed_address(const struct in6_addr *to, struct in6_addr *source)
{
	struct sockaddr_in6 a = {
		.sin6_family = AF_INET6, .sin6_port = htons(VCM_PORT), .sin6_addr = *to};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		  getsockname(fd, (struct sockaddr *)&a, &len) == 0;

	if (fd >= 0)
		close(fd);
	*source = a.sin6_addr;
	return ok;
}

static bool choose_source(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;

	g->local = is_ours(&c->manager);
	g->source = c->source;
	if (!in6_is_any(&c->source) ||
		(g->local ? other_address(c, &g->source) : routed_address(&c->manager, &g->source)))
		return true;
	log_error("gateway: no address for what is said to %s; write  source = \"...\";",
		in6_str(&c->manager));
	return false;
}

static bool open_socket(struct daemon_gateway *g)
{
	int err;

	g->fd = vcm_socket_open(&g->source, VCM_PORT);
	if (g->fd < 0) {
		log_error("gateway: cannot use UDP port %d of %s: %s", VCM_PORT,
			in6_str(&g->source), strerror(-g->fd));
		return false;
	}
	err = sys_loop_read(g->d->loop, g->fd, read_datagrams, g);
	if (err)
		log_error("event loop: %s", strerror(-err));
	return !err;
}

/* ---- SAs with manual keys ---- */

static bool add_pair(struct daemon *d, const struct ipsec_pair *pair)
{
	int err = ipsec_glue_pair_add(d->glue, pair);

	if (err)
		log_error("gateway: SAs between %s and %s: %s", in6_str(&pair->local),
			in6_str(&pair->peer),
			err == -ENOKEY ? "there are no keys; `mip6ctl ipsec keys` makes some"
				       : ipsec_glue_why(d->glue));
	return !err;
}

static uint32_t manager_reqid(const struct config_gateway *c)
{
	return c->reqid + 2 * (uint32_t)c->n_nodes;
}

/* On a home agent the tunnels are those of the home registrations. */
static bool add_tunnels(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;
	struct ipsec_pair pair = {.use = IPSEC_GATEWAY, .local = c->address};

	for (size_t i = 0; i < c->n_nodes; i++) {
		pair.peer = c->nodes[i].home_address;
		pair.reqid = c->nodes[i].reqid;
		pair.has_sel = true; /* whatever policy is asked */
		pair.sel = (struct ipsec_selector){.family = AF_INET6,
			.type = -1,
			.src = {.addr = c->nodes[i].internal_address, .plen = 128}};
		if (!add_pair(g->d, &pair))
			return false;
	}
	return true;
}

/* Where strongSwan has the nodes' SAs it has the manager's as well, but for keys in the file. */
static bool wants_manager_pair(const struct daemon_gateway *g)
{
	const struct mip6d_config *cfg = g->d->cfg;

	if (g->local || cfg->gateway.ipsec == IPSEC_MANUAL)
		return !g->local;
	return ipsec_keys_find(cfg->ipsec.keys, &g->source, &cfg->gateway.manager, IPSEC_MANAGER);
}

static bool add_pairs(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;
	const struct ipsec_pair manager = {.use = IPSEC_MANAGER,
		.local = g->source,
		.peer = c->manager,
		.reqid = manager_reqid(c)};

	const bool tunnels = c->ipsec == IPSEC_MANUAL && !g->d->ha, own = wants_manager_pair(g);

	if (!tunnels && !own)
		return true;
	if (!daemon_ipsec_pairs(g->d) || (tunnels && !add_tunnels(g)))
		return false;
	return !own || add_pair(g->d, &manager);
}

void daemon_gateway_stats(struct daemon *d, struct json_t *stats)
{
	struct vpn_gateway_stats s;

	if (!d->gateway->kernel)
		return;
	vpn_gateway_stats(d->gateway->kernel, &s);
	json_object_set_new(stats, "gateway_kernel",
		json_pack("{s:I, s:I, s:I, s:I}", "outside", (json_int_t)s.told_outside, "inside",
			(json_int_t)s.told_inside, "pairs", (json_int_t)s.told_traffic, "compared",
			(json_int_t)s.compared));
}

int daemon_gateway_check(
	struct daemon *d, bool mend, void (*fn)(void *arg, const char *text), void *arg)
{
	int n = d->gateway && d->gateway->kernel
			? vpn_gateway_check(d->gateway->kernel, mend, fn, arg)
			: 0;

	if (n < 0)
		log_warning("gateway: policies cannot be compared: %s",
			vpn_gateway_why(d->gateway->kernel));
	return n;
}

/* ---- start and end ---- */

static bool open_kernel(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;
	struct mip6d_config *cfg = (struct mip6d_config *)g->d->cfg;
	struct vpn_gateway_config k = {.address = c->address,
		.internal = c->internal,
		.n_internal = c->n_internal,
		.interfaces = cfg->gateway.interfaces,
		.n_interfaces = c->n_interfaces,
		.activates = !g->d->ha,
		.ike = (g->d->ha ? cfg->ipsec.manager : c->ipsec) == IPSEC_STRONGSWAN,
		.every_packet = c->threshold_packets > 1,
		.manager = c->manager,
		.manager_reqid = manager_reqid(c)};
	char err[700];

	if (!g->local)
		k.own = g->source;
	g->kernel = vpn_gateway_open(
		&k, g->d->loop, g->d->settings, &kernel_events, g, err, sizeof(err));
	if (!g->kernel)
		log_error("%s", err);
	return g->kernel;
}

static bool open_core(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;
	struct vcm_gateway_config config = {.manager = c->manager,
		.threshold_packets = c->threshold_packets,
		.threshold_s = c->threshold_s,
		.hold_s = c->hold_s,
		.settle_ms = c->settle_ms,
		.allowed = allowed};

	do
		sys_random(NULL, &config.epoch, sizeof(config.epoch));
	while (!config.epoch);
	g->core = vcm_gateway_new(&config, &core_ops, g, sys_loop_timers(g->d->loop));
	if (!g->core)
		log_error("out of memory");
	return g->core;
}

static bool add_node(struct daemon_gateway *g, const struct config_gateway_node *n)
{
	const struct vpn_gateway_node k = {n->internal_address, n->home_address, n->reqid};
	int err = vpn_gateway_add(g->kernel, &k);

	if (!err)
		err = vcm_gateway_add(g->core, &n->internal_address, &n->home_address);
	if (err)
		log_error("gateway: node %s (%s): %s", in6_str(&n->internal_address),
			in6_str(&n->home_address),
			err == -EEXIST ? "another one has this address" : strerror(-err));
	return !err;
}

/* Who was outside when we stopped, or has a binding that the home agent has taken over. */
static void restore(struct daemon_gateway *g, const struct config_gateway_node *n)
{
	struct ha_binding_info i;
	bool was = g->d->ha ? ha_find(g->d->ha, &n->home_address, &i)
			    : store_sequence_get(g->d->store, STORE_PLACE, &n->internal_address,
				      &n->home_address) == 1;

	if (was)
		vcm_gateway_restore(g->core, &n->internal_address);
}

static bool start_all(struct daemon_gateway *g)
{
	const struct config_gateway *c = &g->d->cfg->gateway;
	int err;

	if (!choose_source(g) || !add_pairs(g) || !open_kernel(g) || !open_core(g) ||
		!open_socket(g))
		return false;
	for (size_t i = 0; i < c->n_nodes; i++)
		if (!add_node(g, &c->nodes[i]))
			return false;
	for (size_t i = 0; i < c->n_nodes; i++)
		restore(g, &c->nodes[i]);
	err = vpn_gateway_start(g->kernel);
	if (err)
		log_warning("gateway: what a predecessor left is not removed: %s", strerror(-err));
	log_info("gateway %s for %zu nodes, manager %s", in6_str(&c->address), c->n_nodes,
		in6_str(&c->manager));
	return true;
}

bool daemon_gateway_start(struct daemon *d)
{
	if (!d->cfg->gateway.enabled)
		return true;
	d->gateway = calloc(1, sizeof(*d->gateway));
	if (!d->gateway) {
		log_error("out of memory");
		return false;
	}
	d->gateway->d = d;
	d->gateway->fd = -1;
	if (!start_all(d->gateway))
		return false;
	d->backend.gateway = d->gateway->core;
	return true;
}

void daemon_gateway_stop(struct daemon *d)
{
	struct daemon_gateway *g = d->gateway;

	if (!g)
		return;
	d->gateway = NULL;
	d->backend.gateway = NULL;
	vcm_gateway_free(g->core);
	if (g->fd >= 0) {
		sys_loop_forget(d->loop, g->fd);
		close(g->fd);
	}
	vpn_gateway_close(g->kernel);
	if (d->cfg->role == ROLE_CORRESPONDENT)
		daemon_ipsec_stop(d);
	free(g);
}

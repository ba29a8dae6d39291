/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/daemon_vpn.h"

#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/daemon_vcm_node.h"
#include "mip6d/daemon_vpn_internal.h"
#include "mip6d/proto/mn.h"
#include "mip6d/proto/vpn_place.h"
#include "mip6d/sys/mn_kernel.h"
#include "mip6d/sys/vpn_node.h"

#define REFRESH_S 5

static bool own_address(const struct daemon *d)
{
	return !in6_is_any(&d->cfg->vpn.internal_address);
}

/* ---- what the place changes ---- */

/* Whoever has the gateway's link-layer address for it (proxy) or a former one takes the new one: RFC 4861 7.2.6. */
static void advertise(struct daemon_vpn *v, const struct vpn_link *l)
{
	struct icmp6_message m = {.type = ICMP6T_NA};
	struct mip6_packet p = {.src = v->policies.internal,
		.dst = {.s6_addr = {0xff, 2, [15] = 1}}, /* all nodes */
		.ifindex = l->ifindex,
		.hop_limit = 255};
	uint8_t data[64];

	m.u.na.target = v->policies.internal;
	m.u.na.override = true;
	if (vpn_node_mac(l->ifindex, m.u.na.tlla.addr))
		m.u.na.tlla.len = 6;
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	if (p.len && v->d->env.send_icmp6(v->d, &p))
		log_warning("neighbours could not be told where %s is", in6_str(&p.src));
}

/* The new way is there before the old one is left: routes, filter, then policies; and back. */
static int go_inside(struct daemon_vpn *v, const struct vpn_link *l)
{
	int err = vpn_node_routes(v->kernel, l);

	if (!err)
		err = vpn_node_clear(v->kernel, l);
	if (!err)
		err = daemon_vpn_policies(v, false);
	if (!err)
		advertise(v, l);
	return err;
}

static int go_outside(struct daemon_vpn *v)
{
	int err = daemon_vpn_policies(v, true), other = vpn_node_clear(v->kernel, NULL);

	if (!err)
		err = other;
	other = vpn_node_routes(v->kernel, NULL);
	return err ? err : other;
}

static void tell(struct daemon_vpn *v, bool outside, const char *why)
{
	char text[160];

	if (outside == v->outside && strcmp(why, v->why) == 0)
		return;
	v->outside = outside;
	snprintf(v->why, sizeof(v->why), "%s", why);
	snprintf(text, sizeof(text), "%s: %s", outside ? "outside" : "inside", why);
	log_notice("%s", text);
	v->d->env.event(v->d, &(struct mip6_event){.type = EV_PLACE,
				      .when = sys_now(NULL),
				      .home_address = v->d->cfg->mobile_node.home_address,
				      .ifindex = v->inside.ifindex,
				      .status = -1,
				      .text = text});
	daemon_vcm_node_place(v->d, outside);
}

/* What it sends waits for a way outside, not longer than the home address's packets do. */
static void hold(struct daemon_vpn *v)
{
	int err = mn_kernel_outside(v->d->mn_kernel, true);

	mn_wait(v->d->mn);
	if (err)
		log_warning("outside: packets cannot be held: %s", strerror(-err));
}

static void let_go(struct daemon_vpn *v)
{
	int err = mn_kernel_outside(v->d->mn_kernel, false);

	if (err)
		log_warning("inside: what was held outside is not let go: %s", strerror(-err));
}

static void placed(void *ctx, const struct vpn_link *inside, const char *why)
{
	struct daemon_vpn *v = ctx;
	int err;

	if (!inside)
		hold(v);
	err = inside ? go_inside(v, inside) : go_outside(v);
	if (err && inside) {
		log_error("inside, but the kernel refuses: %s; what the internal address sends "
			  "stays protected",
			strerror(-err));
		(void)go_outside(v);
		return;
	}
	if (err)
		log_error("outside: %s", strerror(-err));
	v->inside = inside ? *inside : (struct vpn_link){0};
	if (inside)
		(void)timer_start(
			v->d->env.timers, &v->refresh, mono_add_s(v->d->env.now(v->d), REFRESH_S));
	else
		timer_stop(v->d->env.timers, &v->refresh);
	tell(v, !inside, why);
	if (inside) /* behind the end of sessions, which would take it outside still */
		let_go(v);
}

/* A filter that lets pass what it is told every few seconds closes by itself when this daemon is dead. */
static void refresh(struct timer *t, void *arg)
{
	struct daemon_vpn *v = arg;

	if (vpn_node_still_inside(v->kernel, &v->inside))
		log_warning("the packet filter could not be refreshed");
	(void)timer_start(v->d->env.timers, t, mono_add_s(v->d->env.now(v->d), REFRESH_S));
}

/* ---- what finds the place ---- */

static monotime_t now(void *ctx)
{
	struct daemon *d = ((struct daemon_vpn *)ctx)->d;

	return d->env.now(d);
}

static void random_octets(void *ctx, void *to, size_t n)
{
	struct daemon *d = ((struct daemon_vpn *)ctx)->d;

	d->env.random(d, to, n);
}

static void candidate(void *ctx, const struct vpn_link *l, bool on)
{
	struct daemon_vpn *v = ctx;
	int err = vpn_node_candidate(v->kernel, l, on);

	if (err)
		log_warning("interface %d, which has an internal prefix: %s", l->ifindex,
			strerror(-err));
}

static void send_probe(void *ctx, int ifindex, const uint8_t *data, size_t len)
{
	struct daemon_vpn *v = ctx;
	int err = 0;

	/* Without an SA of its own with the VCM it would go by the gateway's tunnel, from everywhere. */
	if (v->policies.manager_reqid)
		err = vpn_node_probe(v->kernel, ifindex, data, len);
	if (err)
		log_debug("probe by interface %d: %s", ifindex, strerror(-err));
}

static const struct vpn_place_ops place_ops = {now, random_octets, candidate, send_probe, placed};

static void read_answers(void *arg)
{
	struct daemon_vpn *v = arg;
	uint8_t data[VCM_MESSAGE_MAX];

	for (int i = 0, n; i < 32 && (n = vpn_node_read(v->kernel, data, sizeof(data))) >= 0; i++)
		if (n > 0)
			vpn_place_answer(v->place, data, (size_t)n);
}

/* Again "up", when there is a link-local address at last, is no news. */
void daemon_vpn_link(struct daemon *d, int ifindex, bool up, bool link_local)
{
	struct daemon_vpn *v = d->vpn;

	if (!v || !v->place)
		return;
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++) {
		if (v->links[i].ifindex != ifindex)
			continue;
		if (!(up && v->links[i].up && link_local && !v->links[i].link_local))
			vpn_place_link(v->place, ifindex, up);
		v->links[i].up = up;
		v->links[i].link_local = link_local;
	}
}

static bool managed(const struct daemon_vpn *v, int ifindex)
{
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++)
		if (v->links[i].ifindex == ifindex)
			return ifindex && v->links[i].up;
	return false;
}

/* RFC 4861 6.1.2 */
void daemon_vpn_icmp6(struct daemon *d, const struct mip6_packet *p)
{
	struct daemon_vpn *v = d->vpn;
	struct icmp6_message m;

	if (!v || !v->place || !p->len || p->data[0] != ICMP6T_RA || p->hop_limit != 255 ||
		!managed(v, p->ifindex) || !IN6_IS_ADDR_LINKLOCAL(&p->src) ||
		!icmp6_parse(p->data, p->len, &m))
		return;
	vpn_place_advertised(v->place, p->ifindex, &p->src, &m.u.ra);
}

/* Embodiment 2: the core knows; at home is inside when the home agent has answered the de-registration. */
void daemon_vpn_event(struct daemon *d, const struct mip6_event *e)
{
	struct mn_info i;

	if (!d->vpn || d->vpn->place || !d->mn || e->type == EV_PLACE)
		return;
	mn_info(d->mn, &i);
	if (i.location == MN_AT_HOME && i.registration == MN_REG_NONE) {
		daemon_vpn_place_manager(d->vpn, &i, false);
		/* The SAs are there before it leaves: its Binding Update needs them. */
		daemon_swan_bound(d, &d->cfg->mobile_node.home_address, &i.home_agent,
			&d->cfg->mobile_node.home_address);
		tell(d->vpn, false, "at home");
	} else if (i.location == MN_AWAY) {
		daemon_vpn_place_manager(d->vpn, &i, true);
		tell(d->vpn, true, "away from home");
	}
}

/* ---- start ---- */

bool daemon_vpn_refuse(const char *what, const char *why)
{
	log_error("vpn: %s: %s", what, why);
	return false;
}

static bool open_kernel(struct daemon_vpn *v)
{
	const struct mip6d_config *cfg = v->d->cfg;
	struct vpn_node_config c = {.internal = cfg->vpn.internal_address,
		.manager = cfg->vpn.manager,
		/* behind the home address's and those of the interfaces */
		.table = cfg->mobile_node.table + 1 + MN_KERNEL_INTERFACES,
		.n_prefixes = cfg->vpn.n_internal};
	char err[512];
	int rc;

	memcpy(c.prefixes, cfg->vpn.internal, sizeof(c.prefixes));
	if (cfg->vpn.ipsec == IPSEC_STRONGSWAN) {
		c.home = cfg->mobile_node.home_address;
		c.gateway = cfg->vpn.gateway;
	}
	if (!daemon_vpn_protect(v))
		return false;
	v->kernel = vpn_node_open(&c, err, sizeof(err));
	if (!v->kernel || mn_kernel_internal(v->d->mn_kernel, &c.internal, err, sizeof(err)))
		return daemon_vpn_refuse("kernel", err);
	(void)mn_kernel_outside(v->d->mn_kernel, true);
	rc = sys_loop_read(v->d->loop, vpn_node_fd(v->kernel), read_answers, v);
	return !rc || daemon_vpn_refuse("event loop", strerror(-rc));
}

static bool open_place(struct daemon_vpn *v)
{
	const struct mip6d_config *cfg = v->d->cfg;
	struct vpn_place_config c = {
		.authenticate = cfg->vpn.authenticate, .n_internal = cfg->vpn.n_internal};

	memcpy(c.internal, cfg->vpn.internal, sizeof(c.internal));
	v->d->env.random(v->d, &c.epoch, sizeof(c.epoch));
	if (!c.authenticate)
		log_warning("vpn: whoever advertises an internal prefix makes this node talk in "
			    "clear; with "
			    "authenticate = true  the manager has to answer first");
	else if (!v->policies.manager_reqid)
		log_warning("vpn: with  manager_ipsec = \"gateway\"  nothing can prove that this "
			    "node is "
			    "inside, so it is outside everywhere; with  authenticate = false  an "
			    "internal "
			    "prefix is enough, from whomever it comes");
	for (size_t i = 0; i < cfg->mobile_node.n_interfaces && i < VPN_PLACE_LINKS; i++)
		v->links[i].ifindex = (int)if_nametoindex(cfg->mobile_node.interfaces[i].name);
	v->place = vpn_place_new(&c, &place_ops, v, v->d->env.timers);
	return v->place || daemon_vpn_refuse("place", "out of memory");
}

/*
 * V4: the gateway's packets and ours take the direct way as long as there is a care-of address, at a move from the new one at
 * once.  IKE is no ESP: with strongSwan what is said to the gateway goes by the home agent until it has the new binding.
 */
static void direct_path(struct daemon_vpn *v)
{
	int err = mn_ro_because(v->d->mn, &v->policies.gateway, MN_RO_ON, "it is the gateway");

	if (err)
		log_warning("vpn: no direct path to the gateway %s, what is said to it goes by the "
			    "home agent: %s",
			in6_str(&v->policies.gateway), strerror(-err));
	mn_ro_sealed(v->d->mn, &v->policies.gateway, v->d->cfg->vpn.ipsec == IPSEC_MANUAL);
}

bool daemon_vpn_start(struct daemon *d)
{
	const struct config_vpn *c = &d->cfg->vpn;

	if (!c->enabled)
		return true;
	d->vpn = calloc(1, sizeof(*d->vpn));
	if (!d->vpn)
		return daemon_vpn_refuse("start", "out of memory");
	d->vpn->d = d;
	timer_init(&d->vpn->refresh, refresh, d->vpn);
	if (own_address(d)) {
		if (!open_kernel(d->vpn) || !open_place(d->vpn))
			return false;
		direct_path(d->vpn);
		tell(d->vpn, true, "no link is known to be internal");
		return true;
	}
	return daemon_vpn_protect_manager(d->vpn);
}

/* ---- end ---- */

/* The address first: then there is nothing to protect. */
void daemon_vpn_stop(struct daemon *d)
{
	struct daemon_vpn *v = d->vpn;

	if (!v)
		return;
	timer_stop(d->env.timers, &v->refresh);
	vpn_place_free(v->place);
	if (v->kernel)
		sys_loop_forget(d->loop, vpn_node_fd(v->kernel));
	vpn_node_close(v->kernel, true);
	daemon_vpn_unprotect(v);
	free(v);
	d->vpn = NULL;
}

struct json_t *daemon_vpn_status(void *daemon)
{
	const struct daemon_vpn *v = ((struct daemon *)daemon)->vpn;
	char name[IFNAMSIZ];
	json_t *o;

	if (!v)
		return NULL;
	o = json_pack("{s:s, s:s}", "place", v->outside ? "outside" : "inside", "why", v->why);
	if (v->inside.ifindex && if_indextoname((unsigned)v->inside.ifindex, name))
		json_object_set_new(o, "interface", json_string(name));
	return o;
}

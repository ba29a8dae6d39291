/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's tunnel with IPsec: what the glue and the packet filter have to be told, and when. */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "common/loop.h"
#include "ipsec-glue/glue.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/sys/esp_filter.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mn_kernel_internal.h"
#include "mip6d/sys/ro_kernel.h"

bool mn_esp_protects(const struct mn_kernel *k, const struct in6_addr *peer)
{
	return k->glue && ipsec_glue_protects(k->glue, &k->config.home_address, peer);
}

/*
 * The kernel prefers the home address as source of all that does not say
 * another; IKE has to come from the care-of address.  The rule of the home
 * address is also found by who has no source yet, as strongSwan when it asks
 * for one.  So before that rule: who has the home address already follows it,
 * all others get to the home agent by the route that names the source.
 */
static int ike_rules(struct mn_kernel *k, const struct in6_addr *home_agent, bool on)
{
	struct rtnl_rule rules[] = {{.src = k->config.home_address,
					    .dst = *home_agent,
					    .table = k->config.table,
					    .priority = SYS_RULE_HOME_TO_AGENT},
		{.dst = *home_agent, .table = RT_TABLE_MAIN, .priority = SYS_RULE_TO_AGENT}};

	for (size_t i = 0; i < 2; i++) {
		struct rtnl_rule *r = &rules[on ? i : 1 - i];
		int err = nlreq_do(k->rt, on ? rtnl_rule_add(r) : rtnl_rule_del(r));

		if (err && err != -EEXIST && err != -ENOENT)
			return err;
	}
	return 0;
}

static struct rtnl_route ike_route(const struct in6_addr *home_agent)
{
	return (struct rtnl_route){.dst = *home_agent, .plen = 128, .metric = SYS_METRIC_MAIN};
}

static int ike_source(struct mn_kernel *k, const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	struct rtnl_route r = ike_route(home_agent);
	int err;

	r.ifindex = k->main_ifindex;
	r.gateway = k->main_router;
	r.prefsrc = *care_of;
	err = nlreq_do(k->rt, rtnl_route_set(&r));
	return err ? err : ike_rules(k, home_agent, true);
}

static void no_ike_source(struct mn_kernel *k)
{
	struct rtnl_route r = ike_route(&k->agent);

	if (!k->ike)
		return;
	(void)ike_rules(k, &k->agent, false);
	(void)nlreq_do(k->rt, rtnl_route_del(&r));
}

static void carried(struct mn_kernel *k, const struct in6_addr *care_of, const struct in6_addr *home_agent)
{
	if (!k->ro || !k->by_home_address)
		return;
	if (!in6_is_any(&k->wire[0]))
		ro_kernel_wire(k->ro, &k->wire[0], &k->wire[1], false);
	k->wire[0] = *care_of;
	k->wire[1] = *home_agent;
	if (!in6_is_any(care_of))
		ro_kernel_wire(k->ro, care_of, home_agent, true);
}

/* Before the tunnel is moved, and before anything is let go: the guard first. */
int mn_esp_away(struct mn_kernel *k, const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	const struct in6_addr *home = &k->config.home_address;
	int err;

	if (!k->glue)
		return 0;
	err = esp_filter_guard(k->esp, home, true);
	if (!err && k->ro)
		err = ro_kernel_away(k->ro, true);
	if (!in6_equal(&k->agent, home_agent) && !in6_is_any(&k->agent))
		no_ike_source(k);
	if (!err && k->ike)
		err = ike_source(k, home_agent, care_of);
	if (!err)
		err = ipsec_glue_bind(k->glue, home, home_agent, care_of);
	if (err)
		log_error("the tunnel to %s cannot be protected: %s", in6_str(home_agent),
			ipsec_glue_why(k->glue));
	else
		k->agent = k->config.home_agent = *home_agent; /* at home, too, until there is another */
	carried(k, care_of, home_agent);
	return err;
}

int mn_esp_home(struct mn_kernel *k)
{
	const struct in6_addr *home = &k->config.home_address;
	int err;

	if (!k->glue)
		return 0;
	if (in6_is_any(&k->agent))
		return k->ike && mn_esp_protects(k, &k->config.home_agent)
			       ? ipsec_glue_unbind(k->glue, home, &k->config.home_agent)
			       : 0;
	no_ike_source(k);
	err = ipsec_glue_unbind(k->glue, home, &k->agent);
	if (!err)
		k->agent = in6addr_any;
	carried(k, &in6addr_any, &in6addr_any);
	if (!err && k->ro)
		err = ro_kernel_away(k->ro, false);
	return err ? err : esp_filter_guard(k->esp, home, false);
}

/*
 * Without signalling's SAs the home agent has no Binding Update yet, and drops
 * the data.  With payload protection the kernel takes from the hold only what
 * has its SA already (of what is routed a second time it does not wait for
 * one), and itself keeps no more than 100 packets for a policy.
 */
#define SA_WAIT_MS 5000
/*
 * By then the Binding Update that waited in the kernel has left: it looks at
 * its next tick (ten milliseconds at most), and the home agent keeps only so
 * many packets of a node that it does not know.
 */
#define UPDATE_LEAVES_MS 20

static bool has_sas(const struct mn_kernel *k, const struct in6_addr *home_agent)
{
	const struct in6_addr *home = &k->config.home_address;

	return ipsec_glue_keyed(k->glue, home, home_agent, IPSEC_SIGNAL) &&
	       (!k->all_by_sa || ipsec_glue_keyed(k->glue, home, home_agent, IPSEC_DATA));
}

static void sa_wait_ends(struct timer *t, void *arg)
{
	struct mn_kernel *k = arg;

	(void)t;
	if (has_sas(k, &k->agent)) {
		(void)mn_hold_end(k->hold, false);
		return;
	}
	log_warning("there are no SAs with home agent %s after %d s; what waited for them is lost",
		in6_str(&k->agent), SA_WAIT_MS / 1000);
	(void)mn_hold_end(k->hold, true);
}

int mn_esp_let_go(struct mn_kernel *k, const struct in6_addr *home_agent)
{
	if (!k->glue || !k->ike || !mn_hold_holding(k->hold) || has_sas(k, home_agent))
		return mn_hold_end(k->hold, false);
	return timer_start(sys_loop_timers(k->loop), &k->sa_wait,
		mono_add_ms(sys_now(NULL), SA_WAIT_MS));
}

void mn_kernel_keyed(struct mn_kernel *k)
{
	/* The tunnel's are made a round trip behind signalling's. */
	if (timer_running(&k->sa_wait) && has_sas(k, &k->agent))
		(void)timer_start(sys_loop_timers(k->loop), &k->sa_wait,
			mono_add_ms(sys_now(NULL), k->all_by_sa ? 0 : UPDATE_LEAVES_MS));
}

bool mn_kernel_by_sa(const struct mn_kernel *k)
{
	return k->glue && !in6_is_any(&k->agent);
}

/* The core may hold what the home address sends already; then it ends the hold, too. */
int mn_kernel_pause(struct mn_kernel *k, bool on)
{
	int err;

	if (!on) {
		if (!k->paused)
			return 0;
		k->paused = false;
		return mn_hold_end(k->hold, false);
	}
	if (mn_hold_holding(k->hold))
		return 0;
	err = mn_hold_start(k->hold);
	k->paused = !err;
	return err;
}

void mn_kernel_moved(struct mn_kernel *k, const struct in6_addr *from, const struct in6_addr *care_of)
{
	/* What ends at the home address is not only the tunnel's. */
	if (in6_equal(from, &k->config.home_address))
		from = &in6addr_any;
	if (esp_filter_moved(k->esp, from, care_of))
		log_warning("what is under way to %s is lost: the packet filter refuses to turn it", in6_str(from));
}

int mn_kernel_protect(struct mn_kernel *k, struct ipsec_glue *glue, const struct esp_filter_config *c,
	char *err, size_t errlen)
{
	struct esp_filter_config mine = *c;

	mine.tunnel = k->config.tunnel;
	mine.pauses = false;
	k->esp = esp_filter_open(&mine, k->loop, k->nf, err, errlen);
	if (!k->esp)
		return -EINVAL;
	k->glue = glue;
	k->ike = c->ike;
	k->all_by_sa = c->payload;
	k->by_home_address = c->by_home_address;
	timer_init(&k->sa_wait, sa_wait_ends, k);
	return k->ike && k->by_home_address ? mn_hold_pass_ike(k->hold, err, errlen) : 0;
}

void mn_kernel_unprotect(struct mn_kernel *k, bool remove)
{
	if (remove && !in6_is_any(&k->agent))
		no_ike_source(k);
	timer_stop(sys_loop_timers(k->loop), &k->sa_wait);
	esp_filter_close(k->esp, remove);
	k->esp = NULL;
	k->glue = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon without a system: the real control socket and the real protocol
 * core, fed with real messages, for tests of mip6ctl's print-out.  Nothing
 * of what mip6ctl shows was put in here as such.
 *
 *     ctl_daemon CONFIG-FILE
 *
 * Commands come on standard input, one a line; each is answered with "ok".
 * Time moves by "wait" only.  Interfaces have the numbers 1 ("lo", which is
 * everywhere), 9999, 10000, ... (which are nowhere) in the order of the
 * configuration.
 *
 *     bu HOME CARE-OF SEQ SECONDS   home agent: a Binding Update arrives
 *     router HOME CARE-OF SEQ SECONDS   home agent: the same, of a mobile router
 *     many N                        home agent: N nodes register, one after the other
 *     up IFINDEX | down IFINDEX     mobile node: a link comes or goes
 *     ra IFINDEX ROUTER PREFIX      mobile node: a Router Advertisement arrives
 *     ba STATUS SECONDS             mobile node: its last Binding Update is answered
 *     wait MILLISECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/icmp6.h"
#include "lib/mh.h"
#include "mip6/wire.h"
#include "mip6d/config.h"
#include "mip6d/control.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "tests/fake_glue.h"
#include "tests/quiet.h"

struct world {
	struct event_base *base;
	struct mip6d_config config;
	struct control *control;
	struct control_backend backend;
	struct mip6_env env;
	monotime_t now;
	uint16_t bu_seq; /* of the last that the mobile node sent */
	struct in6_addr coa; /* configured, to be reported as usable */
	int coa_ifindex; /* 0: nothing to report */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "ctl_daemon: %s\n", what);
	exit(2);
}

static const char *word(void) /* the next one of the command */
{
	return strtok(NULL, " \n");
}

static struct in6_addr address(const char *text)
{
	struct in6_addr a;

	if (!text || inet_pton(AF_INET6, text, &a) != 1)
		die("an address is missing");
	return a;
}

static int number(const char *text)
{
	if (!text)
		die("a number is missing");
	return atoi(text);
}

/* ---- what the core asks for ---- */

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void not_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, 0x5a, n);
}

static int send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;

	if (mh_parse(p->data, p->len, &m, NULL) != MH_OK)
		die("the core sent a malformed message");
	if (m.type == MH_BU)
		w->bu_seq = m.u.bu.seq;
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static void on_event(void *ctx, const struct mip6_event *e)
{
	control_event(((struct world *)ctx)->control, e);
}

static int forward_set(void *ctx, const struct in6_addr *home, const struct in6_addr *care_of)
{
	(void)ctx, (void)home, (void)care_of;
	return 0;
}

static int forward_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx, (void)home;
	return 0;
}

static int proxy(void *ctx, int ifindex, const struct in6_addr *addr)
{
	(void)ctx, (void)ifindex, (void)addr;
	return 0;
}

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *addr, bool router)
{
	(void)router;
	return proxy(ctx, ifindex, addr);
}

static int forward_networks(
	void *ctx, const struct in6_addr *home, const struct ip6_prefix *networks, size_t n)
{
	(void)ctx, (void)home, (void)networks, (void)n;
	return 0;
}

static int dad_listen(void *ctx, int ifindex, const struct in6_addr *addr, bool on)
{
	(void)ctx, (void)ifindex, (void)addr, (void)on;
	return 0;
}

static void store_put(void *ctx, const struct ha_binding_record *r)
{
	(void)ctx, (void)r;
}

static void store_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx, (void)home;
}

static int address_set(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen,
	unsigned flags, uint32_t preferred_s, uint32_t valid_s)
{
	struct world *w = ctx;

	(void)plen, (void)preferred_s, (void)valid_s;
	if (!(flags & MN_ADDR_HOME)) {
		w->coa = *addr;
		w->coa_ifindex = ifindex;
	}
	return 0;
}

static const struct ha_ops ha_ops = {
	forward_set, forward_del, proxy_add, proxy, dad_listen, store_put, store_del,
	forward_networks};
static const struct mn_ops mn_ops = {
	.address_set = address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.neighbour_set = quiet_neighbour_set,
	.bu_path_set = quiet_path_set,
	.bu_path_del = quiet_pair,
	.tunnel_set = quiet_tunnel_set,
	.home_set = quiet_home_set,
	.home_del = quiet_home_del,
	.store_binding = quiet_store_binding,
};

static const struct ro_ops ro_ops = {
	.peer_set = quiet_path_set, .own_set = quiet_path_set, .receive_set = quiet_receive_set};

static int share(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct rr_shared *key)
{
	struct world *w = ctx;
	int rc = cn_shared_set(w->backend.cn, local, peer, key, -1);

	if (!rc && w->backend.mn)
		rc = mn_shared_set(w->backend.mn, peer, key, -1);
	return rc;
}

/* ---- commands ---- */

static void advance(struct world *w, monotime_t to)
{
	monotime_t next;

	while (next = timerq_next(w->env.timers), !mono_before(to, next)) {
		if (mono_before(w->now, next))
			w->now = next;
		timerq_run(w->env.timers, w->now);
	}
	w->now = to;
}

static void binding_update(struct world *w, const struct in6_addr *home,
	const struct in6_addr *care_of, uint16_t seq, int seconds, uint16_t flags,
	const char *identifier)
{
	struct mip6_packet p = {
		.src = *home,
		.src_coa = *care_of,
		.dst = w->config.home_agent.address,
		.flags = MIP6_PKT_HAO,
		.ifindex = 1,
		.hop_limit = 64,
	};
	struct mh_message m = {.type = MH_BU};
	uint8_t data[256];

	m.u.bu.seq = seq;
	m.u.bu.lifetime = (uint16_t)(seconds / MIP6_LIFETIME_UNIT);
	m.u.bu.flags = BU_F_A | BU_F_H | flags;
	/* RFC 6275 11.7.1: it has to be there */
	mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = *care_of;
	if (identifier) {
		struct mh_option *o = mh_option_add(&m, MHOPT_MN_ID);

		o->u.mn_id.subtype = MN_ID_NAI;
		o->u.mn_id.id = (const uint8_t *)identifier;
		o->u.mn_id.len = strlen(identifier);
	}
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	ha_receive_mh(w->backend.ha, &p);
}

static void cmd_bu(struct world *w, uint16_t flags)
{
	struct in6_addr home = address(word()), care_of = address(word());
	int seq = number(word()), seconds = number(word());

	binding_update(w, &home, &care_of, (uint16_t)seq, seconds, flags, word());
}

static void cmd_many(struct world *w)
{
	struct in6_addr home = w->config.home_agent.prefixes[0].prefix.addr,
			care_of = address("2001:db8:ffff::1");
	int n = number(word());

	home.s6_addr[9] = 1;
	for (int i = 0; i < n; i++) {
		home.s6_addr[13] = (uint8_t)(i >> 16);
		home.s6_addr[14] = (uint8_t)(i >> 8);
		home.s6_addr[15] = (uint8_t)i;
		binding_update(w, &home, &care_of, 1, 3600, 0, NULL);
	}
}

static void cmd_link(struct world *w, bool up)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01};

	mn_link_event(w->backend.mn, number(word()), up, mac, up);
}

static void cmd_ra(struct world *w)
{
	struct mip6_packet p = {.dst = in6_all_nodes, .hop_limit = 255};
	const char *text;
	struct icmp6_message m = {.type = ICMP6T_RA};
	struct ip6_prefix prefix;
	uint8_t data[256];

	p.ifindex = number(word());
	p.src = address(word());
	text = word();
	if (!text || !ip6_prefix_parse(text, &prefix))
		die("a prefix is missing");
	m.u.ra.lifetime_s = 1800;
	m.u.ra.cur_hop_limit = 64;
	m.u.ra.n_prefixes = 1;
	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = prefix.addr,
		.plen = prefix.plen,
		.on_link = true,
		.autonomous = true,
		.valid_s = 3600,
		.preferred_s = 1800};
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	mn_receive_icmp6(w->backend.mn, &p);
}

static void cmd_ba(struct world *w)
{
	struct mn_info i;
	struct mip6_packet p = {.src = w->config.mobile_node.home_agent,
		.dst = w->config.mobile_node.home_address,
		.flags = MIP6_PKT_RH2,
		.hop_limit = 64};
	struct mh_message m = {.type = MH_BA};
	uint8_t data[256];

	mn_info(w->backend.mn, &i);
	p.dst_coa = i.care_of;
	m.u.ba.status = (uint8_t)number(word());
	m.u.ba.flags = i.mobile_router ? BA_F_R : 0;
	m.u.ba.lifetime = (uint16_t)(number(word()) / MIP6_LIFETIME_UNIT);
	m.u.ba.seq = w->bu_seq;
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	mn_receive_mh(w->backend.mn, &p);
}

/* Binding Revocation Indication with this trigger */
static void cmd_bri(struct world *w)
{
	struct mn_info i;
	struct mip6_packet p = {.src = w->config.mobile_node.home_agent,
		.dst = w->config.mobile_node.home_address,
		.flags = MIP6_PKT_RH2,
		.hop_limit = 64};
	struct mh_message m = {.type = MH_REVOCATION};
	uint8_t data[64];

	mn_info(w->backend.mn, &i);
	p.dst_coa = i.care_of;
	m.u.revocation.br_type = BR_INDICATION;
	m.u.revocation.trigger_or_status = (uint8_t)number(word());
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	mn_receive_mh(w->backend.mn, &p);
}

static void command(struct world *w, char *line)
{
	const char *verb = strtok(line, " \n");

	if (!verb)
		return;
	if (strcmp(verb, "wait") == 0)
		advance(w, mono_add_ms(w->now, number(word())));
	else if (strcmp(verb, "bu") == 0 && w->backend.ha)
		cmd_bu(w, 0);
	else if (strcmp(verb, "router") == 0 && w->backend.ha)
		cmd_bu(w, BU_F_R);
	else if (strcmp(verb, "many") == 0 && w->backend.ha)
		cmd_many(w);
	else if (strcmp(verb, "up") == 0 && w->backend.mn)
		cmd_link(w, true);
	else if (strcmp(verb, "down") == 0 && w->backend.mn)
		cmd_link(w, false);
	else if (strcmp(verb, "ra") == 0 && w->backend.mn)
		cmd_ra(w);
	else if (strcmp(verb, "ba") == 0 && w->backend.mn)
		cmd_ba(w);
	else if (strcmp(verb, "bri") == 0 && w->backend.mn)
		cmd_bri(w);
	else
		die("no such command");
	/* the kernel tells about addresses after the call that made them */
	if (w->coa_ifindex) {
		int ifindex = w->coa_ifindex;

		w->coa_ifindex = 0;
		mn_address_event(w->backend.mn, ifindex, &w->coa, MN_ADDR_USABLE_OPTIMISTIC);
	}
	advance(w, w->now);
}

static void on_stdin(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	char line[256];

	(void)fd, (void)what;
	/* one line at a time: whoever writes waits for the answer */
	if (!fgets(line, sizeof(line), stdin)) {
		event_base_loopbreak(w->base);
		return;
	}
	command(w, line);
	puts("ok");
	fflush(stdout);
}

/* ---- start ---- */

static void start_correspondent(struct world *w)
{
	struct mn_ro_config r;
	struct cn_config c;

	config_to_cn(&w->config, &c);
	w->backend.cn = cn_new(&c, &w->env, &ro_ops, w, NULL);
	if (!w->backend.cn)
		die("out of memory");
	if (!w->backend.mn)
		return;
	config_to_mn_ro(&w->config, &r);
	if (mn_ro_enable(w->backend.mn, &r, &ro_ops, w, w->backend.cn) < 0)
		die("out of memory");
}

static void start_core(struct world *w)
{
	if (w->config.role == ROLE_HOME_AGENT) {
		struct ha_config c;

		config_to_ha(&w->config, &c);
		if (w->config.home_agent.home_link[0]) {
			c.home_ifindex = 1;
			c.home_lladdr_len = 6;
		}
		w->backend.ha = ha_new(&c, &w->env, &ha_ops, w);
	} else {
		struct mn_config c;

		config_to_mn(&w->config, &c);
		for (size_t i = 0; i < c.n_interfaces; i++)
			c.interfaces[i].ifindex = i ? 9998 + (int)i : 1;
		w->backend.mn = mn_new(&c, &w->env, &mn_ops, w);
	}
	if (!w->backend.ha && !w->backend.mn)
		die("out of memory");
	start_correspondent(w);
	if (w->config.ipsec.manager != IPSEC_NONE)
		w->backend.ipsec = fake_glue(w->config.ipsec.manager);
}

int main(int argc, char **argv)
{
	static struct world w;
	struct config_errors errors;
	struct event *input;
	char err[256];

	if (argc != 2)
		die("usage: ctl_daemon CONFIG-FILE");
	if (!config_load(argv[1], &w.config, &errors)) {
		config_errors_print(&errors, stderr);
		return 1;
	}
	config_errors_release(&errors);
	w.now = (monotime_t){1000000000};
	w.base = event_base_new();
	w.env = (struct mip6_env){&w, timerq_new(), now, not_random, send_mh, send_icmp6, on_event};
	w.backend = (struct control_backend){
		.config = &w.config, .version = "test", .started = w.now, .ctx = &w, .now = now,
		.share = share};
	start_core(&w);
	w.control = control_start(w.base, &w.backend, err, sizeof(err));
	if (!w.control)
		die(err);
	input = event_new(w.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_stdin, &w);
	event_add(input, NULL);
	setvbuf(stdin, NULL, _IONBF, 0);
	puts("ready");
	fflush(stdout);
	event_base_dispatch(w.base);
	event_free(input);
	control_stop(w.control);
	if (w.backend.ha)
		ha_free(w.backend.ha);
	if (w.backend.mn)
		mn_free(w.backend.mn);
	cn_free(w.backend.cn);
	timerq_free(w.env.timers);
	event_base_free(w.base);
	config_release(&w.config);
	return 0;
}

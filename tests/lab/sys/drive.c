/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system side without a protocol core: commands come line by line on
 * standard input and are given to struct ha_ops, struct mn_ops and the
 * sockets; each answers with one line, "ok ..." or "error ...", and what
 * arrives from outside is printed as "event ...".
 *
 *   drive ha ADDRESS TUNNEL HOME-LINK|- STATE
 *   drive mn HOME-ADDRESS HOME-AGENT TUNNEL TABLE STATE INTERFACE...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/mh.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/icmp6_socket.h"
#include "common/loop.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mh_socket.h"
#include "mip6d/sys/mn_kernel.h"
#include "lib/netlink.h"
#include "mip6d/sys/nft.h"
#include "common/privileges.h"
#include "mip6d/sys/settings.h"
#include "mip6d/sys/store.h"

#define MAX_WORDS 16

struct drive {
	struct sys_loop *loop;
	struct mh_socket *mh;
	struct icmp6_socket *icmp6;
	struct settings *settings;
	struct store *store;
	struct ha_kernel *ha;
	struct mn_kernel *mn;
	struct in6_addr home_address, home_agent;
	char line[4096];
	size_t len;
	bool remove; /* at the end */
};

static struct in6_addr addr(const char *text)
{
	struct in6_addr a = IN6ADDR_ANY_INIT;

	if (inet_pton(AF_INET6, text, &a) != 1)
		fprintf(stderr, "drive: %s is no address\n", text);
	return a;
}

static void say_result(const char *what, int err)
{
	if (err)
		printf("error %s: %s\n", what, strerror(-err));
	else
		printf("ok %s\n", what);
}

/* ---- events ---- */

static void mh_arrived(void *arg, const struct mip6_packet *p)
{
	char from[3][INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	(void)arg;
	inet_ntop(AF_INET6, &p->src, from[0], sizeof(from[0]));
	inet_ntop(AF_INET6, &p->src_coa, from[1], sizeof(from[1]));
	inet_ntop(AF_INET6, &p->dst, to, sizeof(to));
	inet_ntop(AF_INET6, &p->dst_coa, from[2], sizeof(from[2]));
	printf("event mh type %d src %s dst %s hao %s rh2 %s if %d hops %d len %zu\n",
		p->len > 2 ? p->data[2] : -1, from[0], to, p->flags & MIP6_PKT_HAO ? from[1] : "-",
		p->flags & MIP6_PKT_RH2 ? from[2] : "-", p->ifindex, p->hop_limit, p->len);
}

static void icmp6_arrived(void *arg, const struct mip6_packet *p)
{
	(void)arg;
	printf("event icmp6 type %d src %s dst %s if %d hops %d len %zu\n", p->data[0],
		in6_str(&p->src), in6_str(&p->dst), p->ifindex, p->hop_limit, p->len);
}

static void on_link(
	void *ctx, int ifindex, bool up, const uint8_t *mac, size_t mac_len, bool link_local)
{
	(void)ctx;
	(void)mac;
	printf("event link %d %s mac %zu link-local %d\n", ifindex, up ? "up" : "down", mac_len,
		link_local);
}

static void on_address(void *ctx, int ifindex, const struct in6_addr *a, enum watch_address state)
{
	static const char *const names[] = {
		"tentative", "optimistic", "ready", "duplicate", "removed"};

	(void)ctx;
	printf("event address %d %s %s\n", ifindex, in6_str(a), names[state]);
}

static void on_neighbour(void *ctx, int ifindex, const struct in6_addr *a, bool reachable)
{
	(void)ctx;
	printf("event neighbour %d %s %s\n", ifindex, in6_str(a),
		reachable ? "reachable" : "failed");
}

static void read_mh(void *arg)
{
	mh_socket_read(((struct drive *)arg)->mh, mh_arrived, arg);
}

static void read_icmp6(void *arg)
{
	icmp6_socket_read(((struct drive *)arg)->icmp6, icmp6_arrived, arg);
}

/* ---- commands ---- */

/* forward-many FIRST-HOME N CARE-OF: home addresses counted up, all at one care-of address */
static void forward_many(struct drive *d, char **w)
{
	struct in6_addr home = addr(w[1]), care_of = addr(w[3]);
	int n = atoi(w[2]), err = 0;
	monotime_t start = sys_now(NULL);

	for (int i = 0; i < n && !err; i++) {
		err = ha_kernel_ops.forward_set(d->ha, &home, &care_of);
		for (int b = 15; b >= 12 && ++home.s6_addr[b] == 0; b--)
			;
	}
	if (err)
		say_result("forward-many", err);
	else
		printf("ok forward-many %d us %lld\n", n, (long long)(sys_now(NULL).us - start.us));
}

static void groups(struct drive *d, char **w)
{
	struct in6_addr a = addr(w[2]);
	int n = atoi(w[3]), err = 0;
	monotime_t start = sys_now(NULL);

	for (int i = 0; i < n && !err; i++) {
		err = ha_kernel_ops.dad_listen(
			d->ha, (int)if_nametoindex(w[1]), &a, strcmp(w[4], "on") == 0);
		for (int b = 15; b >= 12 && ++a.s6_addr[b] == 0; b--)
			;
	}
	if (err)
		say_result("groups", err);
	else
		printf("ok groups %d us %lld\n", n, (long long)(sys_now(NULL).us - start.us));
}

/* element-cost N: N pairs added and deleted, each in a transaction of its own */
static void element_cost(char **w)
{
	struct nft_change c = {.set = SYS_NFT_BINDINGS, .key = {0xfd}};
	int n = atoi(w[1]), err;
	struct nlreq *nf = nlreq_open(NETLINK_NETFILTER, &err);
	monotime_t start = sys_now(NULL);

	for (int i = 0; i < 2 * n && !err; i++) {
		c.add = i < n;
		memcpy(c.key + 16, &(int){i % n}, sizeof(int));
		err = nft_elements(nf, 32, &c, 1);
	}
	if (err)
		say_result("element-cost", err);
	else
		printf("ok element-cost us %lld\n",
			(long long)(sys_now(NULL).us - start.us) / (2 * n));
	nlreq_close(nf);
}

/* send-mh TYPE SRC DST [rh2 CARE-OF] [if NAME] */
static void send_mh(struct drive *d, char **w, int n)
{
	struct mh_message m = {.type = (uint8_t)atoi(w[1])};
	struct mip6_packet p = {.src = addr(w[2]), .dst = addr(w[3])};
	uint8_t data[256];

	for (int i = 4; i + 1 < n; i += 2) {
		if (strcmp(w[i], "rh2") == 0) {
			p.flags |= MIP6_PKT_RH2;
			p.dst_coa = addr(w[i + 1]);
		} else if (strcmp(w[i], "if") == 0) {
			p.ifindex = (int)if_nametoindex(w[i + 1]);
		}
	}
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	say_result("send-mh", mh_socket_send(d->mh, &p));
}

/* send-ns SRC DST IF TARGET */
static void send_ns(struct drive *d, char **w)
{
	struct in6_addr target = addr(w[4]);
	uint8_t data[24] = {ICMP6T_NS};
	struct mip6_packet p = {.src = addr(w[1]),
		.dst = addr(w[2]),
		.ifindex = (int)if_nametoindex(w[3]),
		.hop_limit = 255,
		.data = data,
		.len = sizeof(data)};

	memcpy(data + 8, &target, 16);
	say_result("send-ns", icmp6_socket_send(d->icmp6, &p));
}

static void print_stored(void *arg, const struct ha_binding_record *r)
{
	(void)arg;
	printf("stored %s %s seq %u left %u\n", in6_str(&r->home_address), in6_str(&r->care_of),
		r->seq, r->remaining_s);
}

static bool ha_command(struct drive *d, char **w, int n)
{
	struct in6_addr a =
		n > 1 ? addr(n > 2 && strncmp(w[0], "proxy", 5) == 0 ? w[2] : w[1]) : in6addr_any;
	struct in6_addr b = n > 2 && strcmp(w[0], "forward") == 0 ? addr(w[2]) : in6addr_any;
	struct ha_kernel_stats st;

	if (strcmp(w[0], "forward") == 0) {
		say_result(w[0], ha_kernel_ops.forward_set(d->ha, &a, &b));
	} else if (strcmp(w[0], "unforward") == 0) {
		say_result(w[0], ha_kernel_ops.forward_del(d->ha, &a));
	} else if (strcmp(w[0], "forward-many") == 0) {
		forward_many(d, w);
	} else if (strcmp(w[0], "element-cost") == 0) {
		element_cost(w);
	} else if (strcmp(w[0], "groups") == 0) {
		groups(d, w);
	} else if (strcmp(w[0], "proxy") == 0) {
		say_result(w[0], ha_kernel_ops.proxy_add(d->ha, (int)if_nametoindex(w[1]), &a, false));
	} else if (strcmp(w[0], "proxy-del") == 0) {
		say_result(w[0], ha_kernel_ops.proxy_del(d->ha, (int)if_nametoindex(w[1]), &a));
	} else if (strcmp(w[0], "reconcile") == 0) {
		ha_kernel_reconcile(d->ha);
		say_result(w[0], 0);
	} else if (strcmp(w[0], "store") == 0) {
		struct ha_binding_record r = {.home_address = a,
			.care_of = addr(w[2]),
			.seq = 1,
			.lifetime_s = 600,
			.remaining_s = 600};

		ha_kernel_ops.store_put(d->ha, &r);
		say_result(w[0], 0);
	} else if (strcmp(w[0], "stored") == 0) {
		ha_kernel_stored(d->ha, print_stored, d);
		say_result(w[0], 0);
	} else if (strcmp(w[0], "stats") == 0) {
		ha_kernel_stats(d->ha, &st);
		printf("ok stats held %llu released %llu dropped %llu bindings %llu\n",
			(unsigned long long)st.held, (unsigned long long)st.released,
			(unsigned long long)st.dropped, (unsigned long long)st.bindings);
	} else {
		return false;
	}
	return true;
}

static unsigned address_flags(char **w, int n)
{
	unsigned f = 0;

	for (int i = 0; i < n; i++)
		f |= strcmp(w[i], "optimistic") == 0 ? MN_ADDR_OPTIMISTIC
		     : strcmp(w[i], "nodad") == 0    ? MN_ADDR_NODAD
		     : strcmp(w[i], "renew") == 0    ? MN_ADDR_RENEW
						     : 0;
	return f;
}

static bool has(char **w, int n, const char *word)
{
	for (int i = 1; i < n; i++)
		if (strcmp(w[i], word) == 0)
			return true;
	return false;
}

static bool mn_command(struct drive *d, char **w, int n)
{
	const struct mn_ops *o = &mn_kernel_ops;
	int ifindex = n > 1 ? (int)if_nametoindex(w[1]) : 0, err;
	struct mn_kernel_stats st;
	struct in6_addr a, b;

	if (strcmp(w[0], "address") == 0) { /* IF ADDR [flags] */
		a = addr(w[2]);
		err = o->address_set(d->mn, ifindex, &a, 64, address_flags(w, n), 600, 1200);
	} else if (strcmp(w[0], "address-del") == 0) {
		a = addr(w[2]);
		err = o->address_del(d->mn, ifindex, &a, 64);
	} else if (strcmp(w[0], "renew") == 0) { /* IF */
		err = o->link_local_renew(d->mn, ifindex, has(w, n, "optimistic"));
	} else if (strcmp(w[0], "router") == 0) { /* IF ROUTER CARE-OF [primary] */
		a = addr(w[2]);
		b = addr(w[3]);
		err = o->router_set(d->mn, ifindex, &a, NULL, 0, &b, 0, has(w, n, "primary"));
	} else if (strcmp(w[0], "router-del") == 0) { /* IF CARE-OF */
		a = addr(w[2]);
		err = o->router_del(d->mn, ifindex, &a);
	} else if (strcmp(w[0], "bu-path") == 0) { /* CARE-OF */
		a = addr(w[1]);
		err = o->bu_path_set(d->mn, &d->home_address, &d->home_agent, &a);
	} else if (strcmp(w[0], "bu-path-del") == 0) {
		err = o->bu_path_del(d->mn, &d->home_address, &d->home_agent);
	} else if (strcmp(w[0], "tunnel") == 0) { /* CARE-OF|- [hold] */
		a = strcmp(w[1], "-") ? addr(w[1]) : in6addr_any;
		err = o->tunnel_set(d->mn, &d->home_address, &d->home_agent,
			strcmp(w[1], "-") ? &a : NULL, has(w, n, "hold"));
	} else if (strcmp(w[0], "home") == 0) { /* IF ROUTER [dad] [hold] */
		a = addr(w[2]);
		err = o->home_set(d->mn, &d->home_address, 64, ifindex, &a, has(w, n, "dad"),
			has(w, n, "hold"));
	} else if (strcmp(w[0], "home-del") == 0) {
		err = o->home_del(d->mn, &d->home_address, ifindex);
	} else if (strcmp(w[0], "reconcile") == 0) {
		mn_kernel_reconcile(d->mn);
		err = 0;
	} else if (strcmp(w[0], "stats") == 0) {
		mn_kernel_stats(d->mn, &st);
		printf("ok stats held %llu released %llu dropped %llu\n",
			(unsigned long long)st.held, (unsigned long long)st.released,
			(unsigned long long)st.dropped);
		return true;
	} else {
		return false;
	}
	say_result(w[0], err);
	return true;
}

static void command(struct drive *d, char *line)
{
	char *words[MAX_WORDS + 1], *save, *w;
	int n = 0;

	for (w = strtok_r(line, " ", &save); w && n < MAX_WORDS; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	if (!n)
		return;
	if (strcmp(words[0], "quit") == 0) {
		d->remove = n < 2;
		sys_loop_stop(d->loop);
	} else if (strcmp(words[0], "send-mh") == 0) {
		send_mh(d, words, n);
	} else if (strcmp(words[0], "send-ns") == 0) {
		send_ns(d, words);
	} else if (!(d->ha ? ha_command(d, words, n) : mn_command(d, words, n))) {
		printf("error what is %s?\n", words[0]);
	}
}

static void read_commands(void *arg)
{
	struct drive *d = arg;
	ssize_t n = read(0, d->line + d->len, sizeof(d->line) - 1 - d->len);
	char *end;

	if (n <= 0) {
		if (n == 0)
			sys_loop_stop(d->loop);
		return;
	}
	d->len += (size_t)n;
	d->line[d->len] = 0;
	while ((end = strchr(d->line, '\n'))) {
		*end = 0;
		command(d, d->line);
		d->len -= (size_t)(end + 1 - d->line);
		memmove(d->line, end + 1, d->len + 1);
	}
}

/* ---- start ---- */

static bool start_ha(struct drive *d, char **argv, char *err, size_t errlen)
{
	struct ha_kernel_config c = {.address = addr(argv[2])};

	snprintf(c.tunnel, sizeof(c.tunnel), "%s", argv[3]);
	if (strcmp(argv[4], "-") != 0) {
		snprintf(c.home_link, sizeof(c.home_link), "%s", argv[4]);
		c.home_ifindex = (int)if_nametoindex(argv[4]);
	}
	d->ha = ha_kernel_open(&c, d->loop, d->icmp6, d->settings, d->store, err, errlen);
	return d->ha;
}

static bool start_mn(struct drive *d, char **argv, int argc, char *err, size_t errlen)
{
	const struct watch_ops events = {on_link, on_address, on_neighbour};
	struct mn_kernel_config c = {.home_address = addr(argv[2]),
		.home_agent = addr(argv[3]),
		.table = (uint32_t)atoi(argv[5]),
		.optimistic_dad = true};

	snprintf(c.tunnel, sizeof(c.tunnel), "%s", argv[4]);
	for (int i = 7; i < argc; i++) {
		c.interfaces[c.n_interfaces].ifindex = (int)if_nametoindex(argv[i]);
		snprintf(c.interfaces[c.n_interfaces++].name, IFNAMSIZ, "%s", argv[i]);
	}
	d->home_address = c.home_address;
	d->home_agent = c.home_agent;
	d->mn = mn_kernel_open(&c, d->loop, d->settings, d->store, &events, d, err, errlen);
	return d->mn && mn_kernel_start(d->mn) == 0;
}

static bool start(struct drive *d, int argc, char **argv, char *err, size_t errlen)
{
	static const uint8_t types[] = {ICMP6T_RA, ICMP6T_NS, ICMP6T_NA};
	bool ha = strcmp(argv[1], "ha") == 0;
	char settings[256];
	int rc;

	snprintf(settings, sizeof(settings), "%s.settings", argv[ha ? 5 : 6]);
	d->loop = sys_loop_new();
	d->store = store_open(argv[ha ? 5 : 6], err, errlen);
	if (!d->loop || !d->store)
		return false;
	d->settings = settings_open(settings, err, errlen);
	snprintf(err, errlen, "no raw sockets");
	d->mh = mh_socket_open(&rc);
	d->icmp6 = icmp6_socket_open(types, sizeof(types), &rc);
	if (!d->settings || !d->mh || !d->icmp6)
		return false;
	if (!(ha ? start_ha(d, argv, err, errlen) : start_mn(d, argv, argc, err, errlen)))
		return false;
	return !sys_loop_read(d->loop, mh_socket_fd(d->mh), read_mh, d) &&
	       !sys_loop_read(d->loop, icmp6_socket_fd(d->icmp6), read_icmp6, d) &&
	       !sys_loop_read(d->loop, 0, read_commands, d);
}

int main(int argc, char **argv)
{
	struct drive d = {.remove = true};
	char err[1024] = "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_setup("drive", LOGL_DEBUG);
	if (argc < 6 || (strcmp(argv[1], "ha") != 0 && argc < 8))
		return 2;
	if (!start(&d, argc, argv, err, sizeof(err))) {
		printf("error start: %s\n", err);
		return 1;
	}
	say_result("drop privileges", privileges_drop(true, true));
	puts("ok start");
	fcntl(0, F_SETFL, O_NONBLOCK);
	sys_loop_run(d.loop);
	if (d.ha) {
		ha_kernel_stopping(d.ha);
		ha_kernel_close(d.ha, d.remove);
	}
	mn_kernel_close(d.mn, d.remove);
	settings_close(d.settings);
	store_close(d.store);
	icmp6_socket_close(d.icmp6);
	mh_socket_close(d.mh);
	sys_loop_free(d.loop);
	puts("ok end");
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The direct path without a protocol core: commands on standard input are
 * given to struct ro_ops, each answers with "ok WORD" or "error WORD", and
 * what comes back is printed as "event ...".
 *
 *   drive_ro HOME-ADDRESS|- [PREFIX/LEN,never|always|after[,PACKETS,PER_S] ...]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "common/loop.h"
#include "lib/netlink.h"
#include "common/privileges.h"
#include "mip6d/sys/ro_kernel.h"
#include "ipsec-glue/xfrm.h"

#define MAX_RULES 8

struct drive {
	struct sys_loop *loop;
	struct ro_kernel *ro;
	char line[4096];
	size_t len;
	bool remove;
};

static void on_unverified(void *ctx, const struct in6_addr *local, const struct in6_addr *home,
	const struct in6_addr *care_of)
{
	(void)ctx;
	printf("event unverified local %s", in6_str(local));
	printf(" home %s", in6_str(home));
	printf(" care-of %s\n", in6_str(care_of));
}

static void on_error(void *ctx, const struct icmp6_error *e)
{
	(void)ctx;
	printf("event icmp %u %u info %u dst %s\n", e->type, e->code, e->info, in6_str(&e->dst));
}

static void on_traffic(void *ctx, const struct in6_addr *peer)
{
	(void)ctx;
	printf("event traffic %s\n", in6_str(peer));
}

static int do_words(struct drive *d, const char *verb, char *const *w)
{
	struct in6_addr a = IN6ADDR_ANY_INIT, b = a, c = a;
	const struct in6_addr *care_of = NULL;
	struct ro_kernel_stats s;

	if (w[0])
		inet_pton(AF_INET6, w[0], &a);
	if (w[0] && w[1])
		inet_pton(AF_INET6, w[1], &b);
	if (w[0] && w[1] && w[2] && inet_pton(AF_INET6, w[2], &c) == 1)
		care_of = &c;
	if (strcmp(verb, "peer") == 0)
		return ro_kernel_ops.peer_set(d->ro, &a, &b, care_of);
	if (strcmp(verb, "own") == 0)
		return ro_kernel_ops.own_set(d->ro, &a, &b, care_of);
	if (strcmp(verb, "receive") == 0)
		return ro_kernel_ops.receive_set(d->ro, &a, &b, strcmp(w[2], "on") == 0);
	if (strcmp(verb, "watch") == 0)
		return ro_kernel_watch(d->ro, &a, strcmp(w[1], "on") == 0);
	if (strcmp(verb, "idle") == 0) {
		printf("event idle %lld\n", (long long)ro_kernel_ops.idle_s(d->ro, &a, &b));
		return 0;
	}
	ro_kernel_stats(d->ro, &s);
	printf("event stats reports %llu errors %llu mtu %llu ignored %llu\n",
		(unsigned long long)s.reports, (unsigned long long)s.errors,
		(unsigned long long)s.mtu_set, (unsigned long long)s.mtu_ignored);
	return strcmp(verb, "stats") == 0 ? 0 : -EINVAL;
}

static void command(struct drive *d, char *line)
{
	char *w[8] = {NULL};
	int n = 0, err;

	for (char *p = strtok(line, " "); p && n < 7; p = strtok(NULL, " "))
		w[n++] = p;
	if (!n)
		return;
	if (strcmp(w[0], "quit") == 0) {
		d->remove = !w[1];
		sys_loop_stop(d->loop);
		return;
	}
	err = do_words(d, w[0], w + 1);
	if (err)
		printf("error %s: %s\n", w[0], strerror(-err));
	else
		printf("ok %s\n", w[0]);
}

static void read_commands(void *arg)
{
	struct drive *d = arg;
	ssize_t n = read(0, d->line + d->len, sizeof(d->line) - d->len - 1);
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

static bool rule(const char *text, struct ro_watch_rule *r)
{
	char prefix[64], when[16];
	int n = sscanf(text, "%63[^,],%15[^,],%u,%u", prefix, when, &r->packets, &r->per_s);

	r->when = strcmp(when, "never") == 0    ? RO_WATCH_NEVER
		  : strcmp(when, "always") == 0 ? RO_WATCH_ALWAYS
						: RO_WATCH_AFTER;
	return n >= 2 && ip6_prefix_parse(prefix, &r->peers);
}

int main(int argc, char **argv)
{
	const struct ro_kernel_events events = {on_unverified, on_error, on_traffic};
	struct ro_watch_rule rules[MAX_RULES] = {0};
	struct ro_kernel_config c = {.rules = rules};
	struct drive d = {.remove = true, .loop = sys_loop_new()};
	char err[1024] = "no loop or bad words";
	struct nlreq *x;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_setup("drive_ro", LOGL_DEBUG);
	x = nlreq_open(NETLINK_XFRM, &rc);
	for (int i = 2; i < argc && i < 2 + MAX_RULES; i++)
		c.n_rules += rule(argv[i], &rules[c.n_rules]);
	if (inet_pton(AF_INET6, argv[1], &c.home_address) == 1)
		xfrm_accept_rh2(x, &c.home_address);
	d.ro = ro_kernel_open(&c, d.loop, NULL, &events, NULL, err, sizeof(err));
	if (!d.ro) {
		printf("error start: %s\n", err);
		return 1;
	}
	privileges_drop(true, true);
	sys_loop_read(d.loop, 0, read_commands, &d);
	puts("ok start");
	fcntl(0, F_SETFL, O_NONBLOCK);
	sys_loop_run(d.loop);
	ro_kernel_close(d.ro, d.remove);
	if (d.remove && !in6_is_any(&c.home_address))
		xfrm_refuse_rh2(x, &c.home_address);
	nlreq_close(x);
	sys_loop_free(d.loop);
	puts("ok end");
	return 0;
}

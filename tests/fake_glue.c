/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fake_glue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/glue.h"

struct ipsec_glue {
	enum ipsec_manager manager;
	bool mended;
};

struct ipsec_glue *fake_glue(enum ipsec_manager manager)
{
	static struct ipsec_glue g;

	g.manager = manager;
	return &g;
}

static struct in6_addr address(const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		abort();
	return a;
}

#define AGENT "2001:db8:1::1000"
static const char *const homes[] = {"2001:db8:1::100", "2001:db8:1::20"};

void ipsec_glue_nodes(const struct ipsec_glue *g, ipsec_glue_node_fn *fn, void *arg)
{
	struct in6_addr agent = address(AGENT);

	(void)g;
	for (size_t i = 0; i < 2; i++) {
		struct in6_addr home = address(homes[i]);

		if (!fn(arg, &home, &agent))
			return;
	}
}

/* The first node's, at the home agent: it is away, and somebody plays with what it sends. */
static void first(struct ipsec_glue_sa *sa)
{
	struct ipsec_sa_info *i = &sa->info;

	i->packets = sa->use == IPSEC_SIGNAL ? 4 : 120345;
	i->bytes = i->packets * (sa->use == IPSEC_SIGNAL ? 100 : 1200);
	i->added = (uint64_t)time(NULL) - 100;
	if (sa->out) {
		i->sa.sent = i->packets + IPSEC_SEQUENCE_GAP;
	} else {
		i->sa.received = i->packets + 7;
		i->sa.replay_window = IPSEC_REPLAY_WINDOW;
		i->replay_failed = sa->use == IPSEC_SIGNAL ? 3 : 0;
		i->integrity_failed = sa->use == IPSEC_SIGNAL ? 1 : 0;
	}
	if (sa->manager == IPSEC_MANUAL) {
		i->sa.hard_packets = 1 << 20;
	} else {
		i->sa.hard_s = 3960;
		i->sa.soft_s = 3600;
	}
}

/* The second's signalling SAs are missing, one without that anybody knew its number. */
static void second(struct ipsec_glue_sa *sa)
{
	sa->missing = true;
	if (sa->manager == IPSEC_STRONGSWAN) {
		sa->info.sa.algorithm = NULL;
		sa->info.sa.spi = 0;
	}
}

int ipsec_glue_sas(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, ipsec_glue_sa_fn *fn, void *arg)
{
	struct in6_addr home = address(homes[0]), other = address(homes[1]),
			care_of = address("2001:db8:5::1");
	bool is_first = in6_equal(&home, home_address);

	if (!is_first && !in6_equal(&other, home_address))
		return -ENOENT;
	for (int i = 0; i < (is_first ? 4 : 2); i++) {
		struct ipsec_glue_sa sa = {.home_address = *home_address,
			.home_agent = *home_agent,
			.manager = g->manager,
			.use = (enum ipsec_use)(i / 2),
			.out = i % 2};
		const struct in6_addr *node = sa.use == IPSEC_SIGNAL ? home_address : &care_of;

		sa.info.sa = (struct ipsec_sa){.src = sa.out ? *home_agent : *node,
			.dst = sa.out ? *node : *home_agent,
			.spi = 0x1000abc0u + (uint32_t)i,
			.mode = sa.use == IPSEC_SIGNAL ? IPSEC_TRANSPORT : IPSEC_TUNNEL,
			.algorithm = ipsec_algorithm_find("aes-gcm-256")};
		is_first ? first(&sa) : second(&sa);
		if (!fn(arg, &sa))
			break;
	}
	return 0;
}

void ipsec_glue_stats(const struct ipsec_glue *g, struct ipsec_glue_stats *s)
{
	(void)g;
	*s = (struct ipsec_glue_stats){
		.nodes = 2, .bound = 1, .moves = 17, .mended = 2, .acquires = 5, .expired = 3};
}

/* With strongSwan there is too much to tell; with manual keys two things are wrong until they are mended. */
int ipsec_glue_check(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg)
{
	int n = g->manager == IPSEC_STRONGSWAN ? 10017 : g->mended ? 0 : 2;

	for (int i = 0; i < n; i++)
		fn(arg, i % 2 ? "policy out " AGENT " -> 2001:db8:1::20, proto 135, priority 8 is missing"
			      : "SA 0x1000abc0 2001:db8:1::20 -> " AGENT " is missing");
	return n;
}

int ipsec_glue_mend(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg)
{
	int n = g->manager == IPSEC_STRONGSWAN ? -EPERM : ipsec_glue_check(g, fn, arg);

	g->mended = true;
	return n;
}

const char *ipsec_glue_why(const struct ipsec_glue *g)
{
	(void)g;
	return "policy-set: operation not permitted";
}

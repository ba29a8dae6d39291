/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about security associations and policies. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/glue.h"
#include "lib/addr.h"
#include "mip6d/config.h"
#include "mip6d/control_internal.h"

#define PART 50 /* nodes in one line of an answer: four SAs each, 80 kB */
#define PART_LINES 400 /* differences in one line of an answer */
#define MAX_LINES 10000 /* of them: who has more wants to know how many */

static const char *const managers[] = {
	[IPSEC_NONE] = "none", [IPSEC_MANUAL] = "manual", [IPSEC_STRONGSWAN] = "strongswan"};

static void put_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

/* ---- one SA ---- */

/* Nothing when there is no limit. */
static void put_left(json_t *o, const char *key, uint64_t limit, uint64_t used)
{
	if (limit)
		put_int(o, key, limit > used ? limit - used : 0);
}

static void put_limits(json_t *o, const struct ipsec_sa_info *i)
{
	uint64_t now = (uint64_t)time(NULL), age = now > i->added ? now - i->added : 0;

	put_left(o, "left_s", i->sa.hard_s, age);
	put_left(o, "rekey_s", i->sa.soft_s, age);
	put_left(o, "left_packets", i->sa.hard_packets, i->packets);
	put_left(o, "left_octets", i->sa.hard_bytes, i->bytes);
}

/* What only the kernel can tell. */
static void put_counters(json_t *o, const struct ipsec_glue_sa *sa)
{
	const struct ipsec_sa_info *i = &sa->info;

	put_int(o, "packets", i->packets);
	put_int(o, "octets", i->bytes);
	put_int(o, "sequence", sa->out ? i->sa.sent : i->sa.received);
	if (!sa->out) {
		put_int(o, "replay_window", i->sa.replay_window);
		put_int(o, "replay_failed", i->replay_failed);
		put_int(o, "integrity_failed", i->integrity_failed);
	}
	if (i->sa.esn)
		json_object_set_new(o, "esn", json_true());
	put_int(o, "added", i->added);
	if (i->used)
		put_int(o, "used", i->used);
	put_limits(o, i);
}

static json_t *sa_json(const struct ipsec_glue_sa *sa, const char *manager, const char *use)
{
	const struct ipsec_sa *s = &sa->info.sa;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "home_address",
		in6_str(&sa->home_address), "home_agent", in6_str(&sa->home_agent), "manager",
		manager, "use", use, "direction", sa->out ? "out" : "in", "missing", sa->missing, "source",
		in6_str(&s->src), "destination", in6_str(&s->dst), "mode",
		s->mode == IPSEC_TUNNEL ? "tunnel" : "transport");

	if (s->spi)
		json_object_set_new(o, "spi", json_sprintf("0x%08x", s->spi));
	if (s->algorithm)
		json_object_set_new(o, "algorithm", json_string(s->algorithm->name));
	if (!sa->missing)
		put_counters(o, sa);
	return o;
}

/* ---- all of them, in parts ---- */

/*
 * Nodes come and go between the parts.  So they are noted at the beginning,
 * and each is looked up when it is its turn.
 */
struct pair {
	struct in6_addr home_address, home_agent;
};
struct listing {
	const struct in6_addr *only; /* NULL: all; while they are noted */
	struct pair *pairs;
	size_t n, cap, at;
	bool failed;
	struct in6_addr home_address; /* only is this, or NULL */
};

static bool note(void *arg, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct listing *l = arg;

	if (l->only && !in6_equal(l->only, home_address))
		return true;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct pair *more = reallocarray(l->pairs, cap, sizeof(*more));

		if (!more) {
			l->failed = true;
			return false;
		}
		l->pairs = more;
		l->cap = cap;
	}
	l->pairs[l->n++] = (struct pair){*home_address, *home_agent};
	return true;
}

static void listing_free(void *state)
{
	struct listing *l = state;

	free(l->pairs);
	free(l);
}

static bool add_sa(void *arg, const struct ipsec_glue_sa *sa)
{
	json_array_append_new(arg, sa_json(sa, managers[sa->manager], ipsec_use_name(sa->use)));
	return true;
}

struct session_sas {
	json_t *to;
	const struct in6_addr *only; /* a home address, ours or a peer's; NULL: all */
};

/* As of an SA pair (ipsec-glue/pair.h): we, and the peer in the home agent's place. */
static void add_session_sa(void *arg, const struct in6_addr *local, const struct in6_addr *peer,
	bool out, bool missing, const struct ipsec_sa_info *info)
{
	const struct session_sas *to = arg;
	const struct ipsec_glue_sa sa = {.home_address = *local,
		.home_agent = *peer,
		.out = out,
		.missing = missing,
		.info = *info};

	if (!to->only || in6_equal(to->only, local) || in6_equal(to->only, peer))
		json_array_append_new(to->to, sa_json(&sa, "vcm", "session"));
}

static void add_session_sas(
	const struct control_backend *b, const struct in6_addr *only, json_t *to)
{
	struct session_sas s = {to, only};

	if (b->session_sas)
		b->session_sas(b->ctx, add_session_sa, &s);
}

static json_t *listing_next(void *state, const struct control_backend *b, bool *more)
{
	struct listing *l = state;
	json_t *part = json_array();

	for (size_t k = 0; k < PART && l->at < l->n; k++, l->at++)
		if (b->ipsec)
			(void)ipsec_glue_sas(b->ipsec, &l->pairs[l->at].home_address,
				&l->pairs[l->at].home_agent, add_sa, part);
	*more = l->at < l->n;
	if (!*more)
		add_session_sas(b, l->only, part);
	return part;
}

static bool of_sessions(const struct control_backend *b, const struct in6_addr *only)
{
	json_t *sas = json_array();
	bool any;

	add_session_sas(b, only, sas);
	any = json_array_size(sas) > 0;
	json_decref(sas);
	return any;
}

static bool has_vpn(const struct control_call *call)
{
	const struct mip6d_config *c = call->backend->config;

	return (c->vpn.enabled || c->gateway.enabled) && call->backend->vpn_check;
}

static bool wants_ipsec(struct control_call *call)
{
	if (call->backend->ipsec || has_vpn(call))
		return true;
	if (call->backend->config->ipsec.moves == CONFIG_MOVES_CHARON)
		control_fail(
			call, "the tunnel and its SAs are strongSwan's; see  swanctl --list-sas");
	else if (call->backend->config->ipsec.manager == IPSEC_NONE)
		control_fail(call, "this daemon has no IPsec; see ipsec in mip6d.conf(5)");
	else
		control_fail(call, "IPsec is not ready yet");
	return false;
}

static bool get_only(struct control_call *call, json_t *args, struct in6_addr *a, bool *given)
{
	json_t *v = json_object_get(args, "home_address");

	*given = v;
	if (!v || (json_is_string(v) && inet_pton(AF_INET6, json_string_value(v), a) == 1))
		return true;
	control_fail(call, "home_address must be an IPv6 address in quotes");
	return false;
}

json_t *control_verb_sas(struct control_call *call, json_t *args)
{
	struct listing *l;
	bool given;

	if (!wants_ipsec(call))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return control_fail(call, "out of memory");
	if (!get_only(call, args, &l->home_address, &given)) {
		listing_free(l);
		return NULL;
	}
	l->only = given ? &l->home_address : NULL;
	if (call->backend->ipsec)
		ipsec_glue_nodes(call->backend->ipsec, note, l);
	if (l->failed || (given && !l->n && !of_sessions(call->backend, l->only))) {
		control_fail(call, l->failed ? "out of memory" : "there are no SAs for %s",
			in6_str(&l->home_address));
		listing_free(l);
		return NULL;
	}
	call->parts = (struct control_parts){listing_next, listing_free, l};
	return NULL;
}

/* ---- differences between what there should be and the kernel ---- */

struct differences {
	json_t *lines; /* all of them */
	size_t at;
};

static void add_line(void *arg, const char *text)
{
	struct differences *d = arg;

	if (json_array_size(d->lines) < MAX_LINES)
		json_array_append_new(d->lines, json_string(text));
}

static json_t *differences_next(void *state, const struct control_backend *b, bool *more)
{
	struct differences *d = state;
	json_t *part = json_array();

	(void)b;
	for (size_t k = 0; k < PART_LINES && d->at < json_array_size(d->lines); k++, d->at++)
		json_array_append(part, json_array_get(d->lines, d->at));
	*more = d->at < json_array_size(d->lines);
	return part;
}

static void differences_free(void *state)
{
	struct differences *d = state;

	json_decref(d->lines);
	free(d);
}

static void note_others(struct differences *d, size_t n)
{
	if (n > MAX_LINES)
		json_array_append_new(d->lines, json_sprintf("and %zu others", n - MAX_LINES));
}

/* Of nodes and pairs, and of the VPN: what of these is wrong is looked at in any case. */
static int compare(
	const struct control_backend *b, bool mend, struct differences *d, const char **why)
{
	struct ipsec_glue *g = b->ipsec;
	int n = 0, of_vpn = 0;

	if (g)
		n = mend ? ipsec_glue_mend(g, add_line, d) : ipsec_glue_check(g, add_line, d);
	*why = n < 0 ? ipsec_glue_why(g) : "of the VPN; see the log";
	if (b->vpn_check)
		of_vpn = b->vpn_check(b->ctx, mend, add_line, d);
	if (n < 0 || of_vpn < 0)
		return n < 0 ? n : of_vpn;
	return n + of_vpn;
}

json_t *control_verb_ipsec(struct control_call *call, json_t *args)
{
	const char *action = json_string_value(json_object_get(args, "action"));
	struct differences *d;
	const char *why;
	bool mend;
	int n;

	if (!action || (strcmp(action, "check") != 0 && strcmp(action, "mend") != 0))
		return control_fail(call, "action must be \"check\" or \"mend\"");
	if (!wants_ipsec(call))
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return control_fail(call, "out of memory");
	d->lines = json_array();
	mend = strcmp(action, "mend") == 0;
	n = compare(call->backend, mend, d, &why);
	if (n < 0) {
		differences_free(d);
		return control_fail(call, "%s; %s", strerror(-n),
			mend ? why : "the kernel could not be asked");
	}
	note_others(d, (size_t)n);
	call->parts = (struct control_parts){differences_next, differences_free, d};
	return NULL;
}

/* ---- as a whole ---- */

json_t *control_json_ipsec(const struct control_backend *b)
{
	const struct config_ipsec *c = &b->config->ipsec;
	struct ipsec_glue_stats s;
	json_t *o = json_object();

	json_object_set_new(o, "manager",
		json_string(
			managers[c->moves == CONFIG_MOVES_CHARON ? IPSEC_STRONGSWAN : c->manager]));
	if (c->manager != IPSEC_NONE || c->moves == CONFIG_MOVES_CHARON)
		json_object_set_new(o, "moves", json_string(config_moves_name(c->moves)));
	if (!b->ipsec)
		return o;
	ipsec_glue_stats(b->ipsec, &s);
	json_object_set_new(o, "arrangement",
		json_string(c->arrangement == IPSEC_BY_MIGRATE ? "migrate" : "home-address"));
	json_object_set_new(o, "payload", json_boolean(c->payload));
	put_int(o, "nodes", s.nodes);
	put_int(o, "bound", s.bound);
	return o;
}

json_t *control_json_ipsec_stats(const struct control_backend *b)
{
	struct ipsec_glue_stats s;
	json_t *o = json_object();

	ipsec_glue_stats(b->ipsec, &s);
	put_int(o, "moves", s.moves);
	put_int(o, "mended", s.mended);
	put_int(o, "acquires", s.acquires);
	put_int(o, "expired", s.expired);
	return o;
}

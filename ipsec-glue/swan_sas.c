/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which SAs strongSwan has for the children we watch: from its events, and
 * from its lists.  A child has several for some seconds when it is rekeyed
 * (RFC 7296 2.8); the newest is the one the kernel sends by.
 */
#include "ipsec-glue/swan_internal.h"

#include <arpa/inet.h>
#include <string.h>

#define REPLACED_MS 10000

static struct in6_addr address_of(struct vici_text t)
{
	struct in6_addr a = in6addr_any;
	char text[INET6_ADDRSTRLEN];

	if (!vici_copy(t, text, sizeof(text)) || inet_pton(AF_INET6, text, &a) != 1)
		return in6addr_any;
	return a;
}

/* ---- one SA ---- */

static void retire(struct swan_entry *e, uint32_t spi_in, uint32_t spi_out, int64_t ms)
{
	struct swan *s = e->swan;

	if (e->n_old == SWAN_SAS_MAX) { /* more than a rekeying leaves */
		e->n_old--;
		memmove(&e->old[0], &e->old[1], e->n_old * sizeof(e->old[0]));
	}
	e->old[e->n_old++] =
		(struct swan_old){spi_in, spi_out, mono_add_ms(s->now(s->now_ctx), ms)};
	swan_start_in(s, &e->sweep, ms);
}

void swan_sweep(struct timer *t, void *entry)
{
	struct swan_entry *e = entry;
	struct swan *s = e->swan;
	size_t kept = 0;

	(void)t;
	for (size_t i = 0; i < e->n_old; i++) {
		struct swan_old old = e->old[i];

		if (mono_before(s->now(s->now_ctx), old.until)) {
			e->old[kept++] = old;
			swan_start_in(s, &e->sweep, mono_diff_ms(old.until, s->now(s->now_ctx)));
		} else if (s->ops->stale) {
			s->ops->stale(s->ctx, &e->ref, old.spi_in, old.spi_out);
		}
	}
	e->n_old = kept;
}

void swan_sas_over(struct swan_entry *e, bool of_all)
{
	for (size_t i = 0; i < e->n_old; i++)
		e->old[i].until = e->swan->now(e->swan->now_ctx);
	if (of_all && e->told_out) {
		retire(e, e->told_in, e->told_out, 0);
		e->told_in = e->told_out = 0;
		e->survived = false;
		e->swan->stats.up--;
	}
	swan_sweep(&e->sweep, e);
}

static void remove_at(struct swan_entry *e, size_t i, int64_t ms)
{
	retire(e, e->sas[i].spi_in, e->sas[i].spi_out, ms);
	e->n_sas--;
	memmove(&e->sas[i], &e->sas[i + 1], (e->n_sas - i) * sizeof(e->sas[0]));
}

static void remove_sa(struct swan_entry *e, struct rbuf child, int64_t ms)
{
	uint32_t id;

	if (!vici_number(vici_value(child, "uniqueid"), 10, &id))
		return;
	for (size_t i = e->n_sas; i-- > 0;)
		if (e->sas[i].id == id)
			remove_at(e, i, ms);
}

/* ---- telling ---- */

/* A transport mode child ends where its traffic selectors say, at home address and home agent. */
static void ends_of(const struct swan_entry *e, const struct swan_sa *sa, struct swan_child *c)
{
	if (e->ref.use == IPSEC_DATA) {
		c->local = sa->local;
		c->remote = sa->remote;
		return;
	}
	c->local = e->ref.at_home_agent ? e->ref.home_agent : e->ref.home_address;
	c->remote = e->ref.at_home_agent ? e->ref.home_address : e->ref.home_agent;
}

static void tell(struct swan_entry *e)
{
	const struct swan_sa *newest = e->n_sas ? &e->sas[e->n_sas - 1] : NULL;
	struct swan_child c = {.ref = &e->ref};

	if (newest) {
		c.spi_in = newest->spi_in;
		c.spi_out = newest->spi_out;
		ends_of(e, newest, &c);
	}
	if (c.spi_in == e->told_in && c.spi_out == e->told_out) {
		e->survived = false; /* only the socket was gone */
		return;
	}
	if (e->survived)
		retire(e, e->told_in, e->told_out, 0);
	if (!e->told_out)
		e->swan->stats.up++;
	if (!newest) {
		e->swan->stats.up--;
		e->swan->stats.lost++;
	}
	e->survived = false;
	e->told_in = c.spi_in;
	e->told_out = c.spi_out;
	e->swan->ops->child(e->swan->ctx, &c);
}

/* ---- a new SA ---- */

/* With MOBIKE an IKE_SA is on port 4500, NAT or not (RFC 4555 3.3); without it only behind a NAT. */
static bool is_mobike(struct rbuf ike)
{
	static const char *const nat[] = {"nat-local", "nat-remote", "nat-fake", "nat-any"};

	for (size_t i = 0; i < sizeof(nat) / sizeof(nat[0]); i++)
		if (vici_is(vici_value(ike, nat[i]), "yes"))
			return false;
	return vici_is(vici_value(ike, "local-port"), "4500") &&
	       vici_is(vici_value(ike, "remote-port"), "4500");
}

/* An SA that our policies do not lead to, or that two want to move, is none. */
static bool fits(struct swan_entry *e, const struct swan_sa *sa, struct rbuf ike, uint32_t reqid)
{
	const struct in6_addr *own =
		e->ref.at_home_agent ? &e->ref.home_agent : &e->ref.home_address;
	const struct in6_addr *peer =
		e->ref.at_home_agent ? &e->ref.home_address : &e->ref.home_agent;

	if (is_mobike(ike)) {
		swan_complain(e,
			"connection \"%s\" is moved by strongSwan, with MOBIKE, and by mip6d; set "
			"mobike = no in swanctl.conf, or  ipsec = { moves = \"charon\"; }  in "
			"mip6d.conf",
			e->ref.connection);
		return false;
	}
	if (reqid != e->ref.reqid) {
		swan_complain(e,
			"child \"%s\" of connection \"%s\" has the reqid %u; set reqid = %u in "
			"swanctl.conf",
			e->ref.child, e->ref.connection, reqid, e->ref.reqid);
		return false;
	}
	if (e->ref.use == IPSEC_DATA && e->ref.arrangement == IPSEC_BY_HOME_ADDRESS &&
		!(in6_equal(&sa->local, own) && in6_equal(&sa->remote, peer))) {
		swan_complain(e,
			"child \"%s\" of connection \"%s\" is between %s and %s; its IKE_SA has to "
			"be between "
			"home address and home agent: set local_addrs and remote_addrs in "
			"swanctl.conf",
			e->ref.child, e->ref.connection, in6_str(&sa->local), in6_str(&sa->remote));
		return false;
	}
	return true;
}

/* ike: with local-host and remote-host.  Numbers of SAs grow: the newest has the greatest. */
static void add_sa(struct swan_entry *e, struct rbuf ike, struct rbuf child)
{
	struct swan_sa sa = {.listed = true,
		.local = address_of(vici_value(ike, "local-host")),
		.remote = address_of(vici_value(ike, "remote-host"))};
	uint32_t reqid;
	size_t at;

	if (!vici_number(vici_value(child, "uniqueid"), 10, &sa.id) ||
		!vici_number(vici_value(child, "spi-in"), 16, &sa.spi_in) ||
		!vici_number(vici_value(child, "spi-out"), 16, &sa.spi_out) ||
		!vici_number(vici_value(child, "reqid"), 10, &reqid) || !sa.spi_in || !sa.spi_out)
		return;
	if (!fits(e, &sa, ike, reqid))
		return;
	for (size_t i = 0; i < e->n_sas; i++)
		if (e->sas[i].id == sa.id) {
			e->sas[i] = sa;
			return;
		}
	if (e->n_sas == SWAN_SAS_MAX)
		remove_at(e, 0, REPLACED_MS);
	at = e->n_sas++;
	for (; at > 0 && e->sas[at - 1].id > sa.id; at--)
		e->sas[at] = e->sas[at - 1];
	e->sas[at] = sa;
}

/* Something changed: who owns us hears of it, and what is needed and gone is made again. */
static void changed(struct swan_entry *e)
{
	if (e->n_sas) {
		e->tries = 0;
		e->complaint[0] = '\0';
	} else if (e->needed) {
		swan_check_in(e, 100);
	}
	tell(e);
}

/* ---- events ---- */

typedef void child_fn(struct swan_entry *e, struct rbuf ike, struct rbuf child, bool up);

static void foreach_child(struct swan *s, struct rbuf message, child_fn *fn)
{
	bool up = vici_is(vici_value(message, "up"), "yes");
	struct vici_item ike, children, child;

	while (vici_next(&message, &ike)) {
		struct rbuf r;

		if (ike.type != VICI_SECTION_START ||
			!vici_find(ike.inside, VICI_SECTION_START, "child-sas", &children))
			continue;
		for (r = children.inside; vici_next(&r, &child);) {
			struct swan_entry *e;
			struct vici_text name;

			if (child.type != VICI_SECTION_START)
				continue;
			name = vici_value(child.inside, "name");
			e = swan_find_name(s, ike.name, name.len ? name : child.name);
			if (e)
				fn(e, ike.inside, child.inside, up);
		}
	}
}

static void updown(struct swan_entry *e, struct rbuf ike, struct rbuf child, bool up)
{
	if (up)
		add_sa(e, ike, child);
	else
		remove_sa(e, child, 0);
	changed(e);
}

void swan_child_updown(struct swan *s, struct rbuf message)
{
	foreach_child(s, message, updown);
}

static void rekeyed(struct swan_entry *e, struct rbuf ike, struct rbuf child, bool up)
{
	struct vici_item old, new;

	(void)up;
	if (!vici_find(child, VICI_SECTION_START, "old", &old) ||
		!vici_find(child, VICI_SECTION_START, "new", &new))
		return;
	remove_sa(e, old.inside, REPLACED_MS);
	add_sa(e, ike, new.inside);
	e->swan->stats.rekeyed++;
	changed(e);
}

void swan_child_rekey(struct swan *s, struct rbuf message)
{
	foreach_child(s, message, rekeyed);
}

/* ---- lists ---- */

void swan_sas_begin(struct swan_entry *e)
{
	e->ike = (struct swan_ike){0};
	for (size_t i = 0; i < e->n_sas; i++)
		e->sas[i].listed = false;
}

static void listed(struct swan_entry *e, struct rbuf ike, struct rbuf child, bool up)
{
	(void)up;
	if (vici_is(vici_value(child, "state"), "INSTALLED"))
		add_sa(e, ike, child);
}

static void ike_listed(struct swan_entry *e, struct rbuf ike)
{
	struct vici_text state = vici_value(ike, "state");
	struct in6_addr local = address_of(vici_value(ike, "local-host"));
	bool established = vici_is(state, "ESTABLISHED") || vici_is(state, "REKEYING");
	uint32_t id;

	/* One that is being deleted or has been replaced is none. */
	if (!established && !vici_is(state, "CONNECTING") && !vici_is(state, "CREATED"))
		return;
	if (!e->sourced || in6_equal(&local, &e->care_of)) {
		e->ike.established |= established;
		e->ike.connecting |= !established;
	} else if (vici_number(vici_value(ike, "uniqueid"), 10, &id)) {
		e->ike.elsewhere = id;
		e->ike.elsewhere_connecting = !established;
	}
}

void swan_sa_listed(struct swan *s, struct rbuf message)
{
	struct vici_item ike;

	foreach_child(s, message, listed);
	while (s->checking && vici_next(&message, &ike))
		if (ike.type == VICI_SECTION_START &&
			vici_is(ike.name, s->checking->ref.connection))
			ike_listed(s->checking, ike.inside);
}

void swan_sas_end(struct swan_entry *e)
{
	for (size_t i = e->n_sas; i-- > 0;)
		if (!e->sas[i].listed)
			remove_at(e, i, 0);
	if (e->n_sas || !e->survived)
		changed(e);
	else if (e->needed)
		swan_check_in(e, 0);
}

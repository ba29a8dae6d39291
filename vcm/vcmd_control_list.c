/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes and sessions as JSON.  A long list is sent in parts between which
 * things change; so what is to be said of each is noted at the beginning.
 * Secrets are in none of it: they are not even noted.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/vcmd_control_internal.h"

#define PART 200 /* of one line of an answer */

struct context_note {
	struct in6_addr internal, home;
	bool outside, revoked;
	size_t n_correspondents;
};

struct session_note {
	uint64_t id, offered_at, ends_at;
	uint32_t generation, lifetime_s, linger_s, spi_a, spi_b;
	struct in6_addr a, b;
	enum vcm_session_state state;
	enum vcm_variant variant;
	bool ready_a, ready_b, active_a, active_b;
	char algorithm[VCM_ALGORITHM_LEN];
};

static json_t *context_json(const struct context_note *n)
{
	json_t *o = json_pack("{s:s, s:s, s:b, s:I}", "node", in6_str(&n->internal), "place",
		n->outside ? "outside" : "inside", "revoked", n->revoked, "correspondents",
		(json_int_t)n->n_correspondents);

	if (o && !in6_is_any(&n->home))
		json_object_set_new(o, "home_address", json_string(in6_str(&n->home)));
	return o;
}

static json_t *session_json(const struct session_note *n)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "a", in6_str(&n->a), "b", in6_str(&n->b),
		"state", vcm_session_state_name(n->state), "variant",
		n->variant == VCM_SYMMETRIC ? "symmetric" : "asymmetric", "algorithm", n->algorithm);

	if (!o)
		return NULL;
	json_object_set_new(o, "session", json_sprintf("%016llx", (unsigned long long)n->id));
	vcmd_put_int(o, "generation", n->generation);
	json_object_set_new(o, "ready_a", json_boolean(n->ready_a));
	json_object_set_new(o, "ready_b", json_boolean(n->ready_b));
	json_object_set_new(o, "active_a", json_boolean(n->active_a));
	json_object_set_new(o, "active_b", json_boolean(n->active_b));
	json_object_set_new(o, "spi_a", json_sprintf("0x%08x", n->spi_a));
	json_object_set_new(o, "spi_b", json_sprintf("0x%08x", n->spi_b));
	vcmd_put_int(o, "lifetime_s", n->lifetime_s);
	vcmd_put_int(o, "linger_s", n->linger_s);
	vcmd_put_int(o, "offered_at", n->offered_at);
	vcmd_put_int(o, "ends_at", n->ends_at);
	return o;
}

/* ---- notes ---- */

struct listing {
	/* which ones are wanted, while they are noted */
	const struct in6_addr *node; /* NULL: all */
	const uint64_t *session;
	/* either of the two, from malloc() */
	struct context_note *contexts;
	struct session_note *sessions;
	struct in6_addr *correspondents; /* of the only context that is wanted */
	size_t n, cap, at;
	bool failed;
};

/* Room for another one in *array. */
static bool room(struct listing *l, void **array, size_t size)
{
	size_t cap = l->cap ? l->cap * 2 : 64;
	void *more;

	if (l->n < l->cap)
		return true;
	more = reallocarray(*array, cap, size);
	l->failed = !more;
	if (!more)
		return false;
	*array = more;
	l->cap = cap;
	return true;
}

static bool note_context(void *arg, const struct vcm_context_record *r)
{
	struct listing *l = arg;
	size_t octets = r->n_correspondents * sizeof(*r->correspondents);

	if (l->node && !in6_equal(l->node, &r->internal))
		return true;
	if (!room(l, (void **)&l->contexts, sizeof(*l->contexts)))
		return false;
	l->contexts[l->n++] = (struct context_note){
		r->internal, r->home, r->outside, r->revoked, r->n_correspondents};
	if (!l->node)
		return true;
	l->correspondents = malloc(octets + 1);
	if (l->correspondents && octets)
		memcpy(l->correspondents, r->correspondents, octets);
	return false; /* there is no other one */
}

static bool note_session(void *arg, const struct vcm_session_record *r)
{
	struct listing *l = arg;
	struct session_note *n;

	if ((l->session && *l->session != r->id) ||
		(l->node && !in6_equal(l->node, &r->a) && !in6_equal(l->node, &r->b)))
		return true;
	if (!room(l, (void **)&l->sessions, sizeof(*l->sessions)))
		return false;
	n = &l->sessions[l->n++];
	*n = (struct session_note){r->id, r->offered_at, r->ends_at, r->generation, r->lifetime_s,
		r->linger_s, r->spi_a, r->spi_b, r->a, r->b, r->state, r->variant, r->ready_a,
		r->ready_b, r->active_a, r->active_b, ""};
	memcpy(n->algorithm, r->algorithm, sizeof(n->algorithm) - 1);
	return true;
}

static void release(struct listing *l)
{
	free(l->contexts);
	free(l->sessions);
	free(l->correspondents);
}

static void listing_free(void *state)
{
	release(state);
	free(state);
}

/* ---- one ---- */

json_t *vcmd_json_context(struct vcm_manager *m, const struct in6_addr *internal)
{
	struct listing l = {.node = internal};
	json_t *o = NULL, *others;

	vcm_manager_foreach_context(m, note_context, &l);
	if (l.n && l.correspondents) {
		o = context_json(&l.contexts[0]);
		others = json_array();
		for (size_t i = 0; i < l.contexts[0].n_correspondents; i++)
			json_array_append_new(others, json_string(in6_str(&l.correspondents[i])));
		json_object_set_new(o, "correspondents", others);
	}
	release(&l);
	return o;
}

json_t *vcmd_json_session(struct vcm_manager *m, uint64_t id)
{
	struct listing l = {.session = &id};
	json_t *o;

	vcm_manager_foreach_session(m, note_session, &l);
	o = l.n ? session_json(&l.sessions[0]) : NULL;
	release(&l);
	return o;
}

bool vcmd_find_session(struct vcm_manager *m, const struct in6_addr *a, const struct in6_addr *b,
	uint64_t *id)
{
	struct listing l = {.node = a};
	bool found = false;

	vcm_manager_foreach_session(m, note_session, &l);
	for (size_t i = 0; i < l.n && !found; i++) {
		const struct session_note *n = &l.sessions[i];

		found = in6_equal(&n->a, a) ? in6_equal(&n->b, b) : in6_equal(&n->a, b);
		*id = n->id;
	}
	release(&l);
	return found;
}

/* ---- many ---- */

static json_t *next_contexts(void *state, const struct control_backend *b, bool *more)
{
	struct listing *l = state;
	json_t *part = json_array();

	(void)b;
	for (size_t k = 0; k < PART && l->at < l->n; k++, l->at++)
		json_array_append_new(part, context_json(&l->contexts[l->at]));
	*more = l->at < l->n;
	return part;
}

static json_t *next_sessions(void *state, const struct control_backend *b, bool *more)
{
	struct listing *l = state;
	json_t *part = json_array();

	(void)b;
	for (size_t k = 0; k < PART && l->at < l->n; k++, l->at++)
		json_array_append_new(part, session_json(&l->sessions[l->at]));
	*more = l->at < l->n;
	return part;
}

json_t *vcmd_verb_contexts(struct control_call *call, json_t *args)
{
	struct in6_addr node;
	struct listing *l;
	json_t *one;
	bool given;

	if (!vcmd_wants_manager(call) || !vcmd_get_address(call, args, "node", &node, &given))
		return NULL;
	if (given) {
		one = vcmd_json_context(call->backend->manager, &node);
		return one ? json_pack("[o]", one)
			   : control_fail(call, "%s is not a node that is known here", in6_str(&node));
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return control_fail(call, "out of memory");
	vcm_manager_foreach_context(call->backend->manager, note_context, l);
	if (l->failed) {
		listing_free(l);
		return control_fail(call, "out of memory");
	}
	call->parts = (struct control_parts){next_contexts, listing_free, l};
	return NULL;
}

json_t *vcmd_verb_sessions(struct control_call *call, json_t *args)
{
	bool by_node, by_id;
	struct in6_addr node;
	struct listing *l;
	uint64_t id;

	if (!vcmd_wants_manager(call) || !vcmd_get_address(call, args, "node", &node, &by_node) ||
		!vcmd_get_session(call, args, &id, &by_id))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return control_fail(call, "out of memory");
	l->node = by_node ? &node : NULL;
	l->session = by_id ? &id : NULL;
	vcm_manager_foreach_session(call->backend->manager, note_session, l);
	l->node = NULL;
	l->session = NULL;
	if (l->failed) {
		listing_free(l);
		return control_fail(call, "out of memory");
	}
	call->parts = (struct control_parts){next_sessions, listing_free, l};
	return NULL;
}

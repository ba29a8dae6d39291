/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager of strongSwan's SAs; see swan.h.
 *
 * What happens with an entry that is needed and has no SAs (or whose IKE_SA
 * has another address than it should) is decided at one place, after asking
 * strongSwan what there is: check_entry() -> list-sas -> decide().
 */
#include "ipsec-glue/swan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/swan_internal.h"

#define CONNECT_FIRST_MS 100
#define CONNECT_LAST_MS 2000
#define RECHECK_MS 30000 /* the configuration, while something is missing in it */
#define FLUSH_MS 5
#define TRY_FIRST_MS 1000 /* for an initiation to succeed, before it is looked at again */
#define TRY_LAST_MS 30000
#define FOLLOW_MS 2000 /* an IKE_SA has this long to follow a move */

/* What an answer is to; those about one entry have that entry as tag. */
static const char tag_conns, tag_sas, tag_initiate, tag_other;

/* ---- entries ---- */

static struct swan_entry *find_use(const struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use)
{
	struct swan_ref key;
	struct swan_entry *e;

	memset(&key, 0, sizeof(key));
	key.home_address = *home_address;
	key.home_agent = *home_agent;
	key.use = use;
	HASH_FIND(by_use, s->by_use, &key, SWAN_USE_KEYLEN, e);
	return e;
}

static bool same_connection(const struct swan_entry *a, const struct swan_entry *b)
{
	return strcmp(a->ref.connection, b->ref.connection) == 0;
}

static struct swan_entry *find_key(const struct swan *s, const char *names)
{
	struct swan_entry *e;

	HASH_FIND(by_name, s->by_name, names, SWAN_NAME_KEYLEN, e);
	return e;
}

struct swan_entry *swan_find_name(
	struct swan *s, struct vici_text connection, struct vici_text child)
{
	char names[SWAN_NAME_KEYLEN] = {0};

	if (!vici_copy(connection, names, SWAN_NAME_MAX) ||
		!vici_copy(child, names + SWAN_NAME_MAX, SWAN_NAME_MAX))
		return NULL;
	return find_key(s, names);
}

static void complain(
	struct swan *s, const struct swan_ref *ref, char *last, const char *fmt, va_list ap)
{
	char text[SWAN_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (strcmp(text, last) == 0)
		return;
	strcpy(last, text);
	s->stats.complaints++;
	if (s->ops->complaint)
		s->ops->complaint(s->ctx, ref, text);
}

void swan_complain(struct swan_entry *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(e->swan, &e->ref, e->complaint, fmt, ap);
	va_end(ap);
}

void swan_complain_of_all(struct swan *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(s, NULL, s->complaint, fmt, ap);
	va_end(ap);
}

void swan_start_in(struct swan *s, struct timer *t, int64_t ms)
{
	/* Out of memory: it is not done now; the next event or reconnection does it. */
	(void)timer_start(s->timers, t, mono_add_ms(s->now(s->now_ctx), ms));
}

void swan_check_in(struct swan_entry *e, int64_t ms)
{
	swan_start_in(e->swan, &e->check, ms);
}

/* ---- commands ---- */

static void connection_lost(struct swan *s, int err);

static void after_io(struct swan *s, int err)
{
	if (err)
		connection_lost(s, err);
	else if (vici_wants_write(s->vici))
		swan_start_in(s, &s->flush, FLUSH_MS);
}

static void flush(struct timer *t, void *arg)
{
	struct swan *s = arg;

	(void)t;
	if (s->vici)
		after_io(s, vici_writable(s->vici));
}

/*
 * A command with up to three values.  Errors of the socket come up again when
 * it is read, where it can be closed: here a handler of it may be running.
 */
static void command(struct swan *s, enum vici_packet_type type, const char *name, const void *tag,
	const char *const values[][2], size_t n)
{
	uint8_t octets[512];
	struct wbuf w = wbuf_make(octets, sizeof(octets));

	if (!s->vici)
		return;
	vici_write_packet(&w, type, name);
	for (size_t i = 0; i < n; i++)
		vici_write_value(&w, values[i][0], values[i][1]);
	if (!vici_write_done(&w) || vici_send(s->vici, &w, tag) || vici_wants_write(s->vici))
		swan_start_in(s, &s->flush, FLUSH_MS);
}

static void list_all(struct swan *s)
{
	struct swan_entry *e, *next;

	swan_conns_begin(s);
	HASH_ITER(by_use, s->by_use, e, next)
		swan_sas_begin(e);
	command(s, VICI_REQUEST, "list-conns", &tag_conns, NULL, 0);
	command(s, VICI_REQUEST, "list-sas", &tag_sas, NULL, 0);
}

static void initiate(struct swan_entry *e)
{
	const char *const values[][2] = {
		{"ike", e->ref.connection}, {"child", e->ref.child}, {"timeout", "-1"}};

	e->swan->stats.initiated++;
	command(e->swan, VICI_REQUEST, "initiate", &tag_initiate, values, 3);
}

static void terminate_ike(struct swan_entry *e, uint32_t id)
{
	char text[16];
	const char *const values[][2] = {{"ike-id", text}, {"force", "yes"}, {"timeout", "-1"}};

	snprintf(text, sizeof(text), "%u", id);
	command(e->swan, VICI_REQUEST, "terminate", &tag_other, values, 3);
}

/* ---- what is needed ---- */

/* An IKE_SA from another address than it should: true while it has time to follow the move. */
static bool still_follows(struct swan_entry *e)
{
	int64_t since = mono_diff_ms(e->swan->now(e->swan->now_ctx), e->sourced_at);

	if (!e->ike.elsewhere_connecting && since < FOLLOW_MS) {
		swan_check_in(e, FOLLOW_MS - since);
		return true;
	}
	terminate_ike(e, e->ike.elsewhere);
	return false;
}

/* What there is has been listed into e->ike and e->sas. */
static void decide(struct swan_entry *e)
{
	int64_t wait = (int64_t)TRY_FIRST_MS << (e->tries < 5 ? e->tries : 5);

	if (e->ike.elsewhere && still_follows(e))
		return;
	if (!e->needed || (e->n_sas && e->ike.established))
		return;
	if (!e->ike.connecting)
		initiate(e);
	e->tries++;
	swan_check_in(e, wait < TRY_LAST_MS ? wait : TRY_LAST_MS);
}

/*
 * The tunnel's IKE_SA is set up when the signalling's is there: only then can
 * it pass through the tunnel of a binding, and of two that begin at the same
 * time each would tell the peer that it is the only one (INITIAL_CONTACT, RFC
 * 7296 2.4), which then deletes the other.
 */
static bool waits_for_signal(const struct swan_entry *e)
{
	const struct swan_entry *signal;

	if (e->ref.use != IPSEC_DATA)
		return false;
	signal = find_use(e->swan, &e->ref.home_address, &e->ref.home_agent, IPSEC_SIGNAL);
	return signal && signal->needed && !signal->n_sas;
}

/* Ask what there is; one at a time, as the list's events do not say whom they are for. */
static void check_entry(struct timer *t, void *arg)
{
	struct swan_entry *e = arg;
	struct swan *s = e->swan;
	const char *const values[][2] = {{"ike", e->ref.connection}};

	(void)t;
	if (!s->listed)
		return; /* all are looked at when it is connected */
	if (waits_for_signal(e)) {
		swan_check_in(e, 100);
		return;
	}
	if (s->checking || !vici_idle(s->vici)) {
		swan_check_in(e, 10);
		return;
	}
	s->checking = e;
	swan_sas_begin(e);
	command(s, VICI_REQUEST, "list-sas", e, values, 1);
}

/* ---- answers ---- */

static void conns_done(struct swan *s)
{
	if (!swan_conns_end(s) && !timer_running(&s->recheck))
		swan_start_in(s, &s->recheck, RECHECK_MS);
}

static void recheck(struct timer *t, void *arg)
{
	struct swan *s = arg;

	(void)t;
	list_all(s);
}

static void sas_done(struct swan *s)
{
	struct swan_entry *e, *next;
	bool first = !s->listed;

	s->listed = true;
	HASH_ITER(by_use, s->by_use, e, next)
		swan_sas_end(e);
	if (first && s->ops->connected)
		s->ops->connected(s->ctx, true);
}

/* An IKE_SA has ended, its SAs were told as gone before: by those that it had replaced nothing comes any more, either. */
static void ended(struct swan *s, const void *tag)
{
	struct swan_entry *e, *next, *of = NULL;

	HASH_ITER(by_use, s->by_use, e, next)
		if (tag == &e->ending && e->ending)
			of = e;
	if (!of)
		return;
	of->ending = false;
	s->ending--;
	HASH_ITER(by_use, s->by_use, e, next)
		if (same_connection(e, of))
			swan_sas_over(e, false);
}

static void answer(void *ctx, const void *tag, bool ok, struct rbuf message)
{
	struct swan *s = ctx;

	if (!ok)
		swan_complain_of_all(s, "strongSwan does not know what is asked of it; version 5.9 "
					"or later is needed");
	if (tag == &tag_conns) {
		conns_done(s);
	} else if (tag == &tag_sas) {
		sas_done(s);
	} else if (tag == &tag_initiate) {
		struct vici_text why = vici_value(message, "errmsg");
		char text[SWAN_TEXT_MAX / 2];

		vici_copy(why, text, sizeof(text));
		if (why.len)
			swan_complain_of_all(s, "strongSwan cannot initiate: %s", text);
	} else if (s->checking && tag == s->checking) {
		struct swan_entry *e = s->checking;

		s->checking = NULL;
		swan_sas_end(e);
		decide(e);
	} else if (s->ending) {
		ended(s, tag);
	}
}

static void event(void *ctx, struct vici_text name, struct rbuf message)
{
	struct swan *s = ctx;

	if (vici_is(name, "child-updown"))
		swan_child_updown(s, message);
	else if (vici_is(name, "child-rekey"))
		swan_child_rekey(s, message);
	else if (vici_is(name, "list-sa"))
		swan_sa_listed(s, message);
	else if (vici_is(name, "list-conn"))
		swan_conn_listed(s, message);
}

/* ---- the socket ---- */

static const struct vici_handler handler = {answer, event};

static void forget_sas(struct swan *s)
{
	struct swan_entry *e, *next;

	s->ending = 0;
	HASH_ITER(by_use, s->by_use, e, next) {
		e->ending = false;
		e->n_sas = 0;
		e->tries = 0;
		e->survived = e->told_out != 0;
		timer_stop(s->timers, &e->check);
	}
}

static void hang_up(struct swan *s)
{
	if (!s->vici)
		return;
	s->ops->fd(s->ctx, vici_fd(s->vici), false);
	vici_close(s->vici);
	s->vici = NULL;
	s->checking = NULL;
	timer_stop(s->timers, &s->recheck);
	timer_stop(s->timers, &s->flush);
}

/* strongSwan ended, or broke the protocol.  Its SAs are in the kernel, and serve until there are new ones. */
static void connection_lost(struct swan *s, int err)
{
	bool listed = s->listed;

	hang_up(s);
	s->listed = false;
	s->stats.connected = false;
	forget_sas(s);
	s->connect_tries = 0;
	swan_start_in(s, &s->connect, CONNECT_FIRST_MS);
	if (err == -EPROTO)
		swan_complain_of_all(s, "what came from strongSwan's socket is not vici");
	if (listed && s->ops->connected)
		s->ops->connected(s->ctx, false);
}

/* Watch first, then list: so that nothing happens unseen in between. */
static void connect_now(struct timer *t, void *arg)
{
	static const char *const events[] = {"child-updown", "child-rekey", "list-conn", "list-sa"};
	struct swan *s = arg;
	int64_t wait = (int64_t)CONNECT_FIRST_MS << (s->connect_tries < 5 ? s->connect_tries : 5);
	int err;

	(void)t;
	s->vici = vici_connect(s->path, &handler, s, &err);
	if (!s->vici) {
		if (s->connect_tries++ == 3)
			swan_complain_of_all(s,
				"strongSwan's socket %s: %s; is strongSwan running?", s->path,
				strerror(-err));
		swan_start_in(s, &s->connect, wait < CONNECT_LAST_MS ? wait : CONNECT_LAST_MS);
		return;
	}
	s->stats.connected = true;
	s->ops->fd(s->ctx, vici_fd(s->vici), true);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		command(s, VICI_REGISTER, events[i], &tag_other, NULL, 0);
	list_all(s);
}

void swan_read(struct swan *s)
{
	if (s->vici)
		after_io(s, vici_readable(s->vici));
}

/* ---- for the owner ---- */

struct swan *swan_open(const char *path, struct timerq *timers, monotime_t (*now)(void *now_ctx),
	void *now_ctx, const struct swan_ops *ops, void *ctx)
{
	struct swan *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->path = strdup(path);
	s->timers = timers;
	s->now = now;
	s->now_ctx = now_ctx;
	s->ops = ops;
	s->ctx = ctx;
	timer_init(&s->connect, connect_now, s);
	timer_init(&s->recheck, recheck, s);
	timer_init(&s->flush, flush, s);
	if (!s->path || timer_start(timers, &s->connect, now(now_ctx))) {
		free(s->path);
		free(s);
		return NULL;
	}
	return s;
}

static void drop(struct swan_entry *e)
{
	struct swan *s = e->swan;

	HASH_DELETE(by_use, s->by_use, e);
	HASH_DELETE(by_name, s->by_name, e);
	timer_stop(s->timers, &e->check);
	timer_stop(s->timers, &e->sweep);
	if (s->checking == e)
		s->checking = NULL;
	if (e->told_out)
		s->stats.up--;
	s->ending -= e->ending;
	s->stats.watched--;
	free(e);
}

void swan_close(struct swan *s)
{
	struct swan_entry *e, *next;

	if (!s)
		return;
	hang_up(s);
	timer_stop(s->timers, &s->connect);
	HASH_ITER(by_use, s->by_use, e, next)
		drop(e);
	free(s->path);
	free(s);
}

int swan_watch(struct swan *s, const struct swan_ref *ref)
{
	struct swan_entry *e;

	if (memchr(ref->connection, '\0', SWAN_NAME_MAX) == NULL ||
		memchr(ref->child, '\0', SWAN_NAME_MAX) == NULL)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->ref = *ref;
	/* They are keys: what is behind their ends must be zero. */
	memset(e->ref.connection, 0, SWAN_NAME_KEYLEN);
	strcpy(e->ref.connection, ref->connection);
	strcpy(e->ref.child, ref->child);
	if (find_use(s, &ref->home_address, &ref->home_agent, ref->use) ||
		find_key(s, e->ref.connection)) {
		free(e);
		return -EEXIST;
	}
	e->swan = s;
	timer_init(&e->check, check_entry, e);
	timer_init(&e->sweep, swan_sweep, e);
	HASH_ADD(by_use, s->by_use, ref.home_address, SWAN_USE_KEYLEN, e);
	HASH_ADD(by_name, s->by_name, ref.connection, SWAN_NAME_KEYLEN, e);
	s->stats.watched++;
	if (s->listed) /* soon, and once for all that are added together */
		swan_start_in(s, &s->recheck, FLUSH_MS);
	return 0;
}

void swan_forget(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use)
{
	struct swan_entry *e = find_use(s, home_address, home_agent, use);

	if (e)
		drop(e);
}

int swan_need(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use, bool needed)
{
	struct swan_entry *e = find_use(s, home_address, home_agent, use);

	if (!e)
		return -ENOENT;
	if (needed && !e->needed && !e->n_sas) {
		e->tries = 0;
		swan_check_in(e, 0);
	}
	e->needed = needed;
	return 0;
}

/* force: the SAs go even if the peer does not answer.  Whatever other child the connection has goes, too: it is ours. */
static void terminate_connection(struct swan_entry *e, bool force)
{
	char timeout[16];
	const char *const values[][2] = {
		{"ike", e->ref.connection}, {"timeout", timeout}, {"force", "yes"}};

	snprintf(timeout, sizeof(timeout), "%d", force ? SWAN_END_MS : -1);
	e->swan->ending += !e->ending;
	e->ending = true;
	command(e->swan, VICI_REQUEST, "terminate", &e->ending, values, force ? 3 : 2);
}

static void no_longer_needed(struct swan_entry *e)
{
	e->needed = e->sourced = false;
	timer_stop(e->swan->timers, &e->check);
}

int swan_leave(struct swan *s, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct swan_entry *uses[IPSEC_USES];
	bool needed = false;

	for (int use = 0; use < IPSEC_USES; use++) {
		uses[use] = find_use(s, home_address, home_agent, (enum ipsec_use)use);
		needed |= uses[use] && uses[use]->needed;
	}
	for (int use = 0; needed && use < IPSEC_USES; use++) {
		if (!uses[use])
			continue;
		no_longer_needed(uses[use]);
		if (use == 0 || !uses[0] || !same_connection(uses[0], uses[use]))
			terminate_connection(uses[use], false);
	}
	return needed ? 0 : -ENOENT;
}

static bool is_shared(const struct swan_entry *e)
{
	const struct swan_entry *signal =
		find_use(e->swan, &e->ref.home_address, &e->ref.home_agent, IPSEC_SIGNAL);

	return signal && same_connection(signal, e);
}

void swan_end(struct swan *s, enum ipsec_use use)
{
	struct swan_entry *e, *next;

	HASH_ITER(by_use, s->by_use, e, next) {
		bool shared = e->ref.use == IPSEC_DATA && is_shared(e);

		if (!e->needed || (use == IPSEC_DATA && (e->ref.use != use || shared)))
			continue;
		no_longer_needed(e);
		if (!s->vici)
			swan_sas_over(e, true); /* nobody else will remove them */
		else if (!shared)
			terminate_connection(e, true);
	}
}

bool swan_ending(const struct swan *s)
{
	return s->ending > 0;
}

int swan_source(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	struct swan_entry *e = find_use(s, home_address, home_agent, IPSEC_SIGNAL);

	if (!e)
		return -ENOENT;
	if (e->sourced && in6_equal(&e->care_of, care_of))
		return 0;
	e->sourced = true;
	e->care_of = *care_of;
	e->sourced_at = s->now(s->now_ctx);
	e->tries = 0;
	swan_check_in(e, 0);
	return 0;
}

void swan_stats(const struct swan *s, struct swan_stats *stats)
{
	*stats = s->stats;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line is cut into words where it stands, so that the only copy of a key is
 * the one that is kept.  Complaints quote nothing: with words in the wrong
 * order any of them may be the key.
 */
#include "ipsec-glue/manual.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ipsec-glue/algorithm.h"

#define SHAPE "SRC DST signal|data|gateway|manager SPI ALGORITHM KEY"
#define WORDS 6
#define SPI_MIN 256 /* RFC 4303 2.1 */

/* Keys of the hashes are parts of the SA that lie side by side. */
#define ENDS_LEN (offsetof(struct ipsec_manual_sa, spi) - offsetof(struct ipsec_manual_sa, use))
#define NAME_LEN (sizeof(struct in6_addr) + sizeof(uint32_t))
_Static_assert(offsetof(struct ipsec_manual_sa, src) == sizeof(enum ipsec_use) &&
		       ENDS_LEN == sizeof(enum ipsec_use) + 2 * sizeof(struct in6_addr),
	"use, src and dst lie side by side");
_Static_assert(offsetof(struct ipsec_manual_sa, dst) + sizeof(struct in6_addr) ==
		       offsetof(struct ipsec_manual_sa, spi),
	"dst and spi lie side by side");

struct entry {
	struct ipsec_manual_sa sa;
	uint32_t line;
	UT_hash_handle by_ends, by_name, by_key;
};

struct ipsec_keys {
	size_t n;
	struct entry *by_ends, *by_name, *by_key;
	struct entry entries[];
};

struct word {
	const char *at;
	size_t len;
};

struct parser {
	struct ipsec_keys *keys;
	bool allow_weak;
	uint32_t line;
	size_t faults;
	ipsec_keys_complain_fn *complain;
	void *arg;
};

static void fault(struct parser *p, uint32_t line, const char *text)
{
	p->faults++;
	p->complain(p->arg, line, text);
}

/* ---- words ---- */

/* How many words a line has, at most one more than fit. */
static size_t split(const char *at, size_t len, struct word words[WORDS + 1])
{
	size_t n = 0, i = 0;

	while (i < len && at[i] != '#' && n <= WORDS) {
		size_t from = i;

		while (i < len && at[i] != '#' && !strchr(" \t\r", at[i]))
			i++;
		if (i > from)
			words[n++] = (struct word){at + from, i - from};
		else
			i++;
	}
	return n;
}

static bool is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

/* Into buf with a NUL; false when it is too long. */
static bool copy(const struct word *w, char *buf, size_t cap)
{
	if (w->len >= cap)
		return false;
	memcpy(buf, w->at, w->len);
	buf[w->len] = '\0';
	return true;
}

static bool read_address(const struct word *w, struct in6_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	return copy(w, text, sizeof(text)) && inet_pton(AF_INET6, text, a) == 1 &&
	       in6_is_routable_unicast(a);
}

static bool read_spi(const struct word *w, uint32_t *spi)
{
	char text[16], *end;
	unsigned long long n;
	bool hex = w->len > 2 && w->at[0] == '0' && (w->at[1] == 'x' || w->at[1] == 'X');
	const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";

	if (!copy(w, text, sizeof(text)) || strspn(text + 2 * hex, digits) != w->len - 2 * hex)
		return false;
	n = strtoull(text + 2 * hex, &end, hex ? 16 : 10);
	*spi = (uint32_t)n;
	return n >= SPI_MIN && n <= UINT32_MAX;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(const struct word *w, size_t len, uint8_t *to)
{
	if (w->len != 2 * len)
		return false;
	for (size_t i = 0; i < w->len; i++) {
		int d = digit(w->at[i]);

		if (d < 0)
			return false;
		to[i / 2] = (uint8_t)(i % 2 ? to[i / 2] | d : d << 4);
	}
	return true;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return n && !any;
}

/* ---- a line ---- */

static const struct ipsec_algorithm *find_algorithm(const struct word *w)
{
	char name[40];

	return copy(w, name, sizeof(name)) ? ipsec_algorithm_find(name) : NULL;
}

static void unknown_algorithm(struct parser *p)
{
	const struct ipsec_algorithm *a;
	char text[400];
	size_t n = (size_t)snprintf(text, sizeof(text), "there is no such algorithm; write one of");

	for (size_t i = 0; (a = ipsec_algorithm_at(i)) && n < sizeof(text); i++)
		if (!a->weak || p->allow_weak)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", a->name);
	fault(p, p->line, text);
}

static bool judge_key(struct parser *p, const struct word *w, struct ipsec_manual_sa *sa)
{
	const struct ipsec_algorithm *a = sa->algorithm;
	char text[160];

	sa->key.len = ipsec_algorithm_key_len(a);
	if (!read_hex(w, sa->key.len, sa->key.octets)) {
		snprintf(text, sizeof(text),
			"a key for %s has %zu hexadecimal digits, from a good source like  openssl "
			"rand -hex %zu",
			a->name, 2 * sa->key.len, sa->key.len);
		fault(p, p->line, text);
		return false;
	}
	if (all_zero(sa->key.octets, a->key_len) ||
		all_zero(sa->key.octets + a->key_len, a->auth_key_len)) {
		fault(p, p->line,
			"the key is nothing but zeros; make one, like  openssl rand -hex");
		return false;
	}
	return true;
}

static bool find_use(const struct word *w, enum ipsec_use *use)
{
	for (int u = 0; u < IPSEC_ALL_USES; u++) {
		if (!is(w, ipsec_use_name((enum ipsec_use)u)))
			continue;
		*use = (enum ipsec_use)u;
		return true;
	}
	return false;
}

static bool judge(struct parser *p, const struct word w[WORDS], struct ipsec_manual_sa *sa)
{
	const char *why = NULL;

	if (!read_address(&w[0], &sa->src) || !read_address(&w[1], &sa->dst))
		why = "the first two words must be routable IPv6 addresses: of the sender, then of "
		      "the receiver";
	else if (in6_equal(&sa->src, &sa->dst))
		why = "both addresses are the same; write those of the two ends, the sender's first";
	else if (!find_use(&w[2], &sa->use))
		why = "the third word must be  signal ,  data ,  gateway  or  manager";
	else if (!read_spi(&w[3], &sa->spi))
		why = "the fourth word must be an SPI from 256 to 4294967295, like  0x1001";
	if (why) {
		fault(p, p->line, why);
		return false;
	}
	sa->algorithm = find_algorithm(&w[4]);
	if (!sa->algorithm) {
		unknown_algorithm(p);
		return false;
	}
	if (sa->algorithm->weak && !p->allow_weak) {
		fault(p, p->line,
			"this algorithm is weak; write a better one, like  aes-gcm-128 , or  "
			"allow_weak = true;");
		return false;
	}
	return judge_key(p, &w[5], sa);
}

/* Two SAs with one key send the same counters: what either protects is lost (RFC 4106 2). */
static const char *twin(
	const struct ipsec_keys *k, const struct ipsec_manual_sa *sa, uint32_t *line)
{
	const char *what = NULL;
	struct entry *e;

	HASH_FIND(by_ends, k->by_ends, &sa->use, ENDS_LEN, e);
	if (e) {
		what = "this SA was there already";
	} else {
		HASH_FIND(by_name, k->by_name, &sa->dst, NAME_LEN, e);
		what = e ? "this receiver has an SA with this SPI already" : NULL;
	}
	if (!e) {
		HASH_FIND(by_key, k->by_key, sa->key.octets, sa->key.len, e);
		what = e ? "this key is another SA's already; each needs its own" : NULL;
	}
	*line = e ? e->line : 0;
	return what;
}

static void keep(struct parser *p, struct entry *e)
{
	struct ipsec_keys *k = p->keys;
	uint32_t line;
	const char *what = twin(k, &e->sa, &line);
	char text[120];

	if (what) {
		snprintf(text, sizeof(text), "%s, in line %u", what, line);
		fault(p, p->line, text);
		ipsec_key_wipe(&e->sa.key);
		return;
	}
	HASH_ADD_KEYPTR(by_ends, k->by_ends, &e->sa.use, ENDS_LEN, e);
	HASH_ADD_KEYPTR(by_name, k->by_name, &e->sa.dst, NAME_LEN, e);
	HASH_ADD_KEYPTR(by_key, k->by_key, e->sa.key.octets, e->sa.key.len, e);
	k->n++;
}

static void read_line(struct parser *p, const char *at, size_t len)
{
	struct word words[WORDS + 1];
	size_t n = split(at, len, words);
	struct entry *e = &p->keys->entries[p->keys->n];

	if (n == 0)
		return;
	if (n != WORDS) {
		fault(p, p->line, "a line has six words: " SHAPE);
		return;
	}
	memset(e, 0, sizeof(*e));
	e->line = p->line;
	if (judge(p, words, &e->sa))
		keep(p, e);
	else
		ipsec_key_wipe(&e->sa.key);
}

/* ---- the whole ---- */

/* Home address and home agent have both, the others one. */
static bool of_home(enum ipsec_use use)
{
	return use == IPSEC_SIGNAL || use == IPSEC_DATA;
}

static enum ipsec_use use_of(const struct entry *e, bool other)
{
	if (!other)
		return e->sa.use;
	return e->sa.use == IPSEC_SIGNAL ? IPSEC_DATA : IPSEC_SIGNAL;
}

static void missing(struct parser *p, const struct entry *e, bool back, bool other_use)
{
	char text[2 * INET6_ADDRSTRLEN + 120];

	/* in6_str() has room for two addresses at a time */
	snprintf(text, sizeof(text),
		"of the %s SAs of this pair one is missing; add  %s %s %s SPI ALGORITHM KEY",
		of_home(e->sa.use) ? "four" : "two", in6_str(back ? &e->sa.dst : &e->sa.src),
		in6_str(back ? &e->sa.src : &e->sa.dst), ipsec_use_name(use_of(e, other_use)));
	fault(p, e->line, text);
}

/* The first line of a pair speaks for it. */
static void check_pair(struct parser *p, const struct entry *e)
{
	const struct entry *of[4] = {e};
	int n = of_home(e->sa.use) ? 4 : 2;

	for (int i = 1; i < n; i++) {
		bool back = i & 1, other_use = i & 2;

		of[i] = (const struct entry *)ipsec_keys_find(p->keys,
			back ? &e->sa.dst : &e->sa.src, back ? &e->sa.src : &e->sa.dst,
			use_of(e, other_use));
		if (of[i] && of[i]->line < e->line)
			return;
	}
	for (int i = 1; i < n; i++)
		if (!of[i])
			missing(p, e, i & 1, i & 2);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (const char *at = text; (at = memchr(at, '\n', len - (size_t)(at - text))); at++)
		n++;
	return n;
}

static void read_lines(struct parser *p, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *at = text; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		p->line++;
		read_line(p, at, (size_t)(stop - at));
		at = stop + 1;
	}
	/* what a faulty line says may be what seems to be missing */
	for (size_t i = 0, n = p->faults ? 0 : p->keys->n; i < n; i++)
		check_pair(p, &p->keys->entries[i]);
	if (!p->faults && !p->keys->n)
		fault(p, 0, "has no keys; write lines " SHAPE);
}

struct ipsec_keys *ipsec_keys_parse(
	const char *text, size_t len, bool allow_weak, ipsec_keys_complain_fn *complain, void *arg)
{
	struct parser p = {.allow_weak = allow_weak, .complain = complain, .arg = arg};
	size_t lines;

	if (memchr(text, '\0', len)) {
		fault(&p, 0, "holds a NUL octet; it must be text with lines " SHAPE);
		return NULL;
	}
	lines = count_lines(text, len);
	if (lines > IPSEC_KEYS_MAX) {
		fault(&p, 0,
			"has more than 400000 lines; that is more than a home agent can have "
			"nodes");
		return NULL;
	}
	/* one more, in which a line is judged */
	p.keys = calloc(1, sizeof(*p.keys) + (lines + 1) * sizeof(p.keys->entries[0]));
	if (!p.keys) {
		fault(&p, 0, "out of memory");
		return NULL;
	}
	read_lines(&p, text, len);
	if (!p.faults)
		return p.keys;
	ipsec_keys_free(p.keys);
	return NULL;
}

void ipsec_keys_free(struct ipsec_keys *k)
{
	if (!k)
		return;
	HASH_CLEAR(by_ends, k->by_ends);
	HASH_CLEAR(by_name, k->by_name);
	HASH_CLEAR(by_key, k->by_key);
	for (size_t i = 0; i < k->n; i++)
		ipsec_key_wipe(&k->entries[i].sa.key);
	free(k);
}

const struct ipsec_manual_sa *ipsec_keys_find(const struct ipsec_keys *k,
	const struct in6_addr *src, const struct in6_addr *dst, enum ipsec_use use)
{
	struct ipsec_manual_sa like;
	struct entry *e;

	if (!k)
		return NULL;
	like.use = use;
	like.src = *src;
	like.dst = *dst;
	HASH_FIND(by_ends, k->by_ends, &like.use, ENDS_LEN, e);
	return e ? &e->sa : NULL;
}

const struct ipsec_manual_sa *ipsec_keys_of(const struct ipsec_keys *k, const struct ipsec_key *key)
{
	struct entry *e;

	HASH_FIND(by_key, k->by_key, key->octets, key->len, e);
	return e ? &e->sa : NULL;
}

const struct ipsec_manual_sa *ipsec_keys_at(const struct ipsec_keys *k, size_t i)
{
	return k && i < k->n ? &k->entries[i].sa : NULL;
}

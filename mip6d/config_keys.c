/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of shared_keys (RFC 4449): data for a Kbm that two addresses share.
 * One line a pair,
 *
 *	LOCAL PEER KCN HOME-NONCE CARE-OF-NONCE
 *
 * with the last three in hexadecimal digits.  What it holds is as good as a
 * password: it must be nobody else's to read, buffers are wiped, and no value
 * of it is ever part of a message.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/config_read.h"
#include "common/config_secret.h"

#define MAX_FILE (4 * 1024 * 1024)
#define FIELDS 5
#define SHAPE "LOCAL PEER KCN HOME-NONCE CARE-OF-NONCE"

struct keys {
	struct config_reader *r;
	const char *path;
	uint32_t line;
	struct mip6d_config *cfg;
	size_t cap;
};

static void fault(struct keys *k, const char *what)
{
	config_error(k->r->errors, k->path, k->line, "%s", what);
	k->r->faults++;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Octets, or 0 when it is no even number of digits or does not fit. */
static size_t read_hex(const char *text, uint8_t *to, size_t cap)
{
	size_t n = strlen(text);

	if (n % 2 || n / 2 > cap)
		return 0;
	for (size_t i = 0; i < n; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return 0;
		to[i / 2] = (uint8_t)(i % 2 ? to[i / 2] | d : d << 4);
	}
	return n / 2;
}

static bool same_secret(const struct rr_shared *a, const struct rr_shared *b)
{
	return a->kcn_len == b->kcn_len && rr_same(a->kcn, b->kcn, a->kcn_len);
}

static bool same_pair(const struct config_shared_key *a, const struct config_shared_key *b)
{
	return in6_equal(&a->local, &b->local) && in6_equal(&a->peer, &b->peer);
}

const char *config_shared_key_parse(const char *const field[3], struct rr_shared *key)
{
	memset(key, 0, sizeof(*key));
	key->kcn_len = read_hex(field[0], key->kcn, sizeof(key->kcn));
	key->home_nonce_len = read_hex(field[1], key->home_nonce, sizeof(key->home_nonce));
	key->care_of_nonce_len = read_hex(field[2], key->care_of_nonce, sizeof(key->care_of_nonce));
	if (key->kcn_len < RR_KCN_LEN)
		return "the Kcn must be 40 to 128 hexadecimal digits, from a good source like  "
		       "openssl rand -hex 20";
	if (!key->home_nonce_len || !key->care_of_nonce_len)
		return "a nonce must be 2 to 128 hexadecimal digits, an even number of them, like  "
		       "openssl rand -hex 8";
	return NULL;
}

static const char *judge(
	const struct keys *k, char *const field[FIELDS], struct config_shared_key *e)
{
	const char *const secrets[3] = {field[2], field[3], field[4]};
	const char *why;

	if (inet_pton(AF_INET6, field[0], &e->local) != 1 ||
		inet_pton(AF_INET6, field[1], &e->peer) != 1 ||
		!in6_is_routable_unicast(&e->local) || !in6_is_routable_unicast(&e->peer))
		return "the first two words must be routable IPv6 addresses: ours, then the "
		       "other's";
	if (in6_equal(&e->local, &e->peer))
		return "both addresses are the same; write ours, then the other's";
	why = config_shared_key_parse(secrets, &e->key);
	if (why)
		return why;
	for (size_t i = 0; i < k->cfg->n_shared_keys; i++) {
		const struct config_shared_key *other = &k->cfg->shared_keys[i];

		if (same_pair(other, e))
			return "this pair of addresses was there already; keep one of the two "
			       "lines";
		if (same_secret(&other->key, &e->key))
			return "this Kcn is another pair's already; each pair needs its own (RFC "
			       "4449 section 4)";
	}
	return NULL;
}

static bool keep(struct keys *k, const struct config_shared_key *e)
{
	struct mip6d_config *cfg = k->cfg;

	if (cfg->n_shared_keys == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 16;
		struct config_shared_key *more = calloc(cap, sizeof(*more));

		if (!more)
			return false;
		/* by hand: realloc() would leave a copy of the secrets behind */
		if (cfg->n_shared_keys)
			memcpy(more, cfg->shared_keys, cfg->n_shared_keys * sizeof(*more));
		config_release_keys(cfg->shared_keys, cfg->n_shared_keys);
		cfg->shared_keys = more;
		k->cap = cap;
	}
	cfg->shared_keys[cfg->n_shared_keys++] = *e;
	return true;
}

static void read_line(struct keys *k, char *line)
{
	struct config_shared_key e;
	char *field[FIELDS], *word, *rest = line, *comment = strchr(line, '#');
	const char *why = NULL;
	size_t n = 0;

	if (comment)
		*comment = '\0';
	while ((word = strtok_r(rest, " \t\r", &rest)) && n < FIELDS)
		field[n++] = word;
	if (n == 0)
		return;
	memset(&e, 0, sizeof(e));
	if (n < FIELDS || word)
		why = "a line has five words: " SHAPE;
	else
		why = judge(k, field, &e);
	if (!why && !keep(k, &e))
		why = "out of memory";
	if (why)
		fault(k, why);
	rr_wipe(&e, sizeof(e));
}

static void read_text(struct keys *k, char *text, size_t len)
{
	char *line = text, *end;

	if (memchr(text, '\0', len)) {
		k->line = 0;
		fault(k, "holds a NUL octet; it must be text with lines " SHAPE);
		return;
	}
	while (line) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		k->line++;
		read_line(k, line);
		line = end ? end + 1 : NULL;
	}
}

static bool read_file(struct keys *k)
{
	size_t before = k->r->faults, len = 0;
	char *text;
	const char *why = config_secret_file(k->path, MAX_FILE, &text, &len);

	if (why)
		fault(k, why);
	else
		read_text(k, text, len);
	config_secret_release(text, len);
	return k->r->faults == before;
}

bool config_read_shared_keys(struct config_reader *r, const struct config_key *key,
	const config_setting_t *s, void *field)
{
	struct mip6d_config *cfg = field;
	struct config_key path = *key;
	struct keys k = {.r = r, .path = cfg->shared_keys_file, .cfg = cfg};

	path.cap = sizeof(cfg->shared_keys_file);
	return config_read_path(r, &path, s, cfg->shared_keys_file) && read_file(&k);
}

void config_release_keys(struct config_shared_key *keys, size_t n)
{
	if (keys)
		rr_wipe(keys, n * sizeof(*keys));
	free(keys);
}

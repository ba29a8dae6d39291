/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_S 120 /* for reading all of the largest store */
#define DATABASES 4
#define TRIAL_LEN (64 << 10)
#define REMEDY                                                                                    \
	"put back a copy of the folder, or move it away and start again: nodes are then reported " \
	"anew, and sessions begin anew"

struct vcmd_store {
	char path[PATH_MAX];
	const struct vcmd_seal *seal;
	int lock_fd; /* the folder, locked */
	MDB_env *env;
	MDB_dbi contexts, sessions, sequences, meta;
	MDB_txn *txn; /* what is not committed yet; NULL: nothing */
	int failed; /* why a put has failed, a negative errno: the transaction must not be committed */
	struct vcmd_store_stats stats;
};

static bool complain(char *err, size_t errlen, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool complain(char *err, size_t errlen, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return false;
}

static int error_of(int rc)
{
	if (rc == 0)
		return 0;
	if (rc == MDB_MAP_FULL || rc == ENOSPC)
		return -ENOSPC;
	return rc > 0 ? -rc : -EIO;
}

/* ---- a look at all of it, at a distance ---- */

static bool walk(MDB_txn *txn, MDB_dbi dbi)
{
	MDB_cursor *c;
	MDB_val k, v;
	uint8_t sum = 0;
	int rc = mdb_cursor_open(txn, dbi, &c);

	if (rc)
		return false;
	while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0)
		for (size_t i = 0; i < v.mv_size; i++)
			sum ^= ((const uint8_t *)v.mv_data)[i];
	(void)*(volatile uint8_t *)&sum;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND;
}

/* In the child.  The list of free pages (database 0) is read as well: the next put will. */
static bool look(const char *path, size_t octets)
{
	static const char *const names[] = {"contexts", "sessions", "sequences", "meta"};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, DATABASES) || mdb_env_set_mapsize(env, octets) ||
		mdb_env_open(env, path, MDB_RDONLY, 0600) ||
		mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) || !walk(txn, 0))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int rc = mdb_dbi_open(txn, names[i], 0, &dbi);

		if (rc == MDB_NOTFOUND)
			continue;
		if (rc || !walk(txn, dbi))
			return false;
	}
	return true;
}

/* LMDB believes its file: pages that are missing or wrong end a process.  So let it be another one. */
static bool survives(const char *path, size_t octets)
{
	static const struct rlimit none = {0, 0};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		setrlimit(RLIMIT_CORE, &none);
		if (null >= 0)
			dup2(null, STDERR_FILENO); /* assertions of LMDB */
		alarm(LOOK_S);
		_exit(look(path, octets) ? 0 : 1);
	}
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- open ---- */

static bool make_parent(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	return parent[0] && mkdir(parent, 0755) == 0;
}

static bool open_folder(struct vcmd_store *s, char *err, size_t errlen)
{
	struct stat st;

	if (mkdir(s->path, 0700) < 0 && errno == ENOENT && make_parent(s->path))
		(void)mkdir(s->path, 0700);
	if (access(s->path, F_OK) < 0)
		return complain(err, errlen, "cannot make the folder %s: %s; make the one it is in",
			s->path, strerror(errno));
	s->lock_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->lock_fd < 0 || fstat(s->lock_fd, &st) < 0)
		return complain(err, errlen, "cannot open the folder %s: %s", s->path,
			strerror(errno));
	if (st.st_mode & 077)
		return complain(err, errlen, "%s is open to others; say  chmod 700 %s", s->path,
			s->path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return complain(err, errlen,
			"another vcmd uses the store %s; stop it, or set another store.path", s->path);
	return true;
}

static bool open_databases(struct vcmd_store *s, char *err, size_t errlen)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, 0, &txn);

	if (rc)
		return complain(err, errlen, "%s: %s", s->path, mdb_strerror(rc));
	rc = mdb_dbi_open(txn, "contexts", MDB_CREATE, &s->contexts);
	if (!rc)
		rc = mdb_dbi_open(txn, "sessions", MDB_CREATE, &s->sessions);
	if (!rc)
		rc = mdb_dbi_open(txn, "sequences", MDB_CREATE, &s->sequences);
	if (!rc)
		rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &s->meta);
	if (rc)
		mdb_txn_abort(txn);
	else
		rc = mdb_txn_commit(txn);
	return rc == 0 ||
	       complain(err, errlen, "the store %s: %s; %s", s->path, mdb_strerror(rc), REMEDY);
}

static bool open_environment(struct vcmd_store *s, uint32_t mib, char *err, size_t errlen)
{
	size_t octets = (size_t)mib << 20;
	char file[PATH_MAX + 16];
	struct stat st;
	int rc;

	snprintf(file, sizeof(file), "%s/data.mdb", s->path);
	if (stat(file, &st) == 0 && (size_t)st.st_size > octets)
		return complain(err, errlen, "%s is larger than store.size; write  size = %lld;  or more",
			file, (long long)(st.st_size >> 20) + 1);
	if (access(file, F_OK) == 0 && !survives(s->path, octets))
		return complain(err, errlen, "the store %s is damaged; %s", s->path, REMEDY);
	rc = mdb_env_create(&s->env);
	if (!rc)
		rc = mdb_env_set_maxdbs(s->env, DATABASES);
	if (!rc)
		rc = mdb_env_set_mapsize(s->env, octets);
	if (!rc)
		rc = mdb_env_open(s->env, s->path, 0, 0600);
	if (rc)
		return complain(err, errlen, "cannot open the store %s: %s", s->path, mdb_strerror(rc));
	s->stats.octets_most = octets;
	return open_databases(s, err, errlen);
}

/* Is this the key that everything was sealed with?  A new store gets its mark. */
static bool check_key(struct vcmd_store *s, char *err, size_t errlen)
{
	uint8_t value[VCMD_RECORD_MAX], name[] = {'k', 'e', 'y'};
	MDB_val k = {sizeof(name), name}, v = {0, value};
	const char *why = NULL;
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, 0, &txn);

	if (rc)
		return complain(err, errlen, "%s: %s", s->path, mdb_strerror(rc));
	rc = mdb_get(txn, s->meta, &k, &v);
	if (rc == 0) {
		why = vcmd_check_read(s->seal, v.mv_data, v.mv_size);
	} else if (rc == MDB_NOTFOUND) {
		v = (MDB_val){vcmd_check_write(s->seal, value), value};
		rc = v.mv_size ? mdb_put(txn, s->meta, &k, &v, 0) : ENOMEM;
	}
	if (rc || why)
		mdb_txn_abort(txn);
	else
		rc = mdb_txn_commit(txn);
	if (why)
		return complain(err, errlen,
			"the mark of the sealing key in %s %s; give the key that was used before, or "
			"move the folder away and start again",
			s->path, why);
	return rc == 0 || complain(err, errlen, "%s: %s", s->path, mdb_strerror(rc));
}

struct vcmd_store *vcmd_store_open(
	const char *path, uint32_t mib, const struct vcmd_seal *seal, char *err, size_t errlen)
{
	struct vcmd_store *s = calloc(1, sizeof(*s));

	if (!s) {
		complain(err, errlen, "out of memory");
		return NULL;
	}
	s->lock_fd = -1;
	s->seal = seal;
	snprintf(s->path, sizeof(s->path), "%s", path);
	if (open_folder(s, err, errlen) && open_environment(s, mib, err, errlen) &&
		check_key(s, err, errlen))
		return s;
	vcmd_store_close(s);
	return NULL;
}

void vcmd_store_close(struct vcmd_store *s)
{
	if (!s)
		return;
	if (s->txn)
		mdb_txn_abort(s->txn);
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

/* ---- load ---- */

struct load {
	struct vcmd_store *s;
	int (*context)(void *arg, const struct vcm_context_record *r);
	int (*session)(void *arg, const struct vcm_session_record *r);
	void *arg;
	char *err;
	size_t errlen;
};

static bool wrong_record(const struct load *l, const char *what, const MDB_val *k, const char *why)
{
	char name[2 * VCMD_CONTEXT_KEY_LEN + 1] = "";

	for (size_t i = 0; i < k->mv_size && i < VCMD_CONTEXT_KEY_LEN; i++)
		snprintf(name + 2 * i, 3, "%02x", ((const uint8_t *)k->mv_data)[i]);
	return complain(l->err, l->errlen, "the store %s: the record of the %s %s %s; %s", l->s->path,
		what, name, why, REMEDY);
}

static bool load_context(const struct load *l, const MDB_val *k, const MDB_val *v)
{
	struct in6_addr room[VCMD_MAX_CORRESPONDENTS];
	struct vcm_context_record r;
	const char *why = vcmd_context_read(
		l->s->seal, k->mv_data, k->mv_size, v->mv_data, v->mv_size, &r, room);
	int rc;

	if (why)
		return wrong_record(l, "node", k, why);
	rc = l->context(l->arg, &r);
	return rc == 0 || wrong_record(l, "node", k,
				  rc == -ENOSPC ? "is more than limits.contexts allows; write a "
						  "higher one"
						: strerror(-rc));
}

static bool load_session(const struct load *l, const MDB_val *k, const MDB_val *v)
{
	struct vcm_session_record r;
	const char *why = vcmd_session_read(
		l->s->seal, k->mv_data, k->mv_size, v->mv_data, v->mv_size, &r);
	int rc;

	if (why)
		return wrong_record(l, "session", k, why);
	rc = l->session(l->arg, &r);
	OPENSSL_cleanse(&r, sizeof(r));
	return rc == 0 || wrong_record(l, "session", k,
				  rc == -ENOSPC ? "is more than limits.sessions allows; write a "
						  "higher one"
						: strerror(-rc));
}

static bool load_all(const struct load *l, MDB_txn *txn, MDB_dbi dbi,
	bool (*one)(const struct load *l, const MDB_val *k, const MDB_val *v))
{
	MDB_cursor *c;
	MDB_val k, v;
	bool ok = true;
	int rc = mdb_cursor_open(txn, dbi, &c);

	if (rc)
		return complain(l->err, l->errlen, "%s: %s", l->s->path, mdb_strerror(rc));
	while (ok && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0)
		ok = one(l, &k, &v);
	mdb_cursor_close(c);
	if (ok && rc != MDB_NOTFOUND)
		return complain(l->err, l->errlen, "the store %s: %s; %s", l->s->path,
			mdb_strerror(rc), REMEDY);
	return ok;
}

bool vcmd_store_load(struct vcmd_store *s,
	int (*context)(void *arg, const struct vcm_context_record *r),
	int (*session)(void *arg, const struct vcm_session_record *r), void *arg, char *err,
	size_t errlen)
{
	const struct load l = {s, context, session, arg, err, errlen};
	MDB_txn *txn;
	bool ok;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);

	if (rc)
		return complain(err, errlen, "%s: %s", s->path, mdb_strerror(rc));
	ok = load_all(&l, txn, s->contexts, load_context) &&
	     load_all(&l, txn, s->sessions, load_session);
	mdb_txn_abort(txn);
	return ok;
}

/* ---- changes ---- */

static int begin(struct vcmd_store *s)
{
	if (s->failed)
		return s->failed;
	return s->txn ? 0 : error_of(mdb_txn_begin(s->env, NULL, 0, &s->txn));
}

static int put(struct vcmd_store *s, MDB_dbi dbi, const uint8_t *key, size_t key_len,
	const uint8_t *value, size_t len)
{
	MDB_val k = {key_len, (void *)(uintptr_t)key}, v = {len, (void *)(uintptr_t)value};
	int err = len ? begin(s) : -EINVAL;

	if (!err)
		err = error_of(mdb_put(s->txn, dbi, &k, &v, 0));
	if (err)
		s->failed = err;
	else
		s->stats.puts++;
	return err;
}

static int del(struct vcmd_store *s, MDB_dbi dbi, const uint8_t *key, size_t key_len)
{
	MDB_val k = {key_len, (void *)(uintptr_t)key};
	int err = begin(s), rc;

	if (err)
		return err;
	rc = mdb_del(s->txn, dbi, &k, NULL);
	s->stats.deletions++;
	if (rc == MDB_NOTFOUND)
		return 0;
	err = error_of(rc);
	if (err)
		s->failed = err;
	return err;
}

int vcmd_store_context_put(struct vcmd_store *s, const struct vcm_context_record *r)
{
	uint8_t value[VCMD_RECORD_MAX];

	return put(s, s->contexts, r->internal.s6_addr, VCMD_CONTEXT_KEY_LEN, value,
		vcmd_context_write(s->seal, r, value));
}

int vcmd_store_context_del(struct vcmd_store *s, const struct in6_addr *internal)
{
	return del(s, s->contexts, internal->s6_addr, VCMD_CONTEXT_KEY_LEN);
}

int vcmd_store_session_put(struct vcmd_store *s, const struct vcm_session_record *r)
{
	uint8_t key[VCMD_SESSION_KEY_LEN], value[VCMD_RECORD_MAX];

	vcmd_session_key(r->id, key);
	return put(s, s->sessions, key, sizeof(key), value, vcmd_session_write(s->seal, r, value));
}

int vcmd_store_session_del(struct vcmd_store *s, uint64_t id)
{
	uint8_t key[VCMD_SESSION_KEY_LEN];

	vcmd_session_key(id, key);
	return del(s, s->sessions, key, sizeof(key));
}

bool vcmd_store_sequence_get(struct vcmd_store *s, struct vcmd_sequence *q)
{
	uint8_t key[VCMD_SEQUENCE_KEY_LEN];
	MDB_val k = {sizeof(key), key}, v;
	MDB_txn *txn = s->txn; /* which may have it already */
	bool ok;

	if (!s->env || (!txn && mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn)))
		return false;
	vcmd_sequence_key(q, key);
	ok = mdb_get(txn, s->sequences, &k, &v) == 0 &&
	     !vcmd_sequence_read(s->seal, v.mv_data, v.mv_size, q);
	if (!s->txn)
		mdb_txn_abort(txn);
	return ok;
}

int vcmd_store_sequence_put(struct vcmd_store *s, const struct vcmd_sequence *q)
{
	uint8_t key[VCMD_SEQUENCE_KEY_LEN], value[VCMD_RECORD_MAX];

	vcmd_sequence_key(q, key);
	return put(s, s->sequences, key, sizeof(key), value, vcmd_sequence_write(s->seal, q, value));
}

int vcmd_store_commit(struct vcmd_store *s)
{
	int rc;

	if (s->failed)
		return s->failed;
	if (!s->txn)
		return 0;
	rc = mdb_txn_commit(s->txn);
	s->txn = NULL;
	s->failed = error_of(rc);
	if (!rc)
		s->stats.commits++;
	return s->failed;
}

/* ---- after a failure ---- */

/* More than a turn of the event loop writes. */
static int try_to_write(struct vcmd_store *s)
{
	static const uint8_t name[] = {'t', 'r', 'y'};
	uint8_t *room = calloc(1, TRIAL_LEN);
	int err = room ? put(s, s->meta, name, sizeof(name), room, TRIAL_LEN) : -ENOMEM;

	free(room);
	return err ? err : vcmd_store_commit(s);
}

/* LMDB takes nothing more after some errors: it is opened anew. */
bool vcmd_store_recover(struct vcmd_store *s, char *err, size_t errlen)
{
	int rc;

	if (s->txn)
		mdb_txn_abort(s->txn);
	s->txn = NULL;
	if (s->env)
		mdb_env_close(s->env);
	s->env = NULL;
	s->failed = -EIO;
	if (!open_environment(s, (uint32_t)(s->stats.octets_most >> 20), err, errlen))
		return false;
	s->failed = 0;
	rc = try_to_write(s);
	return rc == 0 || complain(err, errlen, "%s: %s", s->path, strerror(-rc));
}

void vcmd_store_stats(const struct vcmd_store *s, struct vcmd_store_stats *st)
{
	MDB_envinfo info;
	MDB_stat page;

	*st = s->stats;
	if (mdb_env_info(s->env, &info) == 0 && mdb_env_stat(s->env, &page) == 0)
		st->octets = (info.me_last_pgno + 1) * page.ms_psize;
}

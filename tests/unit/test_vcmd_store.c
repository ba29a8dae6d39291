/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VCM's store: what is put comes back, whatever happens meanwhile; nothing of it can be read or changed. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vcm/vcmd_store.h"

#define MIB 256
#define FILL 0xc7 /* of secrets, to be looked for */

static char folder[128], err[512];
static unsigned seed;

static void some_random(void *ctx, void *to, size_t n)
{
	uint8_t *p = to;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rand_r(&seed);
}

static struct vcmd_seal seal = {.key = {1, 2, 3}, .random = some_random};

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/vcmd-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	strcat(folder, "/store");
	seed = 1;
	seal.key[0] = 1;
}

static void remove_folder(void)
{
	char path[256];

	for (const char *const *f = (const char *const[]){"/data.mdb", "/lock.mdb", "", NULL}; *f; f++) {
		snprintf(path, sizeof(path), "%s%s", folder, *f);
		(void)remove(path);
	}
	*strrchr(folder, '/') = '\0';
	(void)rmdir(folder);
}

static struct vcmd_store *open_store(void)
{
	struct vcmd_store *s = vcmd_store_open(folder, MIB, &seal, err, sizeof(err));

	ck_assert_msg(s != NULL, "%s", err);
	return s;
}

/* ---- records ---- */

static struct in6_addr node(uint32_t n)
{
	struct in6_addr a = {{{0xfd, 0, 0, 0, 0, 0, 0, 1}}};

	for (int i = 0; i < 4; i++)
		a.s6_addr[12 + i] = (uint8_t)(n >> (24 - 8 * i));
	return a;
}

static struct vcm_context_record context(uint32_t n, const struct in6_addr *others, size_t n_others)
{
	return (struct vcm_context_record){.internal = node(n),
		.home = node(n + 1000000),
		.outside = n & 1,
		.revoked = n & 2,
		.epoch = 0x1122334455667788u + n,
		.n_correspondents = n_others,
		.correspondents = others};
}

static struct vcm_session_record session(uint64_t id)
{
	struct vcm_session_record r = {.id = id,
		.generation = 7,
		.a = node(1),
		.b = node(2),
		.state = VCM_S_OFFERED,
		.ready_a = true,
		.active_b = true,
		.variant = VCM_ASYMMETRIC,
		.algorithm = "aes-gcm-256",
		.lifetime_s = 3600,
		.linger_s = 30,
		.offered_at = 1700000000,
		.ends_at = 1700003600,
		.spi_a = 0xabcdef01,
		.spi_b = 0x12345678};
	struct vcm_session_secrets *x = &r.secrets;

	x->key_len = 36;
	memset(x->key_ab, FILL, x->key_len);
	memset(x->key_ba, FILL, x->key_len);
	x->has_kcn = x->has_public_b = true;
	x->kcn.kcn_len = 20;
	x->kcn.home_nonce_len = x->kcn.care_of_nonce_len = 8;
	memset(x->kcn.kcn, FILL, 20);
	memset(x->kcn.home_nonce, FILL, 8);
	memset(x->kcn.care_of_nonce, FILL, 8);
	memset(x->public_b, 0x77, VCM_PUBLIC_LEN);
	memset(x->salt, FILL, VCM_SALT_LEN);
	return r;
}

struct seen {
	size_t contexts, sessions, wrong;
	uint32_t last;
	struct vcm_session_record session;
	struct vcm_context_record context;
	struct in6_addr correspondents[4];
};

static int see_context(void *arg, const struct vcm_context_record *r)
{
	struct seen *v = arg;
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 8 | r->internal.s6_addr[12 + i];
	struct vcm_context_record want = context(n, NULL, 0);

	v->contexts++;
	v->last = n > v->last ? n : v->last;
	if (memcmp(&r->home, &want.home, 16) != 0 || r->outside != want.outside ||
		r->revoked != want.revoked || r->epoch != want.epoch)
		v->wrong++;
	v->context = *r;
	for (size_t i = 0; i < r->n_correspondents && i < 4; i++)
		v->correspondents[i] = r->correspondents[i];
	return 0;
}

static int see_session(void *arg, const struct vcm_session_record *r)
{
	struct seen *v = arg;

	v->sessions++;
	v->session = *r;
	return 0;
}

static struct seen load(struct vcmd_store *s)
{
	struct seen v = {0};
	bool ok = vcmd_store_load(s, see_context, see_session, &v, err, sizeof(err));

	ck_assert_msg(ok, "%s", err);
	return v;
}

static void put_one_of_each(void)
{
	struct in6_addr others[2] = {node(5), node(6)};
	struct vcm_context_record c = context(3, others, 2);
	struct vcm_session_record r = session(0xfeedfacecafebeefu);
	struct vcmd_store *s = open_store();

	ck_assert_int_eq(vcmd_store_context_put(s, &c), 0);
	ck_assert_int_eq(vcmd_store_session_put(s, &r), 0);
	ck_assert_int_eq(vcmd_store_commit(s), 0);
	vcmd_store_close(s);
}

START_TEST(comes_back)
{
	struct vcm_session_record want = session(0xfeedfacecafebeefu);
	struct vcmd_store *s;
	struct seen v;

	put_one_of_each();
	s = open_store();
	v = load(s);
	ck_assert_uint_eq(v.contexts, 1);
	ck_assert_uint_eq(v.sessions, 1);
	ck_assert_uint_eq(v.wrong, 0);
	ck_assert_uint_eq(v.context.n_correspondents, 2);
	ck_assert_mem_eq(&v.correspondents[1], &(struct in6_addr[]){node(6)}, 16);
	ck_assert_mem_eq(&v.session, &want, sizeof(want));
	ck_assert_int_eq(vcmd_store_session_del(s, want.id), 0);
	ck_assert_int_eq(vcmd_store_session_del(s, 1), 0);
	ck_assert_int_eq(vcmd_store_context_del(s, &v.context.internal), 0);
	ck_assert_int_eq(vcmd_store_commit(s), 0);
	vcmd_store_close(s);
	s = open_store();
	v = load(s);
	ck_assert_uint_eq(v.contexts + v.sessions, 0);
	vcmd_store_close(s);
}
END_TEST

START_TEST(without_commit_nothing)
{
	struct vcm_context_record c = context(3, NULL, 0);
	struct vcmd_store *s = open_store();

	ck_assert_int_eq(vcmd_store_context_put(s, &c), 0);
	vcmd_store_close(s);
	s = open_store();
	ck_assert_uint_eq(load(s).contexts, 0);
	vcmd_store_close(s);
}
END_TEST

START_TEST(many_correspondents_are_bounded)
{
	struct in6_addr *others = calloc(1000, sizeof(*others));
	struct vcm_context_record c = context(3, others, 1000);
	struct vcmd_store *s = open_store();

	ck_assert_int_eq(vcmd_store_context_put(s, &c), 0);
	ck_assert_int_eq(vcmd_store_commit(s), 0);
	ck_assert_uint_eq(load(s).context.n_correspondents, VCMD_MAX_CORRESPONDENTS);
	vcmd_store_close(s);
	free(others);
}
END_TEST

/* ---- secrets ---- */

static uint8_t *whole_file(size_t *n)
{
	char path[256];
	uint8_t *p;
	FILE *f;

	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n);
	ck_assert_uint_eq(fread(p, 1, *n, f), *n);
	fclose(f);
	return p;
}

START_TEST(secrets_are_sealed)
{
	uint8_t secret[8], *file;
	struct stat st;
	size_t n;

	put_one_of_each();
	file = whole_file(&n);
	memset(secret, FILL, sizeof(secret));
	ck_assert_ptr_null(memmem(file, n, secret, sizeof(secret)));
	memset(secret, 0x77, sizeof(secret));
	ck_assert_ptr_null(memmem(file, n, secret, sizeof(secret)));
	ck_assert_ptr_null(memmem(file, n, seal.key, sizeof(seal.key)));
	ck_assert_ptr_nonnull(memmem(file, n, "aes-gcm-256", 11)); /* we look in the right place */
	free(file);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 077, 0);
}
END_TEST

START_TEST(another_key)
{
	put_one_of_each();
	seal.key[0] ^= 1;
	ck_assert_ptr_null(vcmd_store_open(folder, MIB, &seal, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "another key; give the key that was used before"));
}
END_TEST

START_TEST(each_octet_counts)
{
	uint8_t key[VCMD_SESSION_KEY_LEN], value[VCMD_RECORD_MAX];
	struct vcm_session_record r = session(5), got;
	size_t n = vcmd_session_write(&seal, &r, value);

	ck_assert_uint_gt(n, 200);
	vcmd_session_key(5, key);
	ck_assert_ptr_null(vcmd_session_read(&seal, key, sizeof(key), value, n, &got));
	for (size_t i = 0; i < n; i++) {
		value[i] ^= 0x10;
		ck_assert_msg(vcmd_session_read(&seal, key, sizeof(key), value, n, &got) != NULL,
			"octet %zu does not count", i);
		value[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_nonnull(vcmd_session_read(&seal, key, sizeof(key), value, i, &got));
	key[7] ^= 1; /* in another one's place */
	ck_assert_ptr_nonnull(vcmd_session_read(&seal, key, sizeof(key), value, n, &got));
}
END_TEST

START_TEST(each_octet_of_a_context_counts)
{
	struct in6_addr others[2] = {node(5), node(6)}, room[VCMD_MAX_CORRESPONDENTS];
	struct vcm_context_record r = context(9, others, 2), got;
	uint8_t value[VCMD_RECORD_MAX], key[16];
	size_t n = vcmd_context_write(&seal, &r, value);

	memcpy(key, &r.internal, 16);
	ck_assert_ptr_null(vcmd_context_read(&seal, key, 16, value, n, &got, room));
	for (size_t i = 0; i < n; i++) {
		value[i] ^= 0x10;
		ck_assert_ptr_nonnull(vcmd_context_read(&seal, key, 16, value, n, &got, room));
		value[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_nonnull(vcmd_context_read(&seal, key, 16, value, i, &got, room));
	key[15] ^= 1;
	ck_assert_ptr_nonnull(vcmd_context_read(&seal, key, 16, value, n, &got, room));
	ck_assert_ptr_nonnull(vcmd_context_read(&seal, key, 15, value, n, &got, room));
}
END_TEST

/* ---- damage ---- */

static void fill(uint32_t n)
{
	struct vcmd_store *s = open_store();

	for (uint32_t i = 0; i < n; i++) {
		struct vcm_context_record c = context(i, NULL, 0);

		ck_assert_int_eq(vcmd_store_context_put(s, &c), 0);
	}
	ck_assert_int_eq(vcmd_store_commit(s), 0);
	vcmd_store_close(s);
}

/* Must be refused or read; what must not happen is that this process ends. */
static void try_damaged(size_t *refused)
{
	struct vcmd_store *s = vcmd_store_open(folder, MIB, &seal, err, sizeof(err));
	struct seen v = {0};

	if (!s || !vcmd_store_load(s, see_context, see_session, &v, err, sizeof(err))) {
		ck_assert_msg(strstr(err, "; ") != NULL, "no remedy: %s", err);
		(*refused)++;
	}
	ck_assert_uint_eq(v.wrong, 0);
	vcmd_store_close(s);
}

START_TEST(truncated)
{
	char path[256];
	size_t refused = 0, n;
	struct stat st;

	fill(2000);
	free(whole_file(&n));
	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	for (size_t cut = n - 4096; cut > 4096; cut = cut * 2 / 3) {
		ck_assert_int_eq(truncate(path, (off_t)cut), 0);
		try_damaged(&refused);
		ck_assert_int_eq(stat(path, &st), 0);
	}
	ck_assert_uint_gt(refused, 8);
}
END_TEST

START_TEST(garbage)
{
	size_t refused = 0, n;
	uint8_t *file;
	char path[256];

	fill(500);
	file = whole_file(&n);
	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	for (unsigned round = 0; round < 60; round++) {
		FILE *f = fopen(path, "r+b");
		uint8_t junk[64];

		fwrite(file, 1, n, f);
		some_random(NULL, junk, sizeof(junk));
		fseek(f, (long)((size_t)rand_r(&seed) % (n - sizeof(junk))), SEEK_SET);
		fwrite(junk, 1, sizeof(junk), f);
		fclose(f);
		try_damaged(&refused);
	}
	free(file);
	ck_assert_uint_gt(refused, 10);
}
END_TEST

START_TEST(somebody_elses_file)
{
	char path[256];
	size_t refused = 0;
	FILE *f;

	ck_assert_int_eq(mkdir(folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	f = fopen(path, "w");
	for (int i = 0; i < 3000; i++)
		fputs("not a database\n", f);
	fclose(f);
	try_damaged(&refused);
	ck_assert_uint_eq(refused, 1);
	ck_assert_ptr_nonnull(strstr(err, "is damaged; put back a copy"));
}
END_TEST

START_TEST(open_to_others)
{
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_ptr_null(vcmd_store_open(folder, MIB, &seal, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "chmod 700"));
}
END_TEST

START_TEST(one_at_a_time)
{
	struct vcmd_store *s = open_store();

	ck_assert_ptr_null(vcmd_store_open(folder, MIB, &seal, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "another vcmd uses the store"));
	vcmd_store_close(s);
}
END_TEST

START_TEST(full)
{
	struct vcmd_store *s = vcmd_store_open(folder, 16, &seal, err, sizeof(err));
	struct vcm_session_record r;
	int e = 0;

	ck_assert_msg(s != NULL, "%s", err);
	for (uint32_t i = 0; !e && i < 1000000; i++) {
		r = session(i);
		e = vcmd_store_session_put(s, &r);
	}
	ck_assert_int_eq(e, -ENOSPC);
	ck_assert_int_eq(vcmd_store_commit(s), -ENOSPC);
	ck_assert_uint_eq(load(s).sessions, 0);
	/* it goes on without being closed */
	ck_assert_msg(vcmd_store_recover(s, err, sizeof(err)), "%s", err);
	r = session(1);
	ck_assert_int_eq(vcmd_store_session_put(s, &r), 0);
	ck_assert_int_eq(vcmd_store_commit(s), 0);
	vcmd_store_close(s);
	s = open_store();
	ck_assert_uint_eq(load(s).sessions, 1);
	vcmd_store_close(s);
}
END_TEST

/* ---- killed ---- */

/* Puts and commits one context after the other, and says so; each second one with three sessions. */
static _Noreturn void writer(int to, uint32_t from)
{
	struct vcmd_store *s = vcmd_store_open(folder, MIB, &seal, err, sizeof(err));

	for (uint32_t n = from; s; n++) {
		struct vcm_context_record c = context(n, NULL, 0);
		struct vcm_session_record r = session(n);

		if (vcmd_store_context_put(s, &c) || vcmd_store_session_put(s, &r) ||
			vcmd_store_commit(s) || write(to, &n, sizeof(n)) != sizeof(n))
			break;
	}
	_exit(1);
}

START_TEST(killed_at_any_moment)
{
	uint32_t promised = 0, n, next = 1;

	for (unsigned round = 0; round < 40; round++) {
		struct timespec pause = {0, rand_r(&seed) % 20000000};
		int pipe_fd[2], status;
		struct vcmd_store *s;
		struct seen v;
		pid_t pid;

		ck_assert_int_eq(pipe(pipe_fd), 0);
		pid = fork();
		if (pid == 0)
			writer(pipe_fd[1], next);
		close(pipe_fd[1]);
		/* the first promise, then any moment */
		ck_assert_int_eq(read(pipe_fd[0], &promised, sizeof(promised)), sizeof(promised));
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		while (read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
			promised = n;
		close(pipe_fd[0]);
		s = open_store();
		v = load(s);
		vcmd_store_close(s);
		ck_assert_uint_eq(v.wrong, 0);
		ck_assert_uint_ge(v.last, promised);
		ck_assert_uint_eq(v.contexts, v.last); /* none is missing before it */
		ck_assert_uint_eq(v.sessions, v.contexts); /* what was put together is there together */
		next = v.last + 1;
	}
	ck_assert_uint_gt(next, 40); /* each round at least the promised one */
}
END_TEST

/* ---- many ---- */

START_TEST(a_hundred_thousand)
{
	struct timespec t0, t1;
	struct vcmd_store *s;
	double seconds;

	fill(100000);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	s = open_store();
	ck_assert_uint_eq(load(s).contexts, 100000);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	vcmd_store_close(s);
	seconds = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	printf("100000 contexts are read in %.2f s\n", seconds);
	ck_assert_msg(seconds < 20, "%.1f s", seconds);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vcmd_store");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, without_commit_nothing);
	tcase_add_test(tc, many_correspondents_are_bounded);
	tcase_add_test(tc, secrets_are_sealed);
	tcase_add_test(tc, another_key);
	tcase_add_test(tc, each_octet_counts);
	tcase_add_test(tc, each_octet_of_a_context_counts);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, garbage);
	tcase_add_test(tc, somebody_elses_file);
	tcase_add_test(tc, open_to_others);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, full);
	tcase_add_test(tc, killed_at_any_moment);
	tcase_add_test(tc, a_hundred_thousand);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}

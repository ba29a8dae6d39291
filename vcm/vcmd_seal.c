/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config_secret.h"
#include "common/loop.h"

#define DIGITS (2 * VCMD_SEAL_LEN)
#define NOT_A_KEY "is not 64 hexadecimal digits; make one with  openssl rand -hex 32"

void vcmd_seal_wipe(struct vcmd_seal *s)
{
	OPENSSL_cleanse(s->key, sizeof(s->key));
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 64 hexadecimal digits, and what an editor puts behind them. */
static bool parse(const char *text, size_t len, uint8_t key[VCMD_SEAL_LEN])
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	if (len != DIGITS)
		return false;
	for (size_t i = 0; i < VCMD_SEAL_LEN; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Nothing happens when there is one; a fault shows when it is read. */
static void make(const struct vcmd_seal *s, const char *path)
{
	uint8_t key[VCMD_SEAL_LEN];
	char text[DIGITS + 2];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return;
	s->random(s->ctx, key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[DIGITS] = '\n';
	ok = write(fd, text, DIGITS + 1) == DIGITS + 1 && fsync(fd) == 0;
	close(fd);
	if (!ok)
		unlink(path);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
}

#define CREDENTIAL_MOST (DIGITS + 63)

/*
 * Its folder is systemd's, which has seen to the rights; the group's are the mask of its list for
 * the service's user (systemd.exec(5)).
 */
static const char *judge_credential(int fd, const struct stat *st)
{
	if (fd < 0)
		return errno == ENOENT ? "is not there; add  LoadCredential=  or  "
					 "LoadCredentialEncrypted=  "
					 "to the unit"
				       : "cannot be read; let systemd provide it";
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_mode & S_IRWXO)
		return "others may read it; let systemd provide it, and make a new key";
	return st->st_size > CREDENTIAL_MOST ? NOT_A_KEY : NULL;
}

static const char *read_credential(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st = {0};
	const char *why;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) < 0)
		st.st_mode = 0;
	why = judge_credential(fd, &st);
	*text = why ? NULL : calloc(1, CREDENTIAL_MOST);
	if (*text)
		n = read(fd, *text, CREDENTIAL_MOST);
	*len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
	return why ? why : n < 0 ? "cannot be read" : NULL;
}

/* Then a key that is lost is not to be made up for by another one. */
static bool store_is_there(const struct vcmd_config *c)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/data.mdb", c->store);
	return access(path, F_OK) == 0;
}

bool vcmd_seal_load(struct vcmd_seal *s, const struct vcmd_config *c, char *err, size_t errlen)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *why;
	char path[PATH_MAX + VCMD_CREDENTIAL_LEN], *text = NULL;
	size_t len = 0;

	s->random = sys_random;
	if (c->credential[0] && !folder) {
		snprintf(err, errlen,
			"store.credential is %s, but this process was not given credentials; start "
			"it "
			"by systemd with  LoadCredential=%s:FILE,  or write store.key_file",
			c->credential, c->credential);
		return false;
	}
	if (c->credential[0]) {
		snprintf(path, sizeof(path), "%s/%s", folder, c->credential);
		why = read_credential(path, &text, &len);
	} else {
		snprintf(path, sizeof(path), "%s", c->key_file);
		if (c->make_key && !store_is_there(c))
			make(s, path);
		why = config_secret_file(path, 4096, &text, &len);
	}
	if (!why && !parse(text, len, s->key))
		why = NOT_A_KEY;
	config_secret_release(text, len);
	if (why)
		snprintf(err, errlen, "the sealing key %s: %s", path, why);
	return !why;
}

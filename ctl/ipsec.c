/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl ipsec check|mend, ipsec keys [gateway|manager] ADDRESS ADDRESS [ALGORITHM] */
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ipsec-glue/algorithm.h"
#include "lib/addr.h"
#include "mip6/ipsec.h"

#define SPI_MIN 0x1000u /* up to 255 are reserved (RFC 4303 2.1) */
#define N_SAS 4 /* signal and data, both ways */
#define LINE (2 * INET6_ADDRSTRLEN + 2 * IPSEC_KEY_MAX + 64)

/* ---- keys ---- */

static bool random_spis(uint32_t *spis, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool taken;

		do {
			if (RAND_bytes((unsigned char *)&spis[i], sizeof(spis[i])) != 1)
				return false;
			taken = spis[i] < SPI_MIN;
			for (size_t k = 0; k < i; k++)
				taken |= spis[k] == spis[i];
		} while (taken);
	}
	return true;
}

/* Not by stdio, which would keep a copy. */
static bool write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool put_line(const struct in6_addr *src, const struct in6_addr *dst, enum ipsec_use use,
	uint32_t spi, const struct ipsec_algorithm *a)
{
	static const char digits[] = "0123456789abcdef";
	size_t key_len = ipsec_algorithm_key_len(a), len;
	uint8_t key[IPSEC_KEY_MAX];
	char line[LINE];
	bool done;

	len = (size_t)snprintf(line, sizeof(line), "%s %s %s 0x%08x %s ", in6_str(src),
		in6_str(dst), ipsec_use_name(use), spi, a->name);
	if (RAND_priv_bytes(key, (int)key_len) != 1)
		return false;
	for (size_t i = 0; i < key_len; i++) {
		line[len++] = digits[key[i] >> 4];
		line[len++] = digits[key[i] & 15];
	}
	line[len++] = '\n';
	done = write_all(line, len);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(line, sizeof(line));
	return done;
}

static const struct ipsec_algorithm *find_algorithm(const char *name)
{
	const struct ipsec_algorithm *a = ipsec_algorithm_find(name);

	if (a)
		return a;
	ctl_fail(CTL_USAGE, "there is no algorithm %s; there are:", name);
	for (size_t i = 0; (a = ipsec_algorithm_at(i)); i++)
		fprintf(stderr, "  %s%s\n", a->name, a->weak ? " (weak)" : "");
	return NULL;
}

static void warn(const struct ipsec_algorithm *a)
{
	if (isatty(STDOUT_FILENO))
		fputs("mip6ctl: what follows is secret. Better, with umask 077, append it to the "
		      "file of keys "
		      "by  >>\n",
			stderr);
	if (a->weak)
		fprintf(stderr,
			"mip6ctl: %s is weak (RFC 8221); mip6d takes it with allow_weak only\n",
			a->name);
}

/* With a home agent: two pairs; with a gateway, or the VPN Connectivity Manager: one. */
static int keys(enum ipsec_use first, const char *one, const char *other, const char *algorithm)
{
	const struct ipsec_algorithm *a = find_algorithm(algorithm);
	size_t n = first == IPSEC_SIGNAL ? N_SAS : 2;
	struct in6_addr ends[2];
	uint32_t spis[N_SAS];

	if (!a)
		return CTL_USAGE;
	if (inet_pton(AF_INET6, one, &ends[0]) != 1 || inet_pton(AF_INET6, other, &ends[1]) != 1)
		return ctl_fail(CTL_USAGE,
			"keys are for two addresses, as a home address and a home agent's");
	if (in6_equal(&ends[0], &ends[1]))
		return ctl_fail(CTL_USAGE, "both addresses are the same");
	if (!random_spis(spis, n))
		return ctl_fail(CTL_REFUSED, "there are no random numbers");
	warn(a);
	for (size_t i = 0; i < n; i++)
		if (!put_line(&ends[i % 2], &ends[!(i % 2)], i < 2 ? first : IPSEC_DATA, spis[i], a))
			return ctl_fail(CTL_REFUSED,
				"the keys could not be made or written; use none of these");
	return CTL_OK;
}

static int make_keys(int argc, char **argv)
{
	enum ipsec_use use = IPSEC_SIGNAL;

	if (strcmp(argv[0], "gateway") == 0)
		use = IPSEC_GATEWAY;
	else if (strcmp(argv[0], "manager") == 0)
		use = IPSEC_MANAGER;
	if (use != IPSEC_SIGNAL) {
		argc--;
		argv++;
	}
	if (argc < 2 || argc > 3)
		return ctl_misused("ipsec");
	return keys(use, argv[0], argv[1], argc == 3 ? argv[2] : "aes-cbc-256-hmac-sha512");
}

/* ---- what there should be, and what the kernel has ---- */

static void add_line(void *arg, json_t *line)
{
	json_array_append(arg, line);
}

/* Differences that were found, but not those that were mended, are a failure. */
static int compare(struct ctl *ctl, const char *action)
{
	bool mend = strcmp(action, "mend") == 0;
	json_t *lines = json_array(), *line;
	size_t i;
	int rc = ctl_ask(ctl, json_pack("{s:s, s:s}", "verb", "ipsec", "action", action), add_line,
		lines, NULL);

	if (rc == CTL_OK && ctl->json)
		ctl_print_json(lines);
	else if (rc == CTL_OK && !json_array_size(lines))
		puts("the kernel has what it should have");
	else if (rc == CTL_OK)
		json_array_foreach(lines, i, line)
		{
			ctl_colored(stdout, ctl->color, mend ? YELLOW : RED,
				json_string_value(line), 0);
			putchar('\n');
		}
	if (rc == CTL_OK && !mend && json_array_size(lines))
		rc = CTL_REFUSED;
	json_decref(lines);
	return rc;
}

int ctl_ipsec(struct ctl *ctl, int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "check") == 0 || strcmp(argv[1], "mend") == 0))
		return compare(ctl, argv[1]);
	if (argc >= 4 && strcmp(argv[1], "keys") == 0 && !ctl->json)
		return make_keys(argc - 2, argv + 2);
	return ctl_misused(argv[0]);
}

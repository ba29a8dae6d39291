/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of sessions in the kernel, for lab scenario `sessions`: requests by
 * lines on standard input, each answered with one line.
 *
 *	in|out PEER INNER_LOCAL INNER_PEER SPI OCTET [LIFETIME]		keys are made of OCTET
 *	in-del SPI | out-del PEER SPI | packets PEER SPI in|out | check | forget | inside 0|1
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec-glue/sessions.h"

static void expires(void *ctx, uint32_t spi, bool out, bool hard)
{
	(void)ctx;
	printf("expires %x %s %s\n", spi, out ? "out" : "in", hard ? "hard" : "soft");
}

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	printf("notice %s\n", text);
}

static const struct ipsec_sessions_ops ops = {.expires = expires, .notice = notice};

static struct in6_addr addr(const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		exit(2);
	return a;
}

static int add(struct ipsec_sessions *x, char (*w)[64])
{
	uint8_t key[20];
	struct ipsec_session_sa s = {.peer = addr(w[1]),
		.inner_local = addr(w[2]),
		.inner_peer = addr(w[3]),
		.algorithm = "aes-gcm-128",
		.spi = (uint32_t)strtoul(w[4], NULL, 0),
		.key = key,
		.key_len = sizeof(key),
		.hard_s = w[6][0] ? (uint32_t)strtoul(w[6], NULL, 0) : 600};

	memset(key, (int)strtoul(w[5], NULL, 0), sizeof(key));
	return strcmp(w[0], "in") == 0 ? ipsec_sessions_in(x, &s) : ipsec_sessions_out(x, &s);
}

static void difference(void *arg, const char *text)
{
	(void)arg;
	printf("differs %s\n", text);
}

static long long answer(struct ipsec_sessions *x, char (*w)[64])
{
	struct in6_addr a;

	if (strcmp(w[0], "in") == 0 || strcmp(w[0], "out") == 0)
		return add(x, w);
	if (strcmp(w[0], "check") == 0)
		return ipsec_sessions_check(x, false, difference, NULL);
	if (strcmp(w[0], "in-del") == 0)
		return ipsec_sessions_in_del(x, (uint32_t)strtoul(w[1], NULL, 0));
	if (strcmp(w[0], "forget") == 0)
		return ipsec_sessions_forget_left(x);
	if (strcmp(w[0], "inside") == 0)
		return ipsec_sessions_inside(x, w[1][0] == '1');
	a = addr(w[1]);
	if (strcmp(w[0], "out-del") == 0)
		return ipsec_sessions_out_del(x, &a, (uint32_t)strtoul(w[2], NULL, 0));
	return ipsec_sessions_packets(
		x, &a, (uint32_t)strtoul(w[2], NULL, 0), strcmp(w[3], "out") == 0);
}

static bool serve(struct ipsec_sessions *x)
{
	char line[512], w[7][64] = {{0}};

	if (!fgets(line, sizeof(line), stdin))
		return false;
	(void)sscanf(line, "%63s %63s %63s %63s %63s %63s %63s", w[0], w[1], w[2], w[3], w[4], w[5],
		w[6]);
	printf("= %lld\n", answer(x, w));
	return true;
}

/* Closes at the end of its input; killed, it leaves what there is. */
int main(int argc, char **argv)
{
	char err[256];
	struct in6_addr local = addr(argc > 1 ? argv[1] : "");
	struct ipsec_sessions *x = ipsec_sessions_open(&local, 0, &ops, NULL, err, sizeof(err));
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (!x) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	p[1].fd = ipsec_sessions_fd(x);
	for (bool more = true; more;) {
		if (poll(p, 2, -1) < 0)
			break;
		if (p[1].revents)
			ipsec_sessions_read(x);
		if (p[0].revents)
			more = serve(x);
	}
	ipsec_sessions_close(x);
	return 0;
}

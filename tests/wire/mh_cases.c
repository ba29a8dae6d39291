/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec from outside, one JSON object a line:
 *
 *   mh_cases               every sample: kind ("mh", "icmp6"), name, hex, means, and the
 *                          checksum from 2001:db8::1 to 2001:db8::2
 *   mh_cases --parse       reads lines "KIND HEX" and says what they mean, or the error
 *   mh_cases --corpus DIR  writes the samples as files DIR/KIND/NAME
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/wire/mh_json.h"
#include "tests/wire/samples.h"

static uint8_t octets[MH_MAX_LEN];

static void print_and_drop(json_t *j)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	puts(s ? s : "null");
	free(s);
	json_decref(j);
}

/* Calls fn for every sample, with its octets. */
static void for_all(
	void (*fn)(const char *kind, const char *name, size_t len, json_t *means, void *arg),
	void *arg)
{
	struct mh_message mh;
	struct icmp6_message icmp6;
	const char *name;

	for (size_t i = 0; mh_sample(i, &name, &mh); i++) {
		size_t len = mh_build(&mh, octets, sizeof(octets));

		fn("mh", name, len, mh_to_json(&mh), arg);
	}
	for (size_t i = 0; icmp6_sample(i, &name, &icmp6); i++) {
		size_t len = icmp6_build(&icmp6, octets, sizeof(octets));

		fn("icmp6", name, len, icmp6_to_json(&icmp6), arg);
	}
}

static void print_case(const char *kind, const char *name, size_t len, json_t *means, void *arg)
{
	struct in6_addr src, dst;

	(void)arg;
	inet_pton(AF_INET6, "2001:db8::1", &src);
	inet_pton(AF_INET6, "2001:db8::2", &dst);
	print_and_drop(json_pack("{ss ss so so si}", "kind", kind, "name", name, "hex",
		hex_to_json(octets, len), "means", means, "checksum",
		ip6_checksum(
			&src, &dst, kind[0] == 'm' ? MIP6_PROTO_MH : IPPROTO_ICMPV6, octets, len)));
}

static void write_seed(const char *kind, const char *name, size_t len, json_t *means, void *arg)
{
	char path[4096];
	FILE *f;

	json_decref(means);
	snprintf(path, sizeof(path), "%s/%s/%s", (const char *)arg, kind, name);
	f = fopen(path, "wb");
	if (!f || fwrite(octets, 1, len, f) != len || fclose(f) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

static bool read_hex(const char *s, uint8_t *to, size_t cap, size_t *len)
{
	for (*len = 0; s[0] && s[0] != '\n'; s += 2) {
		int high = hex_digit(s[0]), low = hex_digit(s[1]);

		if (high < 0 || low < 0 || *len >= cap)
			return false;
		to[(*len)++] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static json_t *parse_line(const char *line)
{
	static uint8_t data[65536];
	size_t len, off = 0;

	if (strncmp(line, "mh ", 3) == 0 && read_hex(line + 3, data, sizeof(data), &len)) {
		struct mh_message m;
		enum mh_error e = mh_parse(data, len, &m, &off);

		if (e == MH_OK)
			return mh_to_json(&m);
		return json_pack("{ss sI}", "error", mh_strerror(e), "offset", (json_int_t)off);
	}
	if (strncmp(line, "icmp6 ", 6) == 0 && read_hex(line + 6, data, sizeof(data), &len)) {
		struct icmp6_message m;

		if (icmp6_parse(data, len, &m))
			return icmp6_to_json(&m);
		return json_pack("{ss}", "error", "malformed");
	}
	fprintf(stderr, "not KIND HEX: %s\n", line);
	exit(EXIT_FAILURE);
}

static int parse_stdin(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		print_and_drop(parse_line(line));
	free(line);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		for_all(print_case, NULL);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--parse") == 0)
		return parse_stdin();
	if (argc == 3 && strcmp(argv[1], "--corpus") == 0) {
		for_all(write_seed, argv[2]);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "usage: %s [--parse | --corpus DIR]\n", argv[0]);
	return 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading values that are text: words of a set, addresses and prefixes, names
 * of the system.
 */
#include "common/config_read.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static bool read_choice(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, int *which)
{
	const char *text = config_text(r, k, s);
	char all[200] = "";
	size_t n = 0;

	if (!text)
		return false;
	for (int i = 0; k->choices[i]; i++) {
		if (strcmp(text, k->choices[i]) == 0) {
			*which = i;
			return true;
		}
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s\"%s\"",
			i == 0              ? ""
			: k->choices[i + 1] ? ", "
					    : " or ",
			k->choices[i]);
	}
	config_complain(r, s, "\"%.40s\" is not known; write %s", text, all);
	return false;
}

bool config_read_choice(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	return read_choice(r, k, s, field);
}

bool config_read_choice_bool(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	int which;

	if (!read_choice(r, k, s, &which))
		return false;
	*(bool *)field = which == 1;
	return true;
}

/* ---- addresses ---- */

static const char *why_unusable(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "is the unspecified address";
	if (IN6_IS_ADDR_LOOPBACK(a))
		return "is the loopback address";
	if (IN6_IS_ADDR_MULTICAST(a))
		return "is a multicast address";
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return "is a link-local address, which means nothing beyond one link";
	if (IN6_IS_ADDR_SITELOCAL(a))
		return "is a site-local address, which RFC 3879 has abolished";
	if (IN6_IS_ADDR_V4MAPPED(a))
		return "is an IPv4 address in IPv6 notation";
	return NULL;
}

bool config_is_anycast(const struct in6_addr *a, const struct ip6_prefix *p)
{
	return p->plen < 127 && in6_equal(a, &p->addr);
}

bool config_read_address(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s), *why;
	struct in6_addr a;
	struct in_addr v4;

	if (!text)
		return false;
	if (inet_pton(AF_INET6, text, &a) != 1) {
		if (strchr(text, '/'))
			config_complain(r, s,
				"\"%.60s\" has a prefix length, where an address is due; write "
				"\"%.*s\"",
				text, (int)(strcspn(text, "/") < 60 ? strcspn(text, "/") : 60),
				text);
		else if (inet_pton(AF_INET, text, &v4) == 1)
			config_complain(r, s,
				"\"%.60s\" is an IPv4 address; write an IPv6 address like %s", text,
				k->example);
		else
			config_complain(r, s, "\"%.60s\" is not an IPv6 address; write one like %s",
				text, k->example);
		return false;
	}
	why = why_unusable(&a);
	if (why) {
		config_complain(r, s, "%s %s; write a routable unicast address like %s", text, why,
			k->example);
		return false;
	}
	*(struct in6_addr *)field = a;
	return true;
}

/* Why ip6_prefix_parse() said no. */
static bool prefix_fault(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, const char *text)
{
	const char *slash = strchr(text, '/');
	char addr[64];
	struct in6_addr a;
	size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
	unsigned long plen;

	snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(text, "/"), text);
	if (inet_pton(AF_INET6, addr, &a) != 1) {
		config_complain(r, s, "\"%.60s\" is not an IPv6 prefix; write one like %s", text,
			k->example);
	} else if (!slash) {
		a = in6_mask(&a, 64);
		config_complain(
			r, s, "\"%.60s\" has no prefix length; write \"%s/64\"", text, in6_str(&a));
	} else if (digits == 0 || slash[1 + digits] ||
		   (plen = strtoul(slash + 1, NULL, 10)) > 128) {
		config_complain(r, s,
			"\"%.60s\" has a wrong prefix length; write a number from 1 to 128 behind "
			"the /, "
			"usually 64",
			text);
	} else {
		a = in6_mask(&a, (uint8_t)plen);
		config_complain(r, s,
			"\"%.60s\" has bits set beyond the first %lu; write \"%s/%lu\"", text, plen,
			in6_str(&a), plen);
	}
	return false;
}

bool config_read_prefix(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s), *why;
	struct ip6_prefix p;

	if (!text)
		return false;
	if (!ip6_prefix_parse(text, &p))
		return prefix_fault(r, k, s, text);
	if (p.plen == 0) {
		config_complain(r, s,
			"\"%s\" is every address there is; write the home prefix, like %s", text,
			k->example);
		return false;
	}
	why = why_unusable(&p.addr);
	if (why) {
		config_complain(r, s, "%s %s; write a routable unicast prefix like %s", text, why,
			k->example);
		return false;
	}
	*(struct ip6_prefix *)field = p;
	return true;
}

/* ---- names of the system ---- */

/* What the kernel's dev_valid_name() takes, without what means something else to tools. */
bool config_read_ifname(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	size_t n;

	if (!text)
		return false;
	n = strlen(text);
	if (n == 0 || n >= IFNAMSIZ) {
		config_complain(r, s,
			"\"%.40s\" has %zu characters; an interface name has 1 to %d, like %s",
			text, n, IFNAMSIZ - 1, k->example);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)text[i]) || strchr("/:%\"\\", text[i])) {
			config_complain(r, s,
				"\"%s\" is not an interface name; write letters, digits, '-', '_' "
				"or '.', like %s",
				text, k->example);
			return false;
		}
	if (!strcmp(text, ".") || !strcmp(text, "..") || !strcmp(text, "all") ||
		!strcmp(text, "default") || !strcmp(text, "lo")) {
		config_complain(r, s,
			"\"%s\" cannot be this interface; write another name, like %s", text,
			k->example);
		return false;
	}
	memcpy(field, text, n + 1);
	return true;
}

bool config_read_path(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	size_t n;

	if (!text)
		return false;
	n = strlen(text);
	if (text[0] != '/') {
		config_complain(r, s,
			"\"%.60s\" does not begin with '/'; write the whole path, like %s", text,
			k->example);
		return false;
	}
	if (n >= k->cap) {
		config_complain(r, s,
			"the path has %zu characters, and %zu at most are possible; write a "
			"shorter one, like %s",
			n, k->cap - 1, k->example);
		return false;
	}
	if (text[n - 1] == '/') {
		config_complain(r, s, "\"%.60s\" is a directory; add the name of a file, like %s",
			text, k->example);
		return false;
	}
	memcpy(field, text, n + 1);
	return true;
}

bool config_read_group_name(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	size_t n;

	if (!text)
		return false;
	n = strlen(text);
	if (n == 0 || n >= k->cap ||
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789_-.$") != n) {
		config_complain(r, s,
			"\"%.40s\" is not a name of a group; write one like %s, or leave the "
			"setting out "
			"for root only",
			text, k->example);
		return false;
	}
	memcpy(field, text, n + 1);
	return true;
}

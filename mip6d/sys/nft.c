/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/nft.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mip6d/sys/marks.h"
#include "lib/netlink.h"

#define ELEMENTS_A_MESSAGE 60 /* fits the message buffer of libnl, a page */
#define MESSAGES_A_BATCH 64

static struct nl_msg *set_msg(int type, int flags, const char *table, const char *set)
{
	struct nfgenmsg h = {.nfgen_family = NFPROTO_IPV6, .version = NFNETLINK_V0};
	struct nl_msg *m = nlreq_msg(NFNL_SUBSYS_NFTABLES << 8 | type, flags, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, table ? table : SYS_NFT_TABLE);
	err |= nla_put_string(m, NFTA_SET_ELEM_LIST_SET, set);
	return nlreq_whole(m, err);
}

static int put_element(struct nl_msg *m, const struct nft_change *c, size_t key_len)
{
	struct nlattr *e = nla_nest_start(m, NFTA_LIST_ELEM | NLA_F_NESTED), *k;
	int err;

	if (!e)
		return -1;
	k = nla_nest_start(m, NFTA_SET_ELEM_KEY | NLA_F_NESTED);
	if (!k)
		return -1;
	err = nla_put(m, NFTA_DATA_VALUE, (int)key_len, c->key);
	nla_nest_end(m, k);
	if (c->add && c->timeout_s)
		err |= nla_put_u64(
			m, NFTA_SET_ELEM_TIMEOUT, htobe64(c->timeout_s * UINT64_C(1000)));
	nla_nest_end(m, e);
	return err;
}

struct nl_msg *nft_elements_msg(size_t key_len, const struct nft_change *c, size_t n)
{
	bool add = c[0].add;
	struct nl_msg *m = set_msg(add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
		add ? NLM_F_CREATE : 0, c[0].table, c[0].set);
	struct nlattr *list;
	int err = 0;

	if (!m)
		return NULL;
	list = nla_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	if (!list)
		return nlreq_whole(m, -1);
	for (size_t i = 0; i < n; i++)
		err |= put_element(m, &c[i], key_len);
	nla_nest_end(m, list);
	return nlreq_whole(m, err);
}

int nft_elements(struct nlreq *r, size_t key_len, const struct nft_change *c, size_t n)
{
	struct nl_msg *m[MESSAGES_A_BATCH];
	size_t n_msgs = 0, same;

	for (size_t i = 0; i < n; i += same) {
		if (n_msgs == MESSAGES_A_BATCH) {
			for (size_t j = 0; j < n_msgs; j++)
				nlmsg_free(m[j]);
			return -EMSGSIZE;
		}
		for (same = 1; i + same < n && same < ELEMENTS_A_MESSAGE; same++)
			if (c[i + same].add != c[i].add || c[i + same].set != c[i].set ||
				c[i + same].table != c[i].table)
				break;
		m[n_msgs++] = nft_elements_msg(key_len, c + i, same);
	}
	return n_msgs ? nlreq_batch(r, m, n_msgs) : 0;
}

/* ---- reading ---- */

struct dump {
	size_t key_len;
	int (*fn)(void *arg, const uint8_t *key);
	void *arg;
};

static int dump_one(const struct dump *d, struct nlattr *element)
{
	struct nlattr *e[NFTA_SET_ELEM_MAX + 1], *k[NFTA_DATA_MAX + 1];

	if (nla_parse_nested(e, NFTA_SET_ELEM_MAX, element, NULL) < 0 || !e[NFTA_SET_ELEM_KEY] ||
		nla_parse_nested(k, NFTA_DATA_MAX, e[NFTA_SET_ELEM_KEY], NULL) < 0)
		return 0;
	if (!k[NFTA_DATA_VALUE] || (size_t)nla_len(k[NFTA_DATA_VALUE]) != d->key_len)
		return 0;
	return d->fn(d->arg, nla_data(k[NFTA_DATA_VALUE]));
}

static int dump_message(void *arg, const struct nlmsghdr *h)
{
	struct nlattr *list = nlmsg_find_attr(
		(struct nlmsghdr *)h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element;
	int left, err;

	if (!list)
		return 0;
	nla_for_each_nested(element, list, left)
	{
		err = dump_one(arg, element);
		if (err < 0)
			return err;
	}
	return 0;
}

int nft_dump(struct nlreq *r, const char *set, size_t key_len,
	int (*fn)(void *arg, const uint8_t *key), void *arg)
{
	struct dump d = {key_len, fn, arg};

	return nlreq_dump(r, set_msg(NFT_MSG_GETSETELEM, 0, NULL, set), dump_message, &d);
}

void nft_put(struct nft_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left) {
		t->whole = false;
		return;
	}
	t->at += n;
	t->left -= (size_t)n;
}

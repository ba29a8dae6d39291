/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/nft.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct nft {
	struct nft_ctx *ctx;
};

struct nft *nft_open(void)
{
	struct nft *n = calloc(1, sizeof(*n));

	if (n)
		n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!n || !n->ctx) {
		free(n);
		return NULL;
	}
	nft_ctx_buffer_output(n->ctx);
	nft_ctx_buffer_error(n->ctx);
	return n;
}

void nft_close(struct nft *n)
{
	if (!n)
		return;
	nft_ctx_free(n->ctx);
	free(n);
}

int nft_run(struct nft *n, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len, rc;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return -ENOMEM;
	rc = nft_run_cmd_from_buffer(n->ctx, text);
	free(text);
	return rc ? -EINVAL : 0;
}

const char *nft_error(const struct nft *n)
{
	return nft_ctx_get_error_buffer(n->ctx);
}

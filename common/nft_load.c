/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/nft_load.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>

int nft_load(const char *text, bool check, char *err, size_t errlen)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	int rc;

	if (!ctx) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	nft_ctx_set_dry_run(ctx, check);
	nft_ctx_buffer_error(ctx);
	nft_ctx_buffer_output(ctx);
	rc = nft_run_cmd_from_buffer(ctx, text);
	if (rc)
		snprintf(err, errlen, "%s", nft_ctx_get_error_buffer(ctx));
	nft_ctx_free(ctx);
	return rc ? -EINVAL : 0;
}

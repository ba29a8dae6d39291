/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables by commands. */
#ifndef OS_NFT_H
#define OS_NFT_H

struct nft;

struct nft *nft_open(void);
void nft_close(struct nft *n);
/* Run commands (a text as in nft -f); 0 or -EINVAL, with the complaint in nft_error(). */
int nft_run(struct nft *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *nft_error(const struct nft *n);

#endif

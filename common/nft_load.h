/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables, chains and rules of nftables as text. */
#ifndef COMMON_NFT_LOAD_H
#define COMMON_NFT_LOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Load text as one transaction; with check only see whether the kernel would
 * take it.  0, or -EINVAL with the reason in err.
 */
int nft_load(const char *text, bool check, char *err, size_t errlen);

#endif

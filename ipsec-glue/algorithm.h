/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ESP algorithms: our names, the kernel's, strongSwan's (RFC 8221). */
#ifndef GLUE_ALGORITHM_H
#define GLUE_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipsec_algorithm {
	const char *name; /* "aes-gcm-128" */
	const char *aead; /* the kernel's name, or NULL: crypt and auth */
	const char *crypt, *auth;
	uint16_t key_len; /* octets: encryption key, with its salt of 4 for an AEAD */
	uint16_t auth_key_len; /* octets; 0 for an AEAD */
	uint16_t icv_bits;
	bool weak; /* only if asked for */
	const char *proposal; /* for strongSwan's esp_proposals */
};

/* NULL: no such name. */
const struct ipsec_algorithm *ipsec_algorithm_find(const char *name);
/* By the kernel's names and key lengths in octets (aead, or crypt and auth); NULL: none of ours. */
const struct ipsec_algorithm *ipsec_algorithm_of_kernel(
	const char *aead, const char *crypt, size_t key_len, const char *auth);
/* One after the other from 0 on; NULL: no more. */
const struct ipsec_algorithm *ipsec_algorithm_at(size_t i);
/* What a key for it measures in octets, both parts. */
size_t ipsec_algorithm_key_len(const struct ipsec_algorithm *a);

#endif

#ifndef MANUAL_H
#define MANUAL_H
#include "mip6/ipsec.h"
struct ipsec_manual_sa { struct in6_addr src,dst; enum ipsec_use use; uint32_t spi; const struct ipsec_algorithm *algorithm; struct ipsec_key key; };
struct ipsec_keys;
struct ipsec_keys *ipsec_keys_quick(const char *path);
const struct ipsec_manual_sa *ipsec_keys_find(const struct ipsec_keys *k, const struct in6_addr *src, const struct in6_addr *dst, enum ipsec_use use);
const struct ipsec_manual_sa *ipsec_keys_at(const struct ipsec_keys *k, size_t i);
void ipsec_keys_free(struct ipsec_keys *k); /* wiped */
#endif

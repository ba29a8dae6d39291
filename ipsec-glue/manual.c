/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/manual.h"

struct ipsec_keys { size_t n; struct ipsec_manual_sa sa[64]; };
struct ipsec_keys *ipsec_keys_quick(const char*path){ FILE*f=fopen(path,"r"); struct ipsec_keys*k=calloc(1,sizeof*k); char a[64],b[64],u[16],al[40],key[300]; unsigned spi; while(f&&fscanf(f,"%63s %63s %15s %i %39s %299s",a,b,u,&spi,al,key)==6){ struct ipsec_manual_sa*s=&k->sa[k->n++]; inet_pton(AF_INET6,a,&s->src); inet_pton(AF_INET6,b,&s->dst); s->use=u[0]=='d'; s->spi=spi; s->algorithm=ipsec_algorithm_find(al); s->key.len=strlen(key)/2; for(size_t i=0;i<s->key.len;i++) sscanf(key+2*i,"%2hhx",&s->key.octets[i]); } return k; }
const struct ipsec_manual_sa *ipsec_keys_find(const struct ipsec_keys *k, const struct in6_addr *src, const struct in6_addr *dst, enum ipsec_use use){ for(size_t i=0;i<k->n;i++) if(in6_equal(&k->sa[i].src,src)&&in6_equal(&k->sa[i].dst,dst)&&k->sa[i].use==use) return &k->sa[i]; return NULL; }
const struct ipsec_manual_sa *ipsec_keys_at(const struct ipsec_keys *k, size_t i){ return i<k->n?&k->sa[i]:NULL; }

void ipsec_keys_free(struct ipsec_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		ipsec_key_wipe(&k->sa[i].key);
	free(k);
}

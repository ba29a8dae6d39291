#ifndef GLUE_SENDER_H
#define GLUE_SENDER_H
#include "mip6/ipsec.h"
struct ipsec_sender;
struct ipsec_sender *ipsec_sender_open(int *err);
void ipsec_sender_close(struct ipsec_sender *s);
typedef int ipsec_pause_fn(void *ctx, const struct in6_addr *home_address, bool on);
void ipsec_sender_pauses(struct ipsec_sender *s, ipsec_pause_fn *fn, void *ctx);
struct ipsec_failure { size_t op; int error; char why[200]; };
int ipsec_sender_do(struct ipsec_sender *s, const struct ipsec_plan *p, struct ipsec_failure *f);
int ipsec_sender_sa(struct ipsec_sender *s, const struct in6_addr *dst, uint32_t spi, struct ipsec_sa_info *out);
typedef int ipsec_walk_fn(void *arg, const struct ipsec_sa_info *info);
int ipsec_sender_walk(struct ipsec_sender *s, ipsec_walk_fn *fn, void *arg);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations as netlink messages of XFRM.  Pure.  Whoever gets a message
 * frees it with ipsec_message_free(): it may hold keys.
 */
#ifndef GLUE_BUILD_H
#define GLUE_BUILD_H

#include "mip6/ipsec.h"

struct nl_msg;
struct nlmsghdr;

/*
 * The request that carries an operation out.  NULL: out of memory, or there
 * is no such single request (STOP, SKIP, PAUSE, RESUME).  IPSEC_RO_SET is an
 * update of what is there; ipsec_build_ro_add() adds it.
 */
struct nl_msg *ipsec_build(const struct ipsec_op *op);
struct nl_msg *ipsec_build_ro_add(const struct ipsec_ro *ro);
/* Asks for what the operation is going to replace or delete; NULL also when it is nothing. */
struct nl_msg *ipsec_build_look(const struct ipsec_op *op);

/* An SA with its counters and its replay state. */
struct nl_msg *ipsec_build_get_sa(const struct in6_addr *dst, uint32_t spi);
struct nl_msg *ipsec_build_dump_sas(void);
struct nl_msg *ipsec_build_dump_policies(void);

/*
 * The message from and for the kernel that makes what `was` (the kernel's
 * answer to a look) tells of: an SA goes on with its limits, its counters
 * and its replay state, from IPSEC_SEQUENCE_GAP behind the last sequence
 * number it had sent, as it may have sent since.
 */
struct nl_msg *ipsec_build_again(const struct nlmsghdr *was, bool update);

/*
 * The replay state of an SA, as the kernel's answer has it: STOP uses all
 * numbers up, SKIP goes on IPSEC_SEQUENCE_GAP behind the last one sent, or
 * stays stopped if there are not as many left.
 */
#define IPSEC_REPLAY_MAX (24 + 512)
struct ipsec_replay {
	bool esn;
	uint16_t type; /* XFRMA_REPLAY_VAL or XFRMA_REPLAY_ESN_VAL */
	uint16_t len;
	uint8_t octets[IPSEC_REPLAY_MAX] __attribute__((aligned(4)));
};
bool ipsec_replay_read(const struct nlmsghdr *sa, struct ipsec_replay *r);
void ipsec_replay_stop(struct ipsec_replay *r);
void ipsec_replay_skip(struct ipsec_replay *r);
struct nl_msg *ipsec_build_replay(const struct ipsec_sa *sa, const struct ipsec_replay *r);

/* How many bits of addresses policies must have to be found by hash instead of one after the other. */
struct nl_msg *ipsec_build_hash_bits(uint8_t local, uint8_t remote);
struct nl_msg *ipsec_build_get_hash_bits(void);

void ipsec_message_free(struct nl_msg *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams.  What is to be sent waits until the store has what it depends
 * on: vcmd_outbox_flush() comes behind vcmd_store_commit().
 */
#ifndef VCMD_SOCKET_H
#define VCMD_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A UDP socket of this address and port alone, not blocking.  A descriptor or a negative errno. */
int vcmd_socket_open(const struct in6_addr *address, uint16_t port);

/* Read what is there, but not for ever.  Datagrams that are too long are left out. */
typedef void vcmd_datagram_fn(void *arg, const struct in6_addr *from, uint16_t port,
	const uint8_t *data, size_t len);
void vcmd_socket_read(int fd, vcmd_datagram_fn *fn, void *arg);

/* Forget what has come until now. */
void vcmd_socket_drain(int fd);

struct vcmd_outbox {
	size_t n, cap; /* octets */
	uint8_t *octets;
	uint64_t sent, failed;
};

/* To be sent by fd to this address and port.  0, -ENOBUFS, -ENOMEM. */
int vcmd_outbox_put(struct vcmd_outbox *o, int fd, const struct in6_addr *to, uint16_t port,
	const uint8_t *data, size_t len);
void vcmd_outbox_flush(struct vcmd_outbox *o); /* sends, wipes, is empty again */
void vcmd_outbox_free(struct vcmd_outbox *o); /* what is in it is not sent, but wiped */

#endif

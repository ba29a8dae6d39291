/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mobility Headers in and out: the raw socket of RFC 6275's protocol 135. */
#ifndef OS_MH_SOCKET_H
#define OS_MH_SOCKET_H

#include "mip6/env.h"

int mh_socket_open(void); /* descriptor or negative errno */
int mh_socket_send(int fd, const struct mip6_packet *p);
/* Read what is there, at most a few dozen; fn for each. */
void mh_socket_read(int fd, void (*fn)(void *arg, const struct mip6_packet *p), void *arg);

#endif

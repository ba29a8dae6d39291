/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells of SAs and policies without being asked.
 */
#ifndef GLUE_KERNEL_EVENTS_H
#define GLUE_KERNEL_EVENTS_H

#include "mip6/ipsec.h"

struct nlmsghdr;

/*
 * Pure: one notification.  Nothing is told of what the sender with this port
 * (ipsec_sender_port()) did itself, nor of an SA or a policy that somebody
 * adds.  Returns false when there is nothing to tell; takes anything.
 */
bool ipsec_event_read(const struct nlmsghdr *h, uint32_t own_port, struct ipsec_event *e);

struct ipsec_kernel_events; /* opaque */

/* NULL with a negative errno. */
struct ipsec_kernel_events *ipsec_kernel_events_open(int *err);
void ipsec_kernel_events_close(struct ipsec_kernel_events *e);
int ipsec_kernel_events_fd(const struct ipsec_kernel_events *e);

/* A burst of what there is to read; IPSEC_EV_LOST when some were lost. */
typedef void ipsec_event_fn(void *arg, const struct ipsec_event *event);
void ipsec_kernel_events_read(
	struct ipsec_kernel_events *e, uint32_t own_port, ipsec_event_fn *fn, void *arg);

#endif

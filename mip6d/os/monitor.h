/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes in the kernel by itself: links, addresses, neighbours. */
#ifndef OS_MONITOR_H
#define OS_MONITOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct monitor;

enum monitor_address { MON_TENTATIVE, MON_OPTIMISTIC, MON_READY, MON_DUPLICATE, MON_REMOVED };

struct monitor_handlers {
	void *arg;
	/* up: administratively up and with carrier.  mac NULL when it has none of 6 octets. */
	void (*link)(void *arg, int ifindex, const char *name, bool up, const uint8_t *mac);
	void (*address)(void *arg, int ifindex, const struct in6_addr *a, enum monitor_address state);
	void (*neighbour)(void *arg, int ifindex, const struct in6_addr *a, bool reachable);
};

struct monitor *monitor_open(const struct monitor_handlers *h);
void monitor_close(struct monitor *m);
int monitor_fd(const struct monitor *m);
void monitor_read(struct monitor *m); /* when the fd can be read; asks for everything again after an overrun */
/* Report all links and addresses as they are now. */
int monitor_sync(struct monitor *m);

#endif

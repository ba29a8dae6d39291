/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes from the kernel's XFRM: notifications and answers, as one buffer of netlink messages. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/build.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/reconcile.h"
#include "ipsec-glue/snapshot.h"
#include "lib/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool own(void *ctx, const struct ipsec_op *surplus)
{
	char text[160];

	(void)ctx;
	ipsec_op_text(surplus, text, sizeof(text));
	return true;
}

static void take(struct ipsec_snapshot *s, const struct nlmsghdr *h)
{
	struct ipsec_replay r;
	struct ipsec_event e;

	(void)ipsec_event_read(h, 1, &e);
	(void)ipsec_snapshot_add(s, h);
	if (ipsec_replay_read(h, &r))
		ipsec_replay_skip(&r);
	ipsec_message_free(ipsec_build_again(h, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ipsec_plan nothing = {0};
	struct ipsec_snapshot s = {0};
	struct ipsec_plan mend = {0};
	char *copy = malloc(size + 1); /* aligned, and of this length for the sanitizers */
	int left = (int)size;

	if (!copy || size > 1 << 16) {
		free(copy);
		return 0;
	}
	if (size)
		memcpy(copy, data, size);
	for (struct nlmsghdr *h = (struct nlmsghdr *)copy; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		take(&s, h);
	(void)ipsec_reconcile(&nothing, &s, own, NULL, &mend, NULL, NULL);
	for (size_t i = 0; i < mend.n; i++)
		ipsec_message_free(ipsec_build(&mend.ops[i]));
	ipsec_plan_free(&mend);
	ipsec_snapshot_free(&s);
	free(copy);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/log.h"

bool privileges_enough(void)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW);
}

int privileges_drop(bool net_admin, bool net_raw)
{
	const capng_type_t own = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	capng_select_t which = CAPNG_SELECT_CAPS;

	if (capng_get_caps_process() < 0)
		return -EPERM;
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		which = CAPNG_SELECT_BOTH; /* the bounding set as well */
	capng_clear(which);
	if ((net_admin && capng_update(CAPNG_ADD, own, CAP_NET_ADMIN) < 0) ||
		(net_raw && capng_update(CAPNG_ADD, own, CAP_NET_RAW) < 0) || capng_apply(which) < 0)
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

void privileges_no_core(void)
{
	/* core(5): with 1 a program that takes it by a pipe gets none either, with 0 it would. */
	static const struct rlimit none = {1, 1};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		log_warning("core dumps, which have keys in them, cannot be turned off: %s",
			strerror(errno));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A manager that knows a few nodes and sessions and forgets nothing, for
 * tests of the control socket: two nodes outside that talk directly, one that
 * was revoked, one inside; many more when asked for.  Sessions hold a secret
 * of octets 0xc7, which must be seen nowhere.
 */
#ifndef TESTS_FAKE_MANAGER_H
#define TESTS_FAKE_MANAGER_H

#include "vcm/manager.h"

struct vcm_manager *fake_manager_new(size_t n_more);

#endif

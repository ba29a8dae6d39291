/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs without a kernel: what ipsec-glue answers about two mobile nodes, for
 * the control socket's tests.
 */
#ifndef TESTS_FAKE_GLUE_H
#define TESTS_FAKE_GLUE_H

#include "mip6/ipsec.h"

/* strongswan or manual; owned by nobody, there is one. */
struct ipsec_glue *fake_glue(enum ipsec_manager manager);

#endif

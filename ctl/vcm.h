/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl vcm: verbs with more than a line to show (vcm_show.c). */
#ifndef CTL_VCM_H
#define CTL_VCM_H

#include "ctl/ctl.h"

/* argv[0] is the word behind vcm. */
ctl_verb_fn ctl_vcm_status, ctl_vcm_stats, ctl_vcm_contexts, ctl_vcm_sessions, ctl_vcm_monitor;

/* Writes how the word behind vcm is used. */
int ctl_vcm_misused(const char *verb);

#endif
